#!/usr/bin/env python3
"""Makes an int8 model of a float one, from activation ranges that were measured once and are committed. Run by scripts/models.sh.

    python3 models/scripts/quantise.py models/scripts/csrnet-int8.ranges.json csrnet.onnx csrnet-int8.onnx

Static quantisation in the QDQ form that ONNX Runtime fuses: activations uint8 per tensor, weights int8 per output channel
(symmetric), biases int32. Needs numpy and onnx alone, no pictures and no runtime; every step is elementwise, so the same
model and ranges give the same bytes on every machine, and the manifest pins their hash. `keep` in the ranges file names the
convolutions that stay in float; with `any_size` the result takes pictures of any height and width (multiples of its largest stride), so
that a wide picture is not padded to a square. `models/scripts/measure_ranges.py` makes the ranges file.
"""

import hashlib
import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Operators that ONNX Runtime computes on int8 when all their tensors are quantised.
QUANTISED = ("Conv", "LeakyRelu", "MaxPool", "Add", "Concat", "Resize")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scale_and_zero(low, high):
    """uint8: the range holds zero, so that padding is exact."""
    low, high = min(0.0, low), max(0.0, high)
    scale = np.float32(max(high - low, 1e-6) / 255.0)
    return scale, np.uint8(np.clip(np.rint(-low / float(scale)), 0, 255))


class Quantiser:
    def __init__(self, model, ranges, keep):
        self.graph, self.ranges, self.keep = model.graph, ranges, set(keep)
        self.constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        # Weights stored as float16 are cast at load; here they are read through the cast.
        self.casts = {n.output[0]: n for n in model.graph.node if n.op_type == "Cast" and n.input[0] in self.constants}
        self.nodes, self.initialisers, self.pairs, self.added = [], [], {}, set()

    def weight(self, name):
        if name in self.casts:
            return self.constants[self.casts[name].input[0]].astype(np.float32)
        return self.constants[name].astype(np.float32)

    def initialiser(self, name, array):
        if name not in self.added:
            self.added.add(name)
            self.initialisers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{output}/{op}", **attributes))
        return output

    def pair(self, name):
        """The tensor after a quantise-dequantise pair, made at its first use."""
        if name not in self.pairs:
            scale, zero = scale_and_zero(*self.ranges[name])
            scale, zero = self.initialiser(name + "/scale", np.array(scale)), self.initialiser(name + "/zero", np.array(zero))
            quantised = self.node("QuantizeLinear", [name, scale, zero], name + "/q")
            self.pairs[name] = self.node("DequantizeLinear", [quantised, scale, zero], name + "/dq")
        return self.pairs[name]

    def convolution(self, node):
        source = node.input[0]
        input_scale, _ = scale_and_zero(*self.ranges[source])
        weight = self.weight(node.input[1])
        scale = np.maximum(np.abs(weight).reshape(weight.shape[0], -1).max(axis=1) / np.float32(127.0), np.float32(1e-9)).astype(np.float32)
        whole = np.clip(np.rint(weight / scale.reshape(-1, 1, 1, 1)), -127, 127).astype(np.int8)
        inputs = [self.pair(source), self.constant(node.input[1], whole, scale, np.int8)]
        if len(node.input) > 2:
            bias_scale = (scale * input_scale).astype(np.float32)
            bias = self.weight(node.input[2]).astype(np.float64)
            bias = np.clip(np.rint(bias / bias_scale.astype(np.float64)), -(2**31) + 1, 2**31 - 1).astype(np.int32)
            inputs.append(self.constant(node.input[2], bias, bias_scale, np.int32))
        return inputs

    def constant(self, name, whole, scale, dtype):
        """A weight or bias, dequantised per output channel."""
        parts = [self.initialiser(f"{name}/int", whole), self.initialiser(f"{name}/scale", scale),
                 self.initialiser(f"{name}/zero", np.zeros(scale.shape, dtype))]
        return self.node("DequantizeLinear", parts, f"{name}/dq", axis=0)

    def run(self):
        """Copies the graph with its pairs. Between a convolution and its Relu there is none: they become one operator."""
        fused = {n.input[0] for n in self.graph.node if n.op_type == "Relu"}
        quantised_outputs, before_relu = set(), set()
        for node in self.graph.node:
            if node.op_type == "Cast" and node.output[0] in self.casts:
                continue
            quantised = node.op_type in QUANTISED and node.name not in self.keep and all(
                name in self.ranges or name in self.constants or name in self.casts or not name for name in node.input)
            inputs = list(node.input)
            if quantised and node.op_type == "Conv":
                inputs = self.convolution(node)
            elif quantised:
                inputs = [self.pair(name) if name in self.ranges else name for name in inputs]
            else:
                inputs = [self.pair(name) if name in quantised_outputs else name for name in inputs]
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            del copy.input[:]
            copy.input.extend(inputs)
            for name in inputs:
                self.keep_constant(name)
            self.nodes.append(copy)
            if quantised and node.output[0] in fused:
                before_relu.add(node.output[0])
            elif quantised or (node.op_type == "Relu" and node.input[0] in before_relu):
                quantised_outputs.update(name for name in node.output if name in self.ranges)

    def keep_constant(self, name):
        """Constants that are still read in float come along as they are."""
        if name in self.casts:
            cast = self.casts[name]
            if cast.input[0] not in self.added:
                self.initialiser(cast.input[0], self.constants[cast.input[0]])
                self.nodes.append(cast)
        elif name in self.constants and name not in self.added:
            self.initialiser(name, self.constants[name])


def any_size(graph):
    """Frees height and width of the input: what the graph resizes to is written as a factor, and lengths that follow from them are open."""
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in onnx.shape_inference.infer_shapes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])).graph.value_info}
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.op_type != "Resize":
            continue
        before, after = shapes[node.input[0]], constants[node.input[3]].tolist()
        factors = np.array([new / old for new, old in zip(after, before)], np.float32)
        graph.initializer.append(numpy_helper.from_array(factors, node.name + "/factors"))
        node.input[2] = node.name + "/factors"
        del node.input[3:]
    for axis, name in ((2, "height"), (3, "width")):
        graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for number, output in enumerate(graph.output):
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{number}"


def main(ranges, source, target):
    with open(ranges, encoding="utf-8") as file:
        settings = json.load(file)
    found = sha256(source)
    if found != settings["model_sha256"]:
        raise SystemExit(f"{source}: expected sha256 {settings['model_sha256']}, found {found}")
    model = onnx.load(source)
    if settings.get("any_size"):
        any_size(model.graph)
    quantiser = Quantiser(model, settings["ranges"], settings["keep"])
    quantiser.run()
    graph = helper.make_graph(quantiser.nodes, settings["name"], list(model.graph.input), list(model.graph.output), quantiser.initialisers)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="qorgan quantise.py")
    result.ir_version = 8
    onnx.checker.check_model(result)
    unfinished = target + ".new"
    onnx.save(result, unfinished)
    os.replace(unfinished, target)
    print(f"{target}: {os.path.getsize(target)} bytes, sha256 {sha256(target)}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])

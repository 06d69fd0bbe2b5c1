"""Help for ONNX Runtime's integer kernels, which want the channels of a map last in memory.

Its optimizer brings maps into that order and back where a node needs them otherwise. Two things it does not do: it
does not end in that order by itself, and it multiplies a map by one number per channel pixel after pixel, a call each.
"""

import numpy as np
from onnx import ModelProto, NodeProto, helper

from emocli import onnx_graph

_FEW = 64
"""Channels up to which a call for each pixel costs more than the multiplication in it."""
_GATES = frozenset({"HardSigmoid", "Sigmoid"})


def end_in_order(model: ModelProto) -> None:
    """Turn the channels of a pooled map last before it is flattened, which changes nothing but the maps before it."""
    graph = model.graph
    makers = onnx_graph.producers(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        maker = makers.get(node.input[0]) if node.op_type == "Flatten" else None
        if (
            maker is not None
            and maker.op_type == "DequantizeLinear"
            and _quantized(maker, makers) == "GlobalAveragePool"
        ):
            turned = f"{node.input[0]}/last"
            nodes.append(helper.make_node("Transpose", maker.input[:1], [f"{turned}/codes"], perm=[0, 2, 3, 1]))
            nodes.append(helper.make_node("DequantizeLinear", [f"{turned}/codes", *maker.input[1:]], [turned]))
            node.input[0] = turned
        nodes.append(node)
    onnx_graph.replace_nodes(graph, nodes)
    onnx_graph.prune(graph)


def repeat_gates(model: ModelProto) -> None:
    """Repeat the gates of squeeze-and-excitation along each row of maps with few channels and many pixels."""
    graph = model.graph
    makers = onnx_graph.producers(graph)
    gated = [(node, gate) for node in graph.node if node.op_type == "Mul" and (gate := _gate(node, makers))]
    if not gated:
        return
    shapes = {name: [axis.dim_value for axis in kind.shape.dim] for name, kind in onnx_graph.types(model).items()}
    nodes = list(graph.node)
    for node, gate in gated:
        _, channels, _, width = shapes.get(node.output[0], [0, 0, 0, 0])
        if 0 < channels <= _FEW and width > 1 and shapes.get(gate.output[0], [])[2:] == [1, 1]:
            row = f"{gate.output[0]}/{node.output[0]}/row"
            times = onnx_graph.put(graph, f"{row}/times", np.array([1, 1, 1, width]))
            place = nodes.index(node)
            nodes[place:place] = [
                helper.make_node("Tile", [gate.input[0], times], [f"{row}/codes"]),
                helper.make_node("DequantizeLinear", [f"{row}/codes", *gate.input[1:]], [row]),
            ]
            node.input[list(node.input).index(gate.output[0])] = row
    onnx_graph.replace_nodes(graph, nodes)
    onnx_graph.prune(graph)


def _gate(node: NodeProto, makers: dict[str, NodeProto]) -> NodeProto | None:
    """Return the DequantizeLinear of a Mul's gate, None when it has none."""
    for name in node.input:
        maker = makers.get(name)
        if maker is not None and maker.op_type == "DequantizeLinear" and _quantized(maker, makers) in _GATES:
            return maker
    return None


def _quantized(dequantizer: NodeProto, makers: dict[str, NodeProto]) -> str:
    """Return the operator whose codes a DequantizeLinear takes, "" where there is none."""
    quantizer = makers.get(dequantizer.input[0])
    maker = makers.get(quantizer.input[0]) if quantizer is not None else None
    return maker.op_type if maker is not None else ""

"""Channels in sixteens: ONNX Runtime's fast integer convolution gives so many at once, other numbers go a slow way."""

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto

from emocli import onnx_graph

_LANES = 16
_BETWEEN = frozenset({"DequantizeLinear", "QuantizeLinear", "Relu"})
"""Operators that leave a channel of zeros one of zeros."""


def fill_up(model: ModelProto) -> None:
    """Give a 1x1 convolution that feeds nothing but another one channels of zeros up to the next multiple of 16.

    Those are the two layers of squeeze-and-excitation, whose inner one is narrow. The second takes none of them.
    """
    graph = model.graph
    known, makers, takers = onnx_graph.constants(graph), onnx_graph.producers(graph), onnx_graph.consumers(graph)
    for name in onnx_graph.outputs(graph):
        # what leaves the graph is taken too
        takers[name].append(NodeProto())
    for first in graph.node:
        second = _only_taker(first, takers)
        if not _is_layer(first, makers, known) or second is None or not _is_layer(second, makers, known):
            continue
        narrow, wide = makers[first.input[1]], makers[second.input[1]]
        missing = -len(known[narrow.input[0]]) % _LANES
        if missing and known[narrow.input[1]].ndim:
            for place, filler in enumerate((0, 1, 0)):
                narrow.input[place] = _filled(
                    graph, known[narrow.input[place]], narrow.input[place], 0, missing, filler
                )
            wide.input[0] = _filled(graph, known[wide.input[0]], wide.input[0], 1, missing, 0)
            first.input[2] = _filled(graph, known[first.input[2]], first.input[2], 0, missing, 0)
    onnx_graph.prune(graph)


def _only_taker(node: NodeProto, takers: dict[str, list[NodeProto]]) -> NodeProto | None:
    """Return what takes a node's output, ReLU and codes left aside, None where that is not one node."""
    after = takers[node.output[0]]
    if len(after) == 1 and after[0].op_type in _BETWEEN:
        return _only_taker(after[0], takers)
    return after[0] if len(after) == 1 else None


def _is_layer(node: NodeProto, makers: dict[str, NodeProto], known: dict[str, np.ndarray]) -> bool:
    """Whether a node is a plain 1x1 convolution with quantized weight and a bias."""
    if node.op_type != "Conv" or len(node.input) < 3 or node.input[2] not in known:
        return False
    weight = makers.get(node.input[1])
    if weight is None or weight.op_type != "DequantizeLinear" or not set(weight.input) <= set(known):
        return False
    return known[weight.input[0]].shape[2:] == (1, 1) and onnx_graph.attribute(node, "group", 1) == 1


def _filled(graph: GraphProto, array: np.ndarray, name: str, axis: int, count: int, filler: int) -> str:
    widths = [(0, count if place == axis else 0) for place in range(array.ndim)]
    return onnx_graph.put(graph, f"{name}/filled", np.pad(array, widths, constant_values=filler))

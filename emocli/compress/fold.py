"""Rewrites that leave a model's answers as they are and let it be quantized: BatchNorm folded, means as pooling."""

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper

from emocli import onnx_graph
from emocli.onnx_constants import fold_constants


def fold(model: ModelProto) -> ModelProto:
    """Return a copy in which each BatchNormalization is part of the Conv or Gemm before it and constants are computed.

    A BatchNormalization with no such node before it becomes a 1x1 convolution of each channel by itself, and a mean
    over height and width becomes GlobalAveragePool: operators that engines run in INT8. The input may be of any batch
    size, as before; the outputs differ from the model's by rounding only.
    """
    copy = fold_constants(model)
    ranks = {name: len(kind.shape.dim) for name, kind in onnx_graph.types(copy).items()}
    _pool_means(copy.graph)
    _fold_norms(copy.graph, ranks)
    onnx_graph.prune(copy.graph)
    return copy


def _pool_means(graph: GraphProto) -> None:
    known = onnx_graph.constants(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type != "ReduceMean" or _mean_axes(node, known) not in ([2, 3], [-2, -1]):
            nodes.append(node)
        elif onnx_graph.attribute(node, "keepdims", 1):
            nodes.append(helper.make_node("GlobalAveragePool", node.input[:1], node.output, node.name))
        else:
            pooled = f"{node.output[0]}_pooled"
            nodes.append(helper.make_node("GlobalAveragePool", node.input[:1], [pooled], node.name))
            nodes.append(helper.make_node("Flatten", [pooled], node.output, f"{node.name}_flatten", axis=1))
    onnx_graph.replace_nodes(graph, nodes)


def _mean_axes(node: NodeProto, known: dict[str, NDArray[np.int64]]) -> list[int]:
    if len(node.input) > 1:
        return sorted(known[node.input[1]].tolist()) if node.input[1] in known else []
    return sorted(onnx_graph.attribute(node, "axes", []))


def _fold_norms(graph: GraphProto, ranks: dict[str, int]) -> None:
    known, makers, takers = onnx_graph.constants(graph), onnx_graph.producers(graph), onnx_graph.consumers(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type != "BatchNormalization":
            nodes.append(node)
            continue
        scale, shift = _affine(node, known)
        before = makers.get(node.input[0])
        alone = before is not None and len(takers[before.output[0]]) == 1
        if before is not None and alone and _can_absorb(before, known):
            _absorb(graph, before, known, scale, shift)
            before.output[0] = node.output[0]
        else:
            nodes.extend(_by_itself(graph, node, scale, shift, ranks.get(node.input[0], 4)))
    onnx_graph.replace_nodes(graph, nodes)


def _affine(node: NodeProto, known: dict[str, NDArray[np.float32]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factor and the summand, per channel, that a BatchNormalization amounts to at inference."""
    gamma, beta, mean, variance = (known[name].astype(np.float64) for name in node.input[1:5])
    scale = gamma / np.sqrt(variance + onnx_graph.attribute(node, "epsilon", 1e-5))
    return scale, beta - mean * scale


def _can_absorb(node: NodeProto, known: dict[str, NDArray[np.float32]]) -> bool:
    plain = all(onnx_graph.attribute(node, name, 1.0) == 1.0 for name in ("alpha", "beta"))
    return node.op_type in ("Conv", "Gemm") and plain and all(name in known for name in node.input[1:] if name)


def _absorb(
    graph: GraphProto,
    node: NodeProto,
    known: dict[str, NDArray[np.float32]],
    scale: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> None:
    """Multiply a Conv's or Gemm's weight by `scale` and move its bias along."""
    weight = known[node.input[1]].astype(np.float64)
    columns = node.op_type == "Gemm" and not onnx_graph.attribute(node, "transB", 0)
    weight *= scale if columns else scale.reshape(-1, *[1] * (weight.ndim - 1))
    bias = known[node.input[2]].astype(np.float64) if len(node.input) > 2 and node.input[2] else 0.0
    # named after its output: two nodes may share the weight they were exported with
    name = f"{node.input[1]}/{node.output[0]}_folded"
    weight_name = onnx_graph.put(graph, name, weight.astype(np.float32))
    bias_name = onnx_graph.put(graph, f"{name}_bias", (bias * scale + shift).astype(np.float32))
    node.input[:] = [node.input[0], weight_name, bias_name]


def _by_itself(
    graph: GraphProto, node: NodeProto, scale: NDArray[np.float64], shift: NDArray[np.float64], rank: int
) -> list[NodeProto]:
    """Return what stands for a BatchNormalization that follows no convolution."""
    source, target = node.input[0], node.output[0]
    factor, summand = scale.astype(np.float32), shift.astype(np.float32)
    if rank == 4:
        weight = onnx_graph.put(graph, f"{target}_weight", factor.reshape(-1, 1, 1, 1))
        bias = onnx_graph.put(graph, f"{target}_bias", summand)
        return [helper.make_node("Conv", [source, weight, bias], [target], node.name, group=len(factor))]
    weight = onnx_graph.put(graph, f"{target}_factor", factor.reshape(-1, *[1] * max(0, rank - 2)))
    bias = onnx_graph.put(graph, f"{target}_summand", summand.reshape(-1, *[1] * max(0, rank - 2)))
    scaled = f"{target}_scaled"
    return [
        helper.make_node("Mul", [source, weight], [scaled], f"{node.name}_mul"),
        helper.make_node("Add", [scaled, bias], [target], node.name),
    ]

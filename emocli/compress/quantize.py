"""Static INT8 quantization: one QDQ model that TensorRT parses as it is and that ONNX Runtime's kernels can run.

Symmetric int8 with zero point 0 throughout, weights per output channel, activations per tensor, QuantizeLinear after
the ReLU rather than before it, biases in float (TensorRT has no int32 dequantization; ONNX Runtime quantizes them
itself). Every operator that has an integer kernel is quantized: one that is left in float between two others costs more
than it spares. Scheme: Jacob et al. 2018 (arXiv 1712.05877), Wu et al. 2020 (arXiv 2004.09602).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from emocli import onnx_graph, registry
from emocli.compress import calibrate, sequences
from emocli.compress.fold import fold
from emocli.errors import EmoError

_ARITHMETIC = frozenset({"Add", "Div", "Mul", "Sub"})
_WEIGHTED = frozenset({"Conv", "Gemm", "MatMul"})
_INTEGER = _WEIGHTED | {"Add", "AveragePool", "Concat", "GlobalAveragePool", "LeakyRelu", "Mul", "Sigmoid"}
"""Operators with an integer kernel."""
_CUTS = frozenset({"Clip", "Relu"})
"""Operators that become part of the one before them: nothing is quantized between the two."""
_LARGEST = 127
_BIAS_CODES = 2.0**29
"""A bias is added as int32 in steps of input scale times weight scale, and must leave room for the sum."""


@np.errstate(over="ignore", invalid="ignore")  # of weights that are no numbers, which its judge refuses
def quantize(
    model: ModelProto,
    batches: calibrate.Batches,
    *,
    method: str = "percentile",
    percentile: float = 99.99,
    exclude: Sequence[str] = (),
    threads: int = 1,
) -> ModelProto:
    """Return the INT8 form of an FP32 model; `batches()` gives inputs to calibrate with, (n, channels, height, width).

    `exclude` names operator types or nodes to leave in float. The metadata, header included, are those of the model:
    the caller writes the new one. Raises EmoError for an operator or node that there is not, and when there is nothing
    to quantize or to calibrate with.
    """
    result = fold(model)
    # some nodes are only there before folding, some only after it
    _check_excluded(exclude, [*model.graph.node, *result.graph.node])
    spared = {node.output[0] for node in result.graph.node if not {node.op_type, node.name}.isdisjoint(exclude)}
    types = onnx_graph.types(result)
    # lengths and places are no floats, and attention computes many
    spared |= {name for name, kind in types.items() if kind.elem_type != TensorProto.FLOAT}
    spared |= sequences.in_float(result, types, _INTEGER - _WEIGHTED)
    chosen = _choose(result.graph, spared)
    if not chosen:
        raise EmoError("no operator is left to make INT8; leave out some --exclude, or keep FP32")
    limits = calibrate.ranges(result, chosen, batches, method=method, percentile=percentile, threads=threads)
    scales = _scales(result.graph, limits)
    _quantize_weights(result.graph, scales, spared)
    _quantize_activations(result.graph, scales)
    onnx_graph.prune(result.graph)
    return result


def _check_excluded(exclude: Sequence[str], nodes: Sequence[NodeProto]) -> None:
    kinds = sorted({node.op_type for node in nodes})
    known = [*kinds, *(node.name for node in nodes if node.name)]
    for name in exclude:
        if name not in known:
            near = registry.nearest(name, known)
            raise EmoError(
                f"--exclude {name}: the model has no operator or node {name}{near}; it has {', '.join(kinds)}"
            )


def _choose(graph: GraphProto, spared: set[str]) -> list[str]:
    """Return the tensors to quantize, in the order they are computed; what makes a `spared` one stays float."""
    floats = _prologue(graph) | spared
    known = {tensor.name for tensor in graph.initializer}
    takers, makers = onnx_graph.consumers(graph), onnx_graph.producers(graph)
    chosen: dict[str, None] = {}
    for node in graph.node:
        if node.op_type not in _INTEGER | onnx_graph.SAME_VALUES or node.output[0] in floats:
            continue
        if (
            node.op_type in onnx_graph.SAME_VALUES
            and node.input[0] not in chosen
            and not _leads_to_integer(node, takers, floats)
        ):
            continue
        count = 1 if node.op_type in _WEIGHTED | onnx_graph.SAME_VALUES else len(node.input)
        for name in node.input[:count]:
            if name not in known and makers.get(name) is not None:
                chosen[name] = None
        target = _after_cut(node.output[0], takers)
        if any(not spared.issuperset(taker.output) for taker in takers[target]):
            chosen[target] = None
    return [name for name in makers if name in chosen]


def _leads_to_integer(node: NodeProto, takers: dict[str, list[NodeProto]], floats: set[str]) -> bool:
    after = [taker for taker in takers[node.output[0]] if taker.output and taker.output[0] not in floats]
    return any(taker.op_type in _INTEGER or _leads_to_integer(taker, takers, floats) for taker in after)


def _prologue(graph: GraphProto) -> set[str]:
    """Return the tensors that scaling, normalisation and rearrangement of the input make, before anything is learned.

    Codes begin after them: a kernel that only moves values has no integer form in ONNX Runtime.
    """
    found = {value.name for value in graph.input}
    known = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        scaling = node.op_type in _ARITHMETIC and not known.isdisjoint(node.input)
        if (node.op_type in onnx_graph.SAME_VALUES | {"Cast"} or scaling) and found.union(known).issuperset(node.input):
            found.update(node.output)
    return found


def _after_cut(name: str, takers: dict[str, list[NodeProto]]) -> str:
    """Return the tensor to quantize in place of `name`: what ReLU makes of it, if nothing else takes it."""
    after = takers[name]
    if len(after) == 1 and after[0].op_type in _CUTS:
        return str(after[0].output[0])
    return name


def _scales(graph: GraphProto, limits: dict[str, float]) -> dict[str, float]:
    """Return the real value of one step of each tensor's codes; what only moves values keeps its input's."""
    scales = {name: limit / _LARGEST or 1.0 for name, limit in limits.items()}
    for node in graph.node:
        if node.op_type in onnx_graph.SAME_VALUES and {node.input[0], node.output[0]} <= set(scales):
            scales[node.output[0]] = scales[node.input[0]]
    return scales


def _quantize_weights(graph: GraphProto, scales: dict[str, float], spared: set[str]) -> None:
    """Put int8 weights and their DequantizeLinear before each Conv, Gemm and MatMul with a quantized input."""
    known = onnx_graph.constants(graph)
    nodes: list[NodeProto] = []
    for node in graph.node:
        quantized = node.output[0] not in spared and not scales.keys().isdisjoint(node.input)
        if quantized and node.op_type in _WEIGHTED and node.input[1] in known:
            bias = known.get(node.input[2]) if len(node.input) > 2 else None
            axis = _channel_axis(node, known[node.input[1]])
            codes, steps = weight_codes(known[node.input[1]], axis, scales[node.input[0]], bias)
            # by the node's output: two nodes may share a weight but not the scale of their inputs
            name = f"{node.input[1]}/{node.output[0]}"
            nodes.append(_dequantize(graph, name, codes, steps, axis))
            node.input[1] = nodes[-1].output[0]
        elif quantized and node.op_type in _INTEGER - _WEIGHTED:
            nodes.extend(_quantized_operands(graph, node, known))
        nodes.append(node)
    onnx_graph.replace_nodes(graph, nodes)


def _quantized_operands(graph: GraphProto, node: NodeProto, known: dict[str, NDArray[Any]]) -> list[NodeProto]:
    """Return the DequantizeLinear of each constant that an Add, Mul or Concat of quantized tensors takes."""
    nodes = []
    for place, name in enumerate(node.input):
        if name in known:
            steps = np.float32(np.abs(known[name]).max() / _LARGEST or 1.0)
            codes = np.rint(known[name] / steps).astype(np.int8)
            nodes.append(_dequantize(graph, f"{name}/{node.output[0]}", codes, np.asarray(steps), None))
            node.input[place] = nodes[-1].output[0]
    return nodes


def _channel_axis(node: NodeProto, weight: NDArray[np.float32]) -> int:
    """Return the axis of a weight that counts output channels."""
    if node.op_type == "MatMul":
        return weight.ndim - 1
    return 1 if node.op_type == "Gemm" and not onnx_graph.attribute(node, "transB", 0) else 0


def weight_codes(
    weight: NDArray[np.float32], axis: int, input_scale: float, bias: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 codes, shaped as the weight, and the step of each output channel, (channels,).

    A channel whose weights are small beside its bias gets a larger step than they need, so that the bias fits int32.
    """
    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    steps = np.abs(rows).max(axis=1).astype(np.float64) / _LARGEST
    if bias is not None:
        steps = np.maximum(steps, np.abs(bias.reshape(-1)) / (input_scale * _BIAS_CODES))
    single = np.where(steps > 0, steps, 1.0).astype(np.float32)
    shape = [-1 if place == axis else 1 for place in range(weight.ndim)]
    return np.rint(weight / single.reshape(shape)).clip(-_LARGEST, _LARGEST).astype(np.int8), single


def _dequantize(
    graph: GraphProto, name: str, codes: NDArray[np.int8], steps: NDArray[np.float32], axis: int | None
) -> NodeProto:
    """Add the constants of a weight to the graph and return the node that gives it as float."""
    inputs = [
        onnx_graph.put(graph, f"{name}/codes", codes),
        onnx_graph.put(graph, f"{name}/scale", steps),
        onnx_graph.put(graph, f"{name}/zero", np.zeros(steps.shape, dtype=np.int8)),
    ]
    node = helper.make_node("DequantizeLinear", inputs, [f"{name}/float"], f"{name}/dequantize")
    if axis is not None:
        node.attribute.append(helper.make_attribute("axis", axis))
    return node


def _quantize_activations(graph: GraphProto, scales: dict[str, float]) -> None:
    """Put QuantizeLinear and DequantizeLinear after each chosen tensor, before all that take it."""
    ends = onnx_graph.outputs(graph)
    zero = onnx_graph.put(graph, "zero", np.asarray(0, dtype=np.int8))
    nodes: list[NodeProto] = []
    names = {name: name if name in ends else f"{name}/dequantized" for name in scales}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
        nodes.append(node)
        for place, name in enumerate(node.output):
            if name in scales:
                # an output of the graph keeps its name for what the INT8 model gives there
                node.output[place] = f"{name}/float" if name in ends else name
                scale = onnx_graph.put(graph, f"{name}/scale", np.asarray(scales[name], dtype=np.float32))
                codes = [f"{name}/codes"]
                quantizer, dequantizer = [node.output[place], scale, zero], [*codes, scale, zero]
                nodes.append(helper.make_node("QuantizeLinear", quantizer, codes, f"{name}/quantize"))
                nodes.append(helper.make_node("DequantizeLinear", dequantizer, [names[name]], f"{name}/dequantize"))
    onnx_graph.replace_nodes(graph, nodes)

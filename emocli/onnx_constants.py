"""What an exporter left to be computed at run time although it is known: shapes, casts, zero biases."""

import copy
import math
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper
from onnx.reference import ReferenceEvaluator

from emocli import onnx_graph

_MOST = 1 << 26
"""Values of a tensor that is still computed ahead."""
_DRAWS = ("Bernoulli", "Multinomial", "Random")
"""What the names of operators that draw numbers begin with."""
_ROUNDS = 8
"""A shape that depends on a shape needs one round each; exporters nest them three deep."""


def are_left(model: ModelProto) -> bool:
    """Whether something is computed from constants alone: ONNX Runtime merges BatchNormalization only without that."""
    known = {tensor.name for tensor in model.graph.initializer}
    plain = (node for node in model.graph.node if node.op_type not in ("DequantizeLinear", "EPContext"))
    return any(known.issuperset(node.input) for node in plain)


def fold_constants(model: ModelProto) -> ModelProto:
    """Return the model with every tensor that does not depend on the input computed, the batch axis left open."""
    model = copy.deepcopy(model)
    # an exporter's own notes on shapes can contradict what is inferred
    del model.graph.value_info[:]
    for _ in range(_ROUNDS):
        before = model.graph.SerializeToString(deterministic=True)
        types = onnx_graph.types(model)
        _close_reshapes(model.graph, types)
        _evaluate(model, types)
        _skip_identities(model.graph)
        onnx_graph.prune(model.graph)
        if model.graph.SerializeToString(deterministic=True) == before:
            break
    return model


def dequantize_floats(graph: GraphProto) -> None:
    """Make the weights of a float layer float: ONNX Runtime dequantizes them in every run else."""
    known, takers = onnx_graph.constants(graph), onnx_graph.consumers(graph)
    kept = []
    for node in graph.node:
        layers = takers[node.output[0]]
        after = {taker.op_type for layer in layers for taker in takers[layer.output[0]]}
        weight = node.op_type == "DequantizeLinear" and node.input[0] in known
        if weight and after <= {"Softmax"} and all(layer.op_type == "Gemm" for layer in layers):
            shape = [
                -1 if axis == onnx_graph.attribute(node, "axis", 1) else 1 for axis in range(known[node.input[0]].ndim)
            ]
            steps = known[node.input[1]]
            codes = known[node.input[0]].astype(np.float32)
            onnx_graph.put(graph, node.output[0], codes * (steps.reshape(shape) if steps.ndim else steps))
        else:
            kept.append(node)
    onnx_graph.replace_nodes(graph, kept)
    onnx_graph.prune(graph)


def _shape(kind: onnx.TypeProto.Tensor | None) -> list[int | None] | None:
    """Return a tensor's shape, None for an axis that is open, or None when even the rank is unknown."""
    if kind is None or not kind.HasField("shape"):
        return None
    return onnx_graph.axes(kind)


def _evaluate(model: ModelProto, types: dict[str, onnx.TypeProto.Tensor]) -> None:
    known = onnx_graph.constants(model.graph)
    kept = []
    for node in model.graph.node:
        values = _value(node, known, types, list(model.opset_import))
        if values is None:
            kept.append(node)
            continue
        for name, value in zip(node.output, values, strict=True):
            known[name] = value
            onnx_graph.put(model.graph, name, value)
    onnx_graph.replace_nodes(model.graph, kept)


def _value(
    node: NodeProto,
    known: dict[str, NDArray[Any]],
    types: dict[str, onnx.TypeProto.Tensor],
    opsets: list[onnx.OperatorSetIdProto],
) -> list[NDArray[Any]] | None:
    """Return a node's outputs if they are known before the model runs, else None."""
    if node.op_type == "Shape" and node.input[0] not in known:
        return _known_shape(node, types)
    if node.op_type == "CastLike" and node.input[0] in known and node.input[1] in types:
        kind = helper.tensor_dtype_to_np_dtype(types[node.input[1]].elem_type)
        return [known[node.input[0]].astype(kind)]
    # a dequantized weight stays int8 in the file
    if node.op_type == "DequantizeLinear" or not all(name in known for name in node.input if name):
        return None
    if not _is_cheap(node, types):
        return None
    graph = helper.make_graph(
        [node],
        "constant",
        [helper.make_tensor_value_info(name, _kind(known[name]), known[name].shape) for name in node.input if name],
        [helper.make_empty_tensor_value_info(name) for name in node.output],
    )
    feeds = {name: known[name] for name in node.input if name}
    try:
        evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
        return [np.asarray(value) for value in evaluator.run(None, feeds)]
    except Exception:  # it knows less operators than ONNX Runtime, which says what is wrong with a broken one
        return None


def _is_cheap(node: NodeProto, types: dict[str, onnx.TypeProto.Tensor]) -> bool:
    """Whether a node is no loop or draw of random numbers, and makes no more than `_MOST` values."""
    if node.op_type.startswith(_DRAWS) or any(each.HasField("g") for each in node.attribute):
        return False
    axes = [axis or 0 for name in node.output for axis in _shape(types.get(name)) or ()]
    return math.prod(axes) <= _MOST


def _kind(array: NDArray[Any]) -> int:
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def _known_shape(node: NodeProto, types: dict[str, onnx.TypeProto.Tensor]) -> list[NDArray[Any]] | None:
    shape = _shape(types.get(node.input[0]))
    if shape is None:
        return None
    part = shape[onnx_graph.attribute(node, "start", 0) : onnx_graph.attribute(node, "end", len(shape))]
    return None if None in part else [np.array(part, dtype=np.int64)]


def _close_reshapes(graph: GraphProto, types: dict[str, onnx.TypeProto.Tensor]) -> None:
    """Give each Reshape a constant target: the batch axis, if it is the only open one, is -1."""
    known = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        shape = _shape(types.get(node.output[0])) if node.op_type == "Reshape" else None
        if shape is None or node.input[1] in known or shape.count(None) > 1:
            continue
        target = np.array([-1 if axis is None else axis for axis in shape], dtype=np.int64)
        node.input[1] = onnx_graph.put(graph, f"{node.output[0]}_shape", target)


def _skip_identities(graph: GraphProto) -> None:
    """Take out Identity, Dropout and a Reshape that is followed by nothing but another Reshape."""
    takers, ends = onnx_graph.consumers(graph), onnx_graph.outputs(graph)
    for node in graph.node:
        if node.output[0] in ends:
            continue
        takes = takers[node.output[0]]
        idle = node.op_type in ("Identity", "Dropout")
        if idle or (node.op_type == "Reshape" and all(_reshapes_anew(graph, taker) for taker in takes)):
            onnx_graph.redirect(graph, node.output[0], node.input[0], takes)


def _reshapes_anew(graph: GraphProto, node: NodeProto) -> bool:
    """Whether a node is a Reshape that copies no axis from its input."""
    if node.op_type != "Reshape":
        return False
    target = next((tensor for tensor in graph.initializer if tensor.name == node.input[1]), None)
    return target is not None and 0 not in onnx.numpy_helper.to_array(target)

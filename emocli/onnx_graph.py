"""Reading and editing an ONNX graph: constants, who makes a tensor, who takes it."""

import contextlib
import copy
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TypeProto, helper, numpy_helper, shape_inference

SAME_VALUES = frozenset(
    {"DepthToSpace", "Dropout", "Flatten", "Identity", "MaxPool", "Reshape", "SpaceToDepth", "Squeeze", "Transpose"}
    | {"Slice", "Unsqueeze"}
)
"""Operators whose output holds values of their first input and no others, so that both share one scale."""


def constants(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """Return every initializer as an array (float32 ones are views of the model's bytes: copy before writing)."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def producers(graph: GraphProto) -> dict[str, NodeProto]:
    """Return the node that makes each tensor."""
    return {output: node for node in graph.node for output in node.output if output}


def consumers(graph: GraphProto) -> dict[str, list[NodeProto]]:
    """Return the nodes that take each tensor; a node that takes it twice is there twice."""
    found: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            if name:
                found[name].append(node)
    return found


def outputs(graph: GraphProto) -> set[str]:
    """Return the names of the graph's outputs."""
    return {value.name for value in graph.output}


def types(model: ModelProto) -> dict[str, TypeProto.Tensor]:
    """Return the type and shape of each tensor as far as they can be inferred; the model's own notes don't count.

    Nothing of it belongs into a model that is run: onnx gives axes that differ the same name where a Split is uneven,
    and ONNX Runtime shares memory between what is said to be alike.
    """
    bare = copy.deepcopy(model)
    del bare.graph.value_info[:]
    with contextlib.suppress(shape_inference.InferenceError):  # what will run it says why it can't be run
        bare = shape_inference.infer_shapes(bare, data_prop=True)
    values = [*bare.graph.input, *bare.graph.output, *bare.graph.value_info]
    return {value.name: value.type.tensor_type for value in values if value.type.HasField("tensor_type")}


def axes(kind: TypeProto.Tensor) -> list[int | None]:
    """Return the sizes of a tensor's axes, None for an open one; [] where not even their number is known."""
    return [axis.dim_value if axis.HasField("dim_value") else None for axis in kind.shape.dim]


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """Return an attribute's value, or `default` where the node does not have it."""
    for item in node.attribute:
        if item.name == name:
            return helper.get_attribute_value(item)
    return default


def put(graph: GraphProto, name: str, array: NDArray[Any]) -> str:
    """Make `name` an initializer with this value, in place of one that has the name already; return the name."""
    tensor = numpy_helper.from_array(np.asarray(array, order="C"), name)
    for old in graph.initializer:
        if old.name == name:
            old.CopyFrom(tensor)
            return name
    graph.initializer.append(tensor)
    return name


def redirect(graph: GraphProto, old: str, new: str, nodes: Iterable[NodeProto] | None = None) -> None:
    """Let `nodes` (all of them, unless given) take tensor `new` where they took `old`."""
    for node in graph.node if nodes is None else nodes:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def replace_nodes(graph: GraphProto, nodes: Iterable[NodeProto]) -> None:
    """Make `nodes`, in this order, the graph's nodes."""
    kept = [copy.deepcopy(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def prune(graph: GraphProto) -> None:
    """Remove the nodes, initializers and notes on shapes that no output depends on."""
    needed = outputs(graph)
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    replace_nodes(graph, reversed(kept))
    _keep(graph.initializer, needed)
    _keep(graph.value_info, needed | set(producers(graph)))


def _keep(items: Any, names: set[str]) -> None:
    for place in reversed(range(len(items))):
        if items[place].name not in names:
            del items[place]

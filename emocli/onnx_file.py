"""Model artifacts: ONNX files that carry the emo header and nothing outside themselves."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import onnx
import onnx.numpy_helper

from emocli import artifact, onnx_interface
from emocli.artifact import Header
from emocli.errors import EmoError

OPSET = 20
IR_VERSION = 10
"""What every model is written with; onnxruntime 1.31 refuses IR 14, and TensorRT 10 reads opset 20."""


def load(path: Path, source: str = "") -> onnx.ModelProto:
    """Return the model in a file; raises EmoError for damage and for tensors kept outside the file."""
    try:
        model = onnx.load_model(path, load_external_data=False)
    except Exception as fault:  # protobuf has an error class per backend
        raise EmoError(f"{source or path} is not a whole ONNX file; copy it or make it again") from fault
    for tensor in _tensors(model):
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise EmoError(f"{source or path} keeps tensor {tensor.name!r} in another file; save the model as one file")
    for tensor in model.graph.initializer:
        if not _is_whole(tensor):
            raise EmoError(f"{source or path} has a damaged tensor, {tensor.name!r}; copy it or make it again")
    return model


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a model as one file, the same bytes for the same model."""
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
        file.flush()
        os.fsync(file.fileno())


def header_of(model: onnx.ModelProto, source: str) -> Header:
    """Return a model's header; raises EmoError when it has none."""
    for entry in model.metadata_props:
        if entry.key == "emo":
            return artifact.parse(entry.value, source)
    raise EmoError(f"{source} is an ONNX file without an emo header; emo train or emo distill make models with one")


def read_header(path: Path, source: str = "") -> Header:
    """Return the header of a model file; raises EmoError for one with another interface than emo's models have."""
    model, name = load(path, source), source or str(path)
    header = header_of(model, name)
    onnx_interface.check(model, header, name)
    return header


def write_header(model: onnx.ModelProto, header: Header) -> None:
    """Set a model's header in place, replacing the one it had."""
    others = [entry for entry in model.metadata_props if entry.key != "emo"]
    del model.metadata_props[:]
    model.metadata_props.extend(others)
    model.metadata_props.add(key="emo", value=header.to_json())


def describe(path: Path) -> dict[str, Any]:
    """Return a model's inputs and outputs with their shapes, operator counts and parameters."""
    graph = load(path).graph
    operators = Counter(node.op_type for node in graph.node)
    return {
        "inputs": {value.name: _shape(value) for value in graph.input},
        "outputs": {value.name: _shape(value) for value in graph.output},
        "parameters": sum(math.prod(tensor.dims) for tensor in graph.initializer),
        "operators": dict(sorted(operators.items())),
    }


def _shape(value: onnx.ValueInfoProto) -> dict[str, Any]:
    tensor = value.type.tensor_type
    dims = [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]
    return {"shape": dims, "dtype": onnx.TensorProto.DataType.Name(tensor.elem_type).lower()}


def _is_whole(tensor: onnx.TensorProto) -> bool:
    """Whether a tensor holds as many numbers as it says."""
    try:
        return bool(onnx.numpy_helper.to_array(tensor).dtype.kind != "O")
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError):
        return False


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor that is in a model, wherever."""
    yield from _of_graph(model.graph)
    for function in model.functions:
        yield from _of_attributes(function.attribute_proto)
        for node in function.node:
            yield from _of_attributes(node.attribute)


def _of_graph(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    yield from _of_sparse(graph.sparse_initializer)
    for node in graph.node:
        yield from _of_attributes(node.attribute)


def _of_attributes(attributes: Iterable[onnx.AttributeProto]) -> Iterator[onnx.TensorProto]:
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        yield from _of_sparse((attribute.sparse_tensor, *attribute.sparse_tensors))
        for graph in (attribute.g, *attribute.graphs):
            yield from _of_graph(graph)


def _of_sparse(tensors: Iterable[onnx.SparseTensorProto]) -> Iterator[onnx.TensorProto]:
    for tensor in tensors:
        yield from (tensor.values, tensor.indices)

"""torch's exporter, which traces a net of each kind once in a run of the tests; the next of the kind brings weights."""

import functools
import hashlib
import io
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.onnx._internal._lazy_import import onnxscript_apis

traced = torch.onnx.export
"""The exporter itself."""


def read_once() -> None:
    """Keep what the first export of this process finds out about onnxscript's operators; it reads their source."""

    @functools.cache
    def operators() -> list[object]:
        # what the attribute is without this one; it loads onnxscript
        return onnxscript_apis.__getattr__("get_torchlib_ops")()

    onnxscript_apis.get_torchlib_ops = operators


def trace_once(folder: Path) -> None:
    """Keep the graphs of exports in `folder`, for any process."""
    torch.onnx.export = functools.partial(_export, folder)  # type: ignore[assignment]


def _export(folder: Path, net: nn.Module, inputs: tuple[Tensor, ...], **options: Any) -> Any:
    said = {name: repr(value) for name, value in options.items() if name != "custom_translation_table"}
    path = folder / _kind(net, inputs, said)
    if path.is_file():
        return SimpleNamespace(model_proto=_with_weights(onnx.load(path), net.state_dict()))
    program = traced(net, inputs, **options)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(program.model_proto.SerializeToString())  # type: ignore[union-attr]
    draft.rename(path)
    return program


def _kind(*what: Any) -> str:
    """Return a hash of what a trace depends on: modules, their attributes, options; not the values of weights."""
    content = io.BytesIO()
    _Pickler(content).dump(what)
    return hashlib.sha256(content.getvalue()).hexdigest()


class _Pickler(pickle.Pickler):
    """Writes tensors of a module as their place and shape."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.places: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            place = self.places.setdefault(id(value), len(self.places))
            return place, tuple(value.shape), str(value.dtype)
        return None


def _with_weights(model: onnx.ModelProto, weights: dict[str, Tensor]) -> onnx.ModelProto:
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            tensor.raw_data = numpy_helper.from_array(weights[tensor.name].numpy()).raw_data
    return model

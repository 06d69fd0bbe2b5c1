"""A trained net as ONNX: pixels in, logits and embedding out, the weights under their names in the net."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from emocli import onnx_file, onnx_graph
from emocli.training.fusion import fused
from emocli.training.operators import TRANSLATIONS
from emocli.training.precision import lay_out

_FRAMES = 48
"""How long the sequence is that a net is traced with."""


class _Served(nn.Module):
    """The net as it is served: uint8 pixels are scaled to 0..1, and both outputs come from one pass."""

    net: Any

    def __init__(self, net: nn.Module, uint8: bool) -> None:
        super().__init__()
        self.net, self.uint8 = net, uint8

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        outputs: tuple[Tensor, Tensor] = self.net.outputs(x.to(torch.float32) / 255 if self.uint8 else x)
        return outputs


def to_onnx(net: nn.Module, shape: tuple[int, ...], *, input_name: str = "face") -> onnx.ModelProto:
    """Return the net as a model for inputs (batch, *shape): uint8 pixels, or float32 where these are no images.

    Frames, -1 in the shape, are as open as the batch. Outputs are "logits" (batch,
    classes) and "embedding" (batch, d). Initializers keep the names of the net's state_dict, that of its fused form
    where it has one, and the same net gives the same bytes.
    """
    pixels = len(shape) == 3
    sizes = [_FRAMES if size == -1 else size for size in shape]
    sample = torch.zeros(2, *sizes, dtype=torch.uint8 if pixels else torch.float32)
    open_axes = {0: torch.export.Dim("batch")} | ({1: torch.export.Dim("frames")} if -1 in shape else {})
    served = _Served(lay_out(fused(net).cpu().float(), torch.contiguous_format), pixels).eval()
    with _quiet():
        program = torch.onnx.export(
            served,
            (sample,),
            dynamo=True,
            optimize=False,
            external_data=False,
            verbose=False,
            input_names=[input_name],
            output_names=["logits", "embedding"],
            dynamic_shapes=(open_axes,),
            opset_version=onnx_file.OPSET,
            custom_translation_table=TRANSLATIONS,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    _rename(model.graph)
    _bypass_identities(model.graph)
    model.ir_version = min(model.ir_version, onnx_file.IR_VERSION)
    onnx.checker.check_model(model)
    return model


def abilities(net: nn.Module, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the further fields of a model's header, `extra` being those of what it was made from.

    "causal" says that a net takes frames in groups of so many, none of which depends on a later one, and that its
    embedding is their mean and its logits are linear in that: with the states of its recurrent layers carried, the
    logits of a clip are the mean of those of its pieces.
    """
    frames = getattr(getattr(net, "features", None), "causal_frames", 0)
    others = {name: value for name, value in extra.items() if name != "causal"}
    return {**others, "causal": {"frames": frames}} if frames else others


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own insides from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _strip(model: onnx.ModelProto) -> None:
    """Take out what the exporter notes on its source code and this machine: stack traces, shapes in between."""
    graph = model.graph
    parts: list[Any] = [model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer]
    for part in parts:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.ClearField("value_info")
    model.producer_name, model.producer_version = "emo", ""


def _rename(graph: onnx.GraphProto) -> None:
    """Give the initializers the names they have in the state_dict of the net inside the exported module."""
    names = {tensor.name: tensor.name.removeprefix("net.") for tensor in graph.initializer}
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]


def _bypass_identities(graph: onnx.GraphProto) -> None:
    """Take out Identity nodes, dropout's remains, except those that name an output."""
    outputs = onnx_graph.outputs(graph)
    aliases = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Identity" and node.output[0] not in outputs
    }
    kept = [node for node in graph.node if not node.output or node.output[0] not in aliases]
    for node in kept:
        for index, name in enumerate(node.input):
            while name in aliases:
                name = aliases[name]
            node.input[index] = name
    onnx_graph.replace_nodes(graph, kept)

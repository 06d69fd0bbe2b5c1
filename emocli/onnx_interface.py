"""What every model artifact takes and gives: one input, a batch of any size, and logits for each of its labels."""

from collections.abc import Iterator

from onnx import ModelProto, TensorProto

from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.onnx_graph import axes

_INPUTS = (TensorProto.UINT8, TensorProto.FLOAT, TensorProto.INT64)


def check(model: ModelProto, header: Header, source: str) -> None:
    """Raise EmoError unless a model has the interface of emo's: (n, …) in, "logits" (n, classes) in what comes out."""
    for fault in _faults(model, header):
        raise EmoError(f"{source} {fault}, as no model of emo does; make one with emo train")


def logits_axes(model: ModelProto) -> list[int | None] | None:
    """Return the sizes that a model says its logits have, None for an open axis; None for a model without logits."""
    return next((axes(value.type.tensor_type) for value in model.graph.output if value.name == "logits"), None)


def _faults(model: ModelProto, header: Header) -> Iterator[str]:
    """Yield what is wrong with a model; what comes later relies on what came before."""
    labels, graph = header.labels, model.graph
    if not labels or len(set(labels)) < len(labels):
        yield "has no labels or has some twice"
    if model.functions or any(each.HasField("g") or each.graphs for node in graph.node for each in node.attribute):
        yield "has loops or branches, which may never end"
    if not any(each.domain in ("", "ai.onnx") for each in model.opset_import):
        yield "does not say what its operators are"
    if not all(node.output for node in graph.node):
        yield "has operators that give nothing"
    if len(graph.input) != 1:
        yield f"has {len(graph.input)} inputs"
    entry = graph.input[0].type.tensor_type
    if entry.elem_type not in _INPUTS:
        yield "takes neither uint8 nor float32 nor int64"
    if 0 in axes(entry):
        yield "takes inputs without a value"
    logits = logits_axes(model)
    if logits is None:
        yield "has no output logits"
    elif logits[1:] != [len(labels)]:
        yield f"has {len(labels)} labels and logits for another number"
    elif any(sizes[0] is not None for sizes in (axes(entry), logits) if sizes):
        yield "takes batches of one size only"

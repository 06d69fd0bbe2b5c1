"""A model made personal for good: what it says more of one person than of others is taken from its logits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, helper

from emocli import onnx_file, onnx_graph, pipes
from emocli.artifact import Step
from emocli.engines import _plan
from emocli.errors import EmoError
from emocli.scores import personal

_ANYBODY, _OFFSET = "logits/anybody", "logits/person"
_SMALL = 0.05
"""Logits that are not worth a word."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is added to the logit of each class, by how many samples of which emotion."""

    by_label: dict[str, float]
    heard: dict[str, int]

    def __str__(self) -> str:
        moved = sorted(self.by_label.items(), key=lambda item: -abs(item[1]))
        logits = ", ".join(f"{label} {by:+.1f}" for label, by in moved if abs(by) >= _SMALL)
        samples = ", ".join(f"{count} of {label}" for label, count in self.heard.items())
        return f"personal by {samples}: adds to the logits {logits or 'next to nothing'}"


def expected(source: pipes.Input, y: Sequence[int]) -> NDArray[np.float64]:
    """Return what a model usually says of each class, (classes, classes), to compare samples of classes `y` (n,) with.

    A class of -1 is not known. Raises EmoError for a model that is personal, that does not tell, or that has not
    learned one of these classes.
    """
    if source.header.own_step("personalize"):
        raise EmoError(f"{source.source} is personal already; begin with the model it was made from")
    usually = personal.usual(source.header, source.source)
    for label in y:
        if label >= 0 and np.isnan(usually[label]).any():
            name = source.header.labels[label]
            raise EmoError(f"{source.source} has never learned {name}; give samples of another emotion")
    return usually


def write(
    source: pipes.Input,
    logits: NDArray[np.float64],
    y: Sequence[int],
    usually: NDArray[np.float64],
    path: Path,
    step: Step,
) -> Change:
    """Write the model with an offset to its logits, by (n, classes) logits of a person's samples of classes `y` (n,).

    FP32 or INT8: its weights and codes stay as they are. `usually` is as `expected`. Raises EmoError for a TensorRT
    plan.
    """
    header, heard = source.header, Counter(personal.name_of(label, source.header.labels) for label in y)
    model = onnx_file.load(source.path)
    if _plan.is_container(model):
        raise EmoError(f"{source.source} is a TensorRT plan; make the ONNX model personal and build its plan again")
    offset = personal.offset(logits, np.asarray(y), usually)
    add(model.graph, offset)
    made = {**step, "heard": dict(heard), "input": source.digest}
    onnx_file.write_header(model, header.then(made))
    onnx_file.save(model, path)
    return Change(dict(zip(header.labels, offset.tolist(), strict=True)), dict(heard))


def add(graph: GraphProto, offset: NDArray[np.float64]) -> None:
    """Add (classes,) to the output "logits" in place."""
    kind = next(value for value in graph.output if value.name == "logits").type.tensor_type.elem_type
    maker = onnx_graph.producers(graph)["logits"]
    maker.output[list(maker.output).index("logits")] = _ANYBODY
    onnx_graph.redirect(graph, "logits", _ANYBODY)
    onnx_graph.put(graph, _OFFSET, offset.astype(helper.tensor_dtype_to_np_dtype(kind or TensorProto.FLOAT)))
    graph.node.append(helper.make_node("Add", [_ANYBODY, _OFFSET], ["logits"], "logits/personal"))

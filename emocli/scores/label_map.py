"""Which of a model's labels each label of some data counts as: by name, or as the user says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emocli import labels, registry
from emocli.errors import EmoError

AUTO = "auto"
"""The map between the usual classes: by meaning, whatever the spelling; an emotion that the model lacks is left out."""

Entries = Mapping[str, str | None]
"""By a label of the data the label of the model that it counts as; None leaves its rows out."""


@dataclass(frozen=True, slots=True)
class LabelMap:
    """How the labels of some data are scored with those of a model. Made by `match`."""

    data: tuple[str, ...]
    model: tuple[str, ...]
    target: tuple[str | None, ...]
    """What each label of the data counts as; None where its rows are left out."""

    @property
    def differs(self) -> bool:
        """Tell whether a label is renamed, left out or lacking; the order alone does not matter."""
        return self.target != self.data or set(self.data) != set(self.model)

    @property
    def shared(self) -> tuple[str, ...]:
        """The model's labels that the data can have, in the model's order."""
        return tuple(label for label in self.model if label in self.target)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The model's labels that the data can't have."""
        return tuple(label for label in self.model if label not in self.target)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The data's labels whose rows are not scored."""
        return tuple(label for label, target in zip(self.data, self.target, strict=True) if target is None)

    def places(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the model's labels those of the data are, (n,) indices each; -1 for none and for left out."""
        of_label = np.array([self.model.index(label) if label else -1 for label in self.target], np.int64)
        return np.where(y < 0, -1, of_label[y])

    @property
    def renamed(self) -> dict[str, str]:
        """The data's labels that count as another one of the model."""
        return {a: b for a, b in zip(self.data, self.target, strict=True) if b is not None and a != b}


def parse(texts: Sequence[str]) -> Entries:
    """Return the entries of `--map DATA=MODEL`, given several times; `DATA=` leaves out, `auto` stands for itself."""
    entries: dict[str, str | None] = {}
    for text in texts:
        label, equals, target = (part.strip() for part in text.partition("="))
        if text == AUTO:
            equals, label = "=", AUTO
        if not equals or not label:
            raise EmoError(f"--map {text} is not DATA=MODEL; write contempt=disgust, contempt= to leave out, or {AUTO}")
        if entries.get(label, target or None) != (target or None):
            raise EmoError(f"--map gives {label} twice; say once what it counts as")
        entries[label] = target or None
    return entries


def match(data: Sequence[str], model: Sequence[str], entries: Entries, source: str) -> LabelMap:
    """Return how the data's labels count. Entries for labels that the data don't have are passed over.

    With AUTO names count by what they mean, calm as neutral and excited as happy where the model lacks them, and other
    emotions that it lacks are left out; what is no usual emotion still has to be said. Without entries the names
    decide, and one set must hold the other: rows of labels that the model lacks are left out.
    Raises EmoError, naming `source` and the lines to add, for labels that nothing is said about.
    """
    known = {label: label for label in data if label in model}
    named = labels.all_named(entries, data, "--map")
    said = {label: target and labels.named(target, model) for label, target in named.items() if label in data}
    if AUTO in entries:
        others = [label for label in data if label not in model and labels.usual(label)]
        said = {**{label: labels.near(label, tuple(model)) or None for label in others}, **said}
    for label, target in said.items():
        if target is not None and target not in model:
            near = registry.nearest(target, model)
            raise EmoError(f"--map {label}={target}: the model has no {target}{near}; it knows {', '.join(model)}")
    rest = [label for label in data if label not in {**known, **said}]
    if rest and (entries or len(known) < len(model)):
        raise EmoError(_question(rest, data, model, source))
    target_of: dict[str, str | None] = {**known, **said}
    found = LabelMap(tuple(data), tuple(model), tuple(target_of.get(label) for label in data))
    if not found.shared:
        raise EmoError(f"no label of {source} is one of the model's; nothing is left to score: change --map")
    return found


def whole(data: Sequence[str], model: Sequence[str], source: str) -> LabelMap:
    """Return how the data's labels count where all of them must be the model's; raises EmoError, naming `source`."""
    if unknown := [label for label in data if label not in model]:
        raise EmoError(
            f"{source} has labels the model does not know ({', '.join(unknown)}); it knows {', '.join(model)}; "
            "name data with its labels"
        )
    return match(data, model, {}, source)


def check_used(entries: Entries, datas: Sequence[Sequence[str]]) -> None:
    """Raise EmoError for an entry whose label no data have."""
    known = list(dict.fromkeys(label for data in datas for label in data))
    for label in entries:
        if label != AUTO and labels.named(label, known) not in known:
            hint = registry.nearest(label, known)
            raise EmoError(f"--map {label}=: the data have no label {label}{hint}; they have {', '.join(known)}")


def _question(rest: Sequence[str], data: Sequence[str], model: Sequence[str], source: str) -> str:
    """Return what to ask about labels of the data that the model does not know, with the lines that would answer."""
    lacking = [label for label in model if label not in data]
    lines = " ".join(f"--map {label}={labels.near(label, tuple(model))}" for label in rest)
    only = f"; the model's {', '.join(lacking)} are not in the data" if lacking else ""
    return (
        f"{source} has labels the model does not know ({', '.join(rest)}){only}; it knows {', '.join(model)}; "
        f"say what they count as, nothing after = to leave them out, for example: {lines}"
    )

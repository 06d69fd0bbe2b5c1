"""A model's answers on one part of the data, batch by batch."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import pipes
from emocli.artifact import Header
from emocli.data import hdf5, padding, people
from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.extracting import by_person, extraction, pieces
from emocli.extracting.extraction import Process
from emocli.extracting.joining import Features
from emocli.scores import label_map, views
from emocli.scores.label_map import LabelMap
from emocli.scores.views import PLAIN, Runs, Views

BATCH = 64
Change = Callable[[Data, NDArray[np.int64], Sequence[Any], NDArray[np.int64]], list[Any]]
"""From the data, the rows of the part, some of its sounds and their rows to what is put in place of these sounds."""

Made = tuple[NDArray[Any], NDArray[np.bool_]]
"""The features of those of some rows that have a face or a voice, as one batch, and which these are."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said about one part of some data, n rows in file order."""

    logits: NDArray[np.float32]
    """(n, k)."""
    y: NDArray[np.int64]
    """(n,) indices into the model's labels; -1 where the data have no label, or one that is left out."""
    groups: list[str]
    """Subject or speaker of each row; empty where the data name none."""
    left_out: dict[str, int]
    """Rows of each label that is not scored."""
    no_face: int
    """Samples that are not among the n rows, as the model's detector finds no face in them."""
    known: frozenset[str]
    """Those of `groups` whom the model has learned from."""
    rows: NDArray[np.int64]
    """Which rows of the data the n are."""


def answers(engine: Runs, model: Header, source: pipes.Input, split: str, *, hint: str) -> Answers:
    """Return a model's answers on a part of data whose labels all are its own; raises EmoError as `collect` does."""
    labels = label_map.whole(source.header.labels, model.labels, source.source)
    return collect(engine, model, source, split, labels, hint=hint)


def collect(
    engine: Runs,
    model: Header,
    source: pipes.Input,
    split: str,
    labels: LabelMap,
    *,
    seen: Views = PLAIN,
    leave_out: NDArray[np.int64] | None = None,
    hint: str = "choose another --split",
) -> Answers:
    """Return a model's answers on a part, its labels counted as `labels` says.

    A dataset goes through the model's own extractor first. The logits are the mean over the views that are `seen`.
    `leave_out` are rows that are not asked about.
    Raises EmoError for an empty part; `hint` says what to do about it.
    """
    with hdf5.open_data(source.path, source.source) as data:
        logits, rows = [], []
        asked = data.scored(split, leave_out)
        for x, part in _batches(data, model, asked):
            logits.append(views.logits(engine, x, model, seen))
            rows.append(part)
        if not rows:
            raise _nothing(data, source.source, split, hint)
        kept = np.concatenate(rows)
        targets = data.targets()[kept]
        counts = Counter(targets.tolist())
        groups = [data.group[row] for row in kept]
        return Answers(
            np.concatenate(logits),
            labels.places(targets),
            groups,
            {label: counts[labels.data.index(label)] for label in labels.left_out},
            len(asked) - len(kept),
            people.met(model, data, split, groups),
            kept,
        )


def _nothing(data: Data, source: str, split: str, hint: str) -> EmoError:
    """Return what to say where there is nothing to score: no face or voice in the part, or no such part."""
    if len(data.scored(split)):
        what = "a face" if data.modality == "face" else "a voice"
        return EmoError(f"no sample of {source} has {what} that the model's detector finds; score features")
    parts = ", ".join(dict.fromkeys(part for part in data.split if part)) or "none"
    return EmoError(f"{source} has no {split} part (it has {parts}); {hint}")


def logits(
    engine: Runs, model: Header, source: pipes.Input, split: str, change: Change, seen: Views
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return (n, classes) logits of a dataset's part that is changed before the model's own detector, and the n rows.

    A row in which the detector finds nothing is not among them.
    """
    found = [np.empty((0, len(model.labels)), np.float32)]
    rows = [np.empty(0, np.int64)]
    with hdf5.open_data(source.path, source.source) as data:
        for x, part in _batches(data, model, data.scored(split), change):
            found.append(views.logits(engine, x, model, seen))
            rows.append(part)
    return np.concatenate(found), np.concatenate(rows)


def _batches(
    data: Data, model: Header, rows: NDArray[np.int64], change: Change | None = None
) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
    """Yield (x, row numbers) of rows in file order, without samples that have no face or voice."""
    parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    if data.header.kind == "features":
        for part in parts:
            yield data.take(part), part
        return
    process = extraction.restart(model, modality=data.modality)
    made: Iterable[Made] = (_made(data, part, process, rows, change) for part in parts)
    if by_person.asked_by(model):
        people = [data.group[row] for row in rows]
        by_person.check(True, data.modality, people)
        made = by_person.together(made, people)
    for part, (features, found) in zip(parts, made, strict=True):
        if found.any():
            yield features, part[found]


def _made(
    data: Data, part: NDArray[np.int64], process: Process, rows: NDArray[np.int64], change: Change | None
) -> Made:
    """Return as one batch the features of those of some rows that have a face or voice, and which these are."""
    made = []
    for piece in pieces.of(data, part):
        items = data.raw(piece)
        made.append(process(change(data, rows, items, piece) if change else items))
    found = np.concatenate([each for _, each in made])
    heard = [features for features, each in made if each.any()]
    return _together(heard) if heard else np.empty((0, 0), np.float32), found


def _together(made: Sequence[Features]) -> NDArray[Any]:
    """Return as one batch what was extracted piece by piece, so that the model sees what it always saw."""
    rows = [row for features in made for row in features]
    return padding.batch(rows) if isinstance(made[0], list) else np.stack(rows)

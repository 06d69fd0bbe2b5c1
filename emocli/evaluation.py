"""A model's answers on one part of the data, batch by batch."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emocli import extraction, hdf5, pipes
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.hdf5 import Data

BATCH = 64


class Runs(Protocol):
    """What is asked of an engine here."""

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for a batch."""
        ...


def answers(
    engine: Runs, model: Header, source: pipes.Input, split: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return (n, classes) logits and (n,) labels of a part, in file order; labels are indices into the model's.

    A dataset goes through the model's own extractor first; samples in which its detector finds no face are left out.
    Raises EmoError for an empty part and for labels that the model does not know.
    """
    with hdf5.open_data(source.path, source.source) as data:
        places = _places(data, model, source.source)
        logits, y = [], []
        for x, targets in _batches(data, model, split):
            logits.append(engine.run(x)["logits"])
            y.append(np.where(targets < 0, -1, places[targets]))
    if not y:
        parts = ", ".join(dict.fromkeys(part for part in data.split if part)) or "none"
        raise EmoError(f"{source.source} has no {split} part (it has {parts}); choose another --split")
    return np.concatenate(logits), np.concatenate(y)


def _batches(data: Data, model: Header, split: str) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
    if data.header.kind == "features":
        yield from data.batches(split, BATCH)
        return
    process, targets, rows = extraction.restart(model), data.targets(), data.rows(split)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        pictures = data.images(int(part[0]), int(part[-1]) + 1)
        x, found = process([pictures[row - part[0]] for row in part])
        if found.any():
            yield x, targets[part[found]]


def _places(data: Data, model: Header, source: str) -> NDArray[np.int64]:
    """Return where each of the data's labels is among the model's."""
    unknown = [label for label in data.labels if label not in model.labels]
    if unknown:
        known = ", ".join(model.labels)
        raise EmoError(f"{source} has labels the model does not know ({', '.join(unknown)}); it knows {known}")
    return np.array([model.labels.index(label) for label in data.labels], np.int64)

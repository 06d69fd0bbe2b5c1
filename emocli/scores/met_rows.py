"""Rows of a part that a model learned from, where the corpus was divided in another way than for the model."""

import contextlib

import numpy as np
from numpy.typing import NDArray

from emocli import pipes
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.errors import EmoError


def divided_otherwise(model: Header, data: Header) -> bool:
    """Say whether both come from the same files of a corpus, with other options of `emo dataset`."""
    ours, theirs = model.step("dataset") or {}, data.step("dataset") or {}
    return bool(ours.get("input")) and ours.get("input") == theirs.get("input") and ours != theirs


def count(model: Header, source: pipes.Input, rows: NDArray[np.int64]) -> int | None:
    """Return how many of the rows are in the model's own train and validation parts.

    None where that can't be told, as the features that the model learned from are not at hand and the parts may have
    been drawn otherwise.
    """
    with contextlib.suppress(EmoError):
        learned = _ids(pipes.features_of(model, None), "train", "validation")
        with hdf5.open_data(source.path, source.source) as data:
            return sum(data.id[row] in learned for row in rows)
    return None if _draw(model) != _draw(source.header) else 0


def _ids(source: pipes.Input, *parts: str) -> set[str]:
    with hdf5.open_data(source.path, source.source) as data:
        return {data.id[row] for part in parts for row in data.rows(part)} - {""}


def _draw(header: Header) -> object:
    """Return what parts that a corpus does not publish are drawn by."""
    return (header.step("dataset") or {}).get("options")

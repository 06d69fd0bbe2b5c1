"""Rows of a part that a model learned from, where the corpus was divided in another way than for the model."""

import numpy as np
from numpy.typing import NDArray

from emocli import pipes
from emocli.artifact import Header, Step
from emocli.data import hdf5


def count(model: Header, source: pipes.Input, rows: NDArray[np.int64]) -> int | None:
    """Return how many rows of the data are in a train or validation part that taught a model, or its first teachers.

    None where that can't be told: it learned from the same corpus with other options, and those features are not at
    hand. Rows of the model's own division are not counted, as its test part is nobody's train part.
    """
    theirs = source.header.step("dataset") or {}
    if not any(_is_divided_otherwise(step, theirs) for step in model.steps if step["command"] == "dataset"):
        return 0
    learned: set[str] = set()
    unknown = False
    taught_by = (step.get("data", "") for step in model.steps if step["command"] in ("train", "distill"))
    for digest in {*taught_by} - {source.digest}:
        own = pipes.at_hand(digest)
        unknown |= own is None
        if own and _is_divided_otherwise(own.header.step("dataset") or {}, theirs):
            learned |= _ids(own, "train", "validation")
    with hdf5.open_data(source.path, source.source) as data:
        known = sum(data.id[row] in learned for row in rows)
    return None if unknown and not known else known


def differences(model: Header, data: Header) -> str:
    """Return which options of `emo dataset` differ, as `seed 0 there, 1 here`."""
    ours, theirs = ({**step.get("params", {}), **step.get("options", {})} for step in _datasets(model, data))
    differing = [key for key in ours | theirs if ours.get(key) != theirs.get(key)]
    return ", ".join(f"{key} {ours.get(key)} there and {theirs.get(key)} here" for key in differing)


def _datasets(model: Header, data: Header) -> tuple[Step, Step]:
    """Return the last other way in which the corpus was imported for the model, and how it was for the data."""
    theirs = data.step("dataset") or {}
    others = [step for step in model.steps if step["command"] == "dataset" and _is_divided_otherwise(step, theirs)]
    return (others or [theirs])[-1], theirs


def _is_divided_otherwise(ours: Step, theirs: Step) -> bool:
    """Say whether both come from the same files of a corpus, with other options of `emo dataset`."""
    return bool(ours.get("input")) and ours.get("input") == theirs.get("input") and ours != theirs


def _ids(source: pipes.Input, *parts: str) -> set[str]:
    with hdf5.open_data(source.path, source.source) as data:
        return {data.id[row] for part in parts for row in data.rows(part)} - {""}

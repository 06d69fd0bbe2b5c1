"""Rows of a part that a model learned from, where the corpus was divided in another way than for the model."""

from typing import Any

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
    learned: set[str] = set()
    unknown = False
    for digest, ours in _taught_by(model).items():
        if digest == source.digest or not _is_divided_otherwise(ours, theirs):
            continue
        own = pipes.at_hand(digest)
        unknown |= own is None
        learned |= _ids(own, "train", "validation") if own else set()
    if not learned:
        return None if unknown else 0
    with hdf5.open_data(source.path, source.source) as data:
        known = sum(data.id[row] in learned for row in rows)
    return None if unknown and not known else known


def differences(model: Header, data: Header) -> str:
    """Return which options of `emo dataset` differ, as `seed 0 there, 1 here`."""
    theirs = data.step("dataset") or {}
    others = [step for step in _taught_by(model).values() if _is_divided_otherwise(step, theirs)]
    ours, theirs = (_division(step) for step in ((others or [theirs])[-1], theirs))
    differing = [key for key in ours | theirs if ours.get(key) != theirs.get(key)]
    return ", ".join(f"{key} {ours.get(key)} there and {theirs.get(key)} here" for key in differing)


def _taught_by(model: Header) -> dict[str, Step]:
    """Return the features that taught a model and its first teachers, each with how its corpus was imported."""
    found: dict[str, Step] = {}
    dataset: Step = {}
    for step in model.steps:
        if step["command"] == "dataset":
            dataset = step
        elif step["command"] in ("train", "distill") and "data" in step:
            found[step["data"]] = dataset
    return found


def _is_divided_otherwise(ours: Step, theirs: Step) -> bool:
    """Say whether both come from the same files of a corpus, divided with other options of `emo dataset`."""
    same = bool(ours.get("input")) and ours.get("input") == theirs.get("input")
    return same and _division(ours) != _division(theirs)


def _division(step: Step) -> dict[str, Any]:
    """Return the options that decide which part a row is in."""
    found = {**step.get("params", {}), **step.get("options", {})}
    found.pop("labels", None)  # of FER+: what is said of a row
    # what else of FER2013 is scored, or nothing
    return found | ({"public_test": "test"} if found.get("public_test") == "only" else {})


def _ids(source: pipes.Input, *parts: str) -> set[str]:
    with hdf5.open_data(source.path, source.source) as data:
        return {data.id[row] for part in parts for row in data.rows(part)} - {""}

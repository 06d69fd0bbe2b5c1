"""Rows of a part that a model learned from, where the corpus was divided in another way than for the model."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import pipes
from emocli.artifact import Header, Step
from emocli.data import hdf5


def divided_otherwise(model: Header, source: pipes.Input) -> dict[str, Step]:
    """Return the features that taught a model, or its first teachers, from the data's corpus with other options.

    They are named by their hashes, each with the step that imported its corpus. The model's own division is none of
    them: its test part is nobody's train part.
    """
    theirs = source.header.step("dataset") or {}
    return {
        digest: ours
        for digest, ours in _taught_by(model).items()
        if digest != source.digest and _is_divided_otherwise(ours, theirs)
    }


def count(taught: Iterable[str], source: pipes.Input, rows: NDArray[np.int64]) -> int | None:
    """Return how many rows of the data are in a train or validation part of these features.

    None where that can't be told, as not all of them are at hand.
    """
    found = [pipes.at_hand(digest) for digest in taught]
    learned = {name for own in found if own for name in _ids(own, "train", "validation")}
    with hdf5.open_data(source.path, source.source) as data:
        known = sum(data.id[row] in learned for row in rows)
    return known if known or all(found) else None


def differences(ours: Step, theirs: Step) -> str:
    """Return which options of two `emo dataset` differ, as `seed 0 there and 1 here`."""
    ours, theirs = _division(ours), _division(theirs)
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

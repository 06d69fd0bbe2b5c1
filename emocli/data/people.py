"""Whom a model learned from, subjects or speakers by corpus as its header records them, and whom of them a part has.

A name means the same person within a published corpus, whichever copy, part or classes of it are read; recordings of
one's own are known by their content, as "speaker 1" is somebody else in every folder.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.artifact import Header
from emocli.data.hdf5 import Data

_OWN = ("audio-folder", "clips", "folder")
_DRAWN = "synthetic"
"""Other people with every seed."""


def learned(data: Data, others: Iterable[Header], left_out: NDArray[np.int64] | None = None) -> dict[str, list[str]]:
    """Return who a net learns from, or is chosen by, by corpus; empty where nobody is named.

    They are those in the train part of `data`, less rows `left_out`, and in the validation part, and whom the `others`
    have learned from that it begins as or listens to.
    """
    rows = np.concatenate([data.rows("train", left_out), data.rows("validation")])
    names = {data.group[row] for row in rows} - {""}
    found = {_corpus(data.header): names} if names else {}
    for corpus, people in of(*others).items():
        found.setdefault(corpus, set()).update(people)
    return {corpus: sorted(people) for corpus, people in found.items()}


def shared(data: Data, left_out: NDArray[np.int64] | None = None) -> dict[str, dict[str, int]]:
    """Return `shared_groups` of a record: who of the validation part is in the train part too, less rows `left_out`.

    It has how many `groups` that are and how many `rows` of the validation part are theirs; without any, there is none.
    """
    heard = {data.group[row] for row in data.rows("train", left_out)} - {""}
    return among([data.group[row] for row in data.rows("validation")], heard)


def heard(model: Header, data: Data) -> int:
    """Return how many people of the validation part of `data` a model learned from.

    Who is there to choose an epoch of its own counts where the train part, as it was learned from, has them too.
    """
    if data.digest != model.features_digest:
        return len(met(model, data, "validation", {data.group[row] for row in data.rows("validation")}))
    dropped = (model.step("train", "distill") or {}).get("options", {}).get("drop_leaks")
    return 0 if dropped else shared(data).get("shared_groups", {}).get("groups", 0)


def among(groups: Sequence[str], known: Collection[str]) -> dict[str, dict[str, int]]:
    """Return `shared_groups` of a record whose rows are of these `groups`, some of whom are `known`; else nothing."""
    met = [group for group in groups if group in known]
    return {"shared_groups": {"groups": len(set(met)), "rows": len(met)}} if met else {}


def of(*models: Header) -> dict[str, set[str]]:
    """Return who some models, their teachers and what they began as have learned from, by corpus."""
    found: dict[str, set[str]] = {}
    for step in (step for model in models for step in model.steps):
        for corpus, names in step.get("people", {}).items():
            found.setdefault(corpus, set()).update(names)
    return found


def met(model: Header, data: Data, split: str, names: Iterable[str]) -> frozenset[str]:
    """Return who of those that are named in a part of `data` the model has learned from.

    A header of an older emo, which says nothing, is taken for one of the train part where the data are the model's own.
    """
    corpus = _corpus(data.header)
    people = of(model)
    if corpus in people:
        known = people[corpus]
    elif not people and corpus == _corpus(model) and _content(data.header) == _content(model):
        known = {data.group[row] for row in data.rows("train")} if split in ("validation", "test") else set()
    else:
        known = set()
    return frozenset(set(names) & known - {""})


def _corpus(header: Header) -> str:
    step = header.step("dataset") or {}
    name = str(step.get("name", ""))
    if name == _DRAWN:
        return f"{name} {step.get('params', {}).get('seed', 0)}"
    return f"{name} {_content(header)}" if name in _OWN else name


def _content(header: Header) -> str:
    return str((header.step("dataset") or {}).get("input", ""))

"""Scores as after an enrolment: of each person some samples are heard first, and are not scored."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.scores import personal
from emocli.scores.evaluation import Answers
from emocli.scores.label_map import LabelMap

Enrolment = Mapping[str, int]
"""How many samples of which emotion are heard of each person."""
EACH = "each"
"""Stands for every label that the data have and the model has learned."""
_ALONE = (EACH, personal.ANY)
_ENTRY = re.compile(r"(.+)=([1-9][0-9]{0,3})", re.DOTALL)


def parse(entries: Sequence[str]) -> dict[str, int]:
    """Return what LABEL=N … ask for; raises EmoError for anything else."""
    found: dict[str, int] = {}
    for entry in entries:
        asked = _ENTRY.fullmatch(entry)
        if not asked:
            raise EmoError(f"--enrol {entry}: say how many samples of which emotion each person gives: neutral=2")
        label, count = asked.groups()
        if label in found or (found and {label, *found}.intersection(_ALONE)):
            raise EmoError(
                f"--enrol {entry}: {label} is asked for twice; give each emotion once, or {' or '.join(_ALONE)} alone"
            )
        found[label] = int(count)
    return found


def counts(wanted: Enrolment, known: LabelMap, usually: NDArray[np.float64]) -> dict[int, int]:
    """Return how many samples are heard by the place of their label among the model's, -1 for samples of any.

    Raises EmoError for a label that the data lack, or the model has not learned: it can't say what is usual for it.
    """
    if personal.ANY in wanted and personal.ANY not in known.model:
        return {-1: wanted[personal.ANY]}
    learned = [label for label in known.shared if not np.isnan(usually[known.model.index(label)]).any()]
    each = dict.fromkeys(learned, wanted[EACH]) if EACH in wanted and EACH not in known.model else wanted
    for label in each:
        if label not in learned:
            raise EmoError(f"--enrol {label}: the model and the data share no such label, but {', '.join(learned)}")
    return {known.model.index(label): count for label, count in each.items()}


def enrolled(
    found: Answers, wanted: Mapping[int, int], usually: NDArray[np.float64]
) -> tuple[Answers, NDArray[np.float32], list[str]]:
    """Return the answers that are left to score, made personal; the same as they were; who could not be enrolled.

    The first samples of each emotion are heard, those of any are drawn. Somebody who has too few, or no others, is
    scored as anybody.
    Raises EmoError where that is so of all.
    """
    groups, logits = np.array(found.groups), found.logits.astype(np.float64)
    left, without = np.ones(len(groups), bool), []
    for name in sorted(set(found.groups)):
        own = groups == name
        heard = [place for label, count in wanted.items() for place in _heard(own, found.y, label, count)]
        if not name or len(heard) < sum(wanted.values()) or len(heard) == (own & (found.y >= 0)).sum():
            without.append(name or "(unnamed)")
            continue
        left[heard] = False
        known = np.full(len(heard), -1) if -1 in wanted else found.y[heard]
        logits[own] += personal.offset(found.logits[heard], known, usually)
    if left.all():
        raise EmoError("nobody in the part is named and has samples enough for --enrol; ask for fewer, or leave it out")
    kept = np.flatnonzero(left)
    scored = replace(
        found,
        logits=logits[kept].astype(np.float32),
        y=found.y[kept],
        groups=[found.groups[place] for place in kept],
        rows=found.rows[kept],
    )
    return scored, found.logits[kept], without


def _heard(own: NDArray[np.bool_], y: NDArray[np.int64], label: int, count: int) -> list[int]:
    """Return the rows of a person that are heard of a label; of any, -1, those of a draw, as files lie by emotion."""
    rows = np.flatnonzero(own & (y == label if label >= 0 else y >= 0))
    heard: list[int] = (rows if label >= 0 else np.random.default_rng(0).permutation(rows))[:count].tolist()
    return heard

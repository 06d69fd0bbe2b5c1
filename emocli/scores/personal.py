"""One person against all: what a model says more of somebody than of others, whatever they feel.

A face at rest that looks sad, a voice that always sounds tense: much of what a model gets wrong about somebody it has
never met is the same in all of their samples. It shows in a few whose emotion is known, as neutral references do in
Busso, Metallinou and Narayanan, "Iterative feature normalization for emotional speech detection" (ICASSP 2011), and in
more whose emotion is not known; here it is taken from the logits, so that nothing is learned and any engine runs what
comes out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.artifact import Header, Step
from emocli.errors import EmoError

USUAL = "class_logits"
"""The field of a step that tells what a model says of each class on average: a row of logits, or None."""
ANY = "any"
"""Stands for samples of unknown emotion, where a model has no such label; their place among the labels is -1."""
_DIGITS = 3
_HALF_OF_ANY = 2
"""Samples of unknown emotion of which half is taken to be the person, half what they happened to feel."""


def name_of(place: int, labels: Sequence[str]) -> str:
    """Return the label at a place among a model's, any for -1."""
    return labels[place] if place >= 0 else ANY


def usual(model: Header, source: str) -> NDArray[np.float64]:
    """Return (classes, classes): the mean logits of the train rows of each class, NaN for a class without any.

    Raises EmoError, naming `source`, where the header does not tell them, or of no class.
    """
    told = _told(model)
    if told is None:
        raise EmoError(
            f"{source} does not tell what it usually says of each class; models that emo trains now do: train it again"
        )
    rows = _read(told, len(model.labels), source)
    if np.isnan(rows).all():
        raise EmoError(
            f"{source} learned without labels, so what it usually says of each class is not known; take another"
        )
    return rows


def _read(told: list[Any], count: int, source: str) -> NDArray[np.float64]:
    try:
        rows = np.array([[np.nan] * count if row is None else row for row in told], np.float64)
    except (TypeError, ValueError) as fault:
        raise _damaged(source) from fault
    if rows.shape != (count, count) or np.isinf(rows).any():
        raise _damaged(source)
    return rows


def offset(logits: NDArray[Any], y: NDArray[np.int64], usually: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (classes,) what to add to the logits of somebody, by (n, classes) logits of samples of known class.

    That is the mean difference from what is usual for their class, each class counting once. The logit of a class is
    compared in samples of others only: of somebody new a model is always less sure than of those it learned from. The
    weight is c / (c + 1) for samples of c classes: a difference in one emotion is half of the person, half of how that
    person shows it. Samples of unknown emotion, all -1, are compared with the mean of all classes, n / (n + 2) of it.
    """
    if (y < 0).all():
        difference = np.mean(logits, axis=0) - np.nanmean(usually, axis=0)
        taken: NDArray[np.float64] = (difference.mean() - difference) * len(logits) / (len(logits) + _HALF_OF_ANY)
        return taken
    heard = np.unique(y)
    differences = np.zeros((len(heard), len(usually)))
    for row, label in zip(differences, heard, strict=True):
        row += np.mean(logits[y == label], axis=0) - usually[label]
        # what all classes have in common changes no probability
        row -= row.mean()
        row[label] = 0
    others = len(heard) - np.isin(np.arange(len(usually)), heard)
    found: NDArray[np.float64] = -differences.sum(axis=0) / np.maximum(others, 1) * len(heard) / (len(heard) + 1)
    return found


def told(usually: NDArray[np.float64]) -> Step:
    """Return the field of a step that `usual` reads: NaN for a class without rows."""
    return {
        USUAL: [None if np.isnan(row).any() else [round(value, _DIGITS) for value in row.tolist()] for row in usually]
    }


def scaled(model: Header, by: float, source: str) -> Step:
    """Return the field of a step that divides the logits by a number; empty where nothing is told of them."""
    before = _told(model)
    return {} if before is None else told(_read(before, len(model.labels), source) / by)


def _told(model: Header) -> list[Any] | None:
    return next((step[USUAL] for step in reversed(model.steps) if USUAL in step), None)


def _damaged(source: str) -> EmoError:
    return EmoError(f"{source} tells of its classes what is no mean of logits; make it again")

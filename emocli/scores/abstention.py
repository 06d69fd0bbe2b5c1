"""What a model is worth that may stay silent: accuracy over the share of answers given, the surest first."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.scores import bootstrap
from emocli.scores.bootstrap import Figure, Floats
from emocli.scores.metrics import labelled, softmax

PERCENTS = tuple(range(100, 0, -10))


def risk_coverage(logits: NDArray[Any], y: NDArray[Any], *, samples: int = 1000) -> dict[str, Any]:
    """Return the risk-coverage curve of logits (n, k) and labels y (n,), as a dict that is ready for JSON.

    Confidence is the largest softmax. `curve` has, for coverages from 1 down to 0.1, the accuracy of that share of the
    rows as {"value", "low", "high", "n"} with "coverage" and the "threshold" of confidence that gives it; n counts the
    answered rows. `aurc` is the area under the curve of errors, the mean over all coverages 1/n … 1 (Geifman, Uziel and
    El-Yaniv, ICLR 2019, arXiv 1805.08206): 0 is perfect. Rows of one confidence count as if in random order.
    """
    logits, y = labelled(logits, y, logits.shape[-1])
    shares = softmax(logits.astype(np.float64))
    confidence = shares.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = (shares.argmax(axis=1) == y)[order].astype(np.float64)
    # rows of the same confidence are one step of the curve
    steps = np.flatnonzero(np.concatenate([[True], np.diff(confidence[order]) < 0]))
    answered = {percent: max(1, -(-percent * len(y) // 100)) for percent in PERCENTS}
    figures: dict[str, Figure] = {str(percent): _accuracy_of(order, right, steps, n) for percent, n in answered.items()}
    found = bootstrap.intervals({"aurc": _aurc(order, right, steps), **figures}, len(y), samples=samples)
    curve = [
        {"coverage": percent / 100, "threshold": float(confidence[order[n - 1]]), **(found[str(percent)] or {}), "n": n}
        for percent, n in answered.items()
    ]
    return {"aurc": found["aurc"], "curve": curve}


def _totals(
    weights: Floats, order: NDArray[np.int64], right: Floats, steps: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Return how many rows, and how many right ones, each step of the curve adds; (draws, steps) both."""
    mine = weights[:, order]
    return np.add.reduceat(mine, steps, axis=1), np.add.reduceat(mine * right, steps, axis=1)


def _accuracy_of(order: NDArray[np.int64], right: Floats, steps: NDArray[np.int64], n: int) -> Figure:
    """Return the accuracy of the n surest rows."""

    def figure(weights: Floats) -> Floats:
        rows, hits = _totals(weights, order, right, steps)
        before = np.cumsum(rows, axis=1) - rows
        # of the step that n falls into only a part is answered
        share = np.clip((n - before) / np.maximum(rows, 1), 0, 1)
        accuracies: Floats = (hits * share).sum(axis=1) / n
        return accuracies

    return figure


def _aurc(order: NDArray[np.int64], right: Floats, steps: NDArray[np.int64]) -> Figure:
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, len(order) + 1))])

    def figure(weights: Floats) -> Floats:
        rows, hits = _totals(weights, order, right, steps)
        upto, found = np.cumsum(rows, axis=1), np.cumsum(hits, axis=1)
        before, rate = upto - rows, hits / np.maximum(rows, 1)
        # within a step of m rows at rate r, the j-th has an accuracy of (found + r j) / (before + j) behind it
        spans = harmonic[upto.astype(np.int64)] - harmonic[before.astype(np.int64)]
        accuracies = rate * rows + (found - hits - rate * before) * spans
        areas: Floats = 1 - accuracies.sum(axis=1) / len(order)
        return areas

    return figure

"""Figures of merit with a 95 % bootstrap interval each: accuracy, macro-F1, UAR, ROC-AUC, ECE."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.scores import bootstrap, share_interval
from emocli.scores.bootstrap import Figure, Floats

FIGURES = ("accuracy", "macro_f1", "uar", "roc_auc", "ece")
_BINS = 15
_DRIFT = "drift of the bins"


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Return probabilities over the last axis, of the logits' type; large logits do not overflow.

    Raises EmoError for logits that are not numbers, which a model with damaged weights gives.
    """
    if not np.isfinite(logits).all():
        raise EmoError("the model gives NaN or infinite logits; train it again")
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: NDArray[Any] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def evaluate(
    logits: NDArray[Any], y: NDArray[Any], labels: Sequence[str], *, samples: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Return the figures for logits (n, k) and labels y (n,), as a dict that is ready for JSON.

    accuracy, macro_f1, uar (unweighted average recall), roc_auc (one class against the rest, averaged over classes)
    and ece (expected calibration error of the largest softmax in 15 bins, Guo et al. 2017, arXiv 1706.04599) are
    {"value", "low", "high", "n"} from 0 to 1; the interval is the 2.5 to 97.5 percentile over `samples` bootstrap
    draws, that of ece begins further below (`_lowered`). Averages are over the classes that occur in y (for a draw, in
    the draw); `absent` names the others. roc_auc is None when y has one class only. `per_class` has by label
    precision and recall with Wilson's interval, f1 and n; `confusion` is (k, k), the true class down.
    Raises EmoError when no row has a label; rows with a negative label are left out.
    """
    logits, y = labelled(logits, y, len(labels))
    shares = softmax(logits.astype(np.float64))
    guess = shares.argmax(axis=1)
    figures = _of_guesses(y, guess, len(labels)) | {"roc_auc": _roc_auc(shares, y)} | _ece(shares, y)
    results: dict[str, Any] = _lowered(bootstrap.intervals(figures, len(y), samples=samples, seed=seed))
    counts = _confusion(y, guess, len(labels))
    results["per_class"] = _per_class(counts, labels)
    results["confusion"] = counts.tolist()
    results["absent"] = [label for label, row in zip(labels, counts, strict=True) if not row.any()]
    return results


def of_confusion(confusion: NDArray[np.int64], labels: Sequence[str], *, samples: int = 1000) -> dict[str, Any]:
    """Return accuracy, macro_f1, uar, per_class and confusion as `evaluate` does, from (k, k) counts, true down."""
    cells = np.repeat(np.arange(confusion.size), confusion.ravel())
    y, guess = np.divmod(cells, len(labels))
    figures = _of_guesses(y, guess, len(labels))
    results: dict[str, Any] = dict(bootstrap.intervals(figures, len(y), samples=samples))
    return {**results, "per_class": _per_class(confusion, labels), "confusion": confusion.tolist()}


def of_answers(logits: NDArray[Any], y: NDArray[Any], labels: Sequence[str], *, samples: int = 1000) -> dict[str, Any]:
    """Return accuracy, macro_f1 and uar as `evaluate` does, from the same draws, in a fraction of the time."""
    logits, y = labelled(logits, y, len(labels))
    guess = softmax(logits.astype(np.float64)).argmax(axis=1)
    return dict(bootstrap.intervals(_of_guesses(y, guess, len(labels)), len(y), samples=samples))


def confusion(logits: NDArray[Any], y: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Return (k, k) counts as `evaluate` does, the true class down; rows with a negative label are left out."""
    logits, y = labelled(logits, y, classes)
    return _confusion(y, logits.argmax(axis=1), classes)


def _confusion(y: NDArray[Any], guess: NDArray[Any], classes: int) -> NDArray[np.int64]:
    return np.bincount(y * classes + guess, minlength=classes**2).reshape(classes, -1)


def calibration_error(logits: NDArray[Any], y: NDArray[Any], *, samples: int = 1000) -> dict[str, Any]:
    """Return the ECE of logits (n, k) and labels y (n,) alone, as in `evaluate` and from the same draws."""
    logits, y = labelled(logits, y, logits.shape[-1])
    figures = _ece(softmax(logits.astype(np.float64)), y)
    found: dict[str, Any] = _lowered(bootstrap.intervals(figures, len(y), samples=samples))["ece"]
    return found


def labelled(logits: NDArray[Any], y: NDArray[Any], classes: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the rows that have a label; raises EmoError for no such row and for logits that aren't (n, classes)."""
    if logits.ndim != 2 or logits.shape != (len(y), classes):
        raise EmoError(
            f"logits {logits.shape} do not match {len(y)} rows of {classes} classes; the model and the data "
            "have different labels"
        )
    kept = y >= 0
    if not kept.any():
        raise EmoError("there are no labelled rows in this part to score; choose another part, or data with labels")
    if y.max() >= classes:
        raise EmoError(f"label {y.max()} is beyond the {classes} classes of the model; use data with its labels")
    return logits[kept], y[kept].astype(np.int64)


def _of_guesses(y: NDArray[np.int64], guess: NDArray[np.int64], classes: int) -> dict[str, Figure]:
    """Return the figures for which it is enough to know what was guessed.

    How often each class is true, guessed, and both in a draw, (draws, classes) each, is all that they need: confusion
    matrices of the draws would say no more, and take its square.
    """
    true, guessed = (np.eye(classes)[each] for each in (y, guess))
    hits = true * guessed
    return {
        "accuracy": _accuracy(y, guess),
        "macro_f1": lambda weights: _macro_f1(weights @ true, weights @ guessed, weights @ hits),
        "uar": lambda weights: _mean_recall(weights @ true, weights @ hits),
    }


def _accuracy(y: NDArray[np.int64], guess: NDArray[np.int64]) -> Figure:
    correct = (y == guess).astype(np.float64)

    def figure(weights: Floats) -> Floats:
        shares: Floats = weights @ correct / len(y)
        return shares

    return figure


def _mean_recall(true: Floats, hits: Floats) -> Floats:
    mean: Floats = np.nanmean(hits / np.where(true > 0, true, np.nan), axis=1)
    return mean


def _macro_f1(true: Floats, guessed: Floats, hits: Floats) -> Floats:
    # 2 tp / (2 tp + fp + fn), over the classes that occur
    mean: Floats = np.nanmean(2 * hits / np.where(true > 0, true + guessed, np.nan), axis=1)
    return mean


def _ece(shares: Floats, y: NDArray[np.int64]) -> dict[str, Figure]:
    """Return the ECE, and how far the bins of a draw are from those of all rows together."""
    confidence = shares.max(axis=1)
    gap = (shares.argmax(axis=1) == y) - confidence
    places = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    bins = np.zeros((len(y), _BINS))
    bins[np.arange(len(y)), places] = gap / len(y)
    whole = bins.sum(axis=0)
    return {
        "ece": lambda weights: np.abs(weights @ bins).sum(axis=1),
        _DRIFT: lambda weights: np.abs(weights @ bins - whole).sum(axis=1),
    }


def _lowered(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures with an interval of the ECE that holds what endless rows would show.

    Chance alone opens a gap in every bin, in each draw once more, so the percentiles of the draws lie above the ECE of
    endless rows wherever that is small. It is no further below the one found than the bins of a draw are from those of
    all rows together, which begins the interval.
    """
    figures = dict(found)
    drift = figures.pop(_DRIFT)["high"]
    return figures | {"ece": figures["ece"] | {"low": max(0.0, figures["ece"]["value"] - drift)}}


def _roc_auc(shares: Floats, y: NDArray[np.int64]) -> Figure:
    """Return macro ROC-AUC: the chance that a row of the class scores above one of the rest, a tie counting half."""
    curves = [_one_against_rest(shares[:, label], y == label) for label in np.unique(y)]

    def figure(weights: Floats) -> Floats:
        areas = np.stack([curve(weights) for curve in curves])
        defined = ~np.isnan(areas)
        total: Floats = np.where(defined, areas, 0).sum(axis=0)
        return _ratio(total, defined.sum(axis=0))

    return figure


def _one_against_rest(scores: Floats, positive: NDArray[np.bool_]) -> Figure:
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(scores[order]) > 0]))
    of_class = positive[order]

    def figure(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        mine = np.add.reduceat(sorted_weights * of_class, starts, axis=1)
        rest = np.add.reduceat(sorted_weights * ~of_class, starts, axis=1)
        wins = (mine * (np.cumsum(rest, axis=1) - rest / 2)).sum(axis=1)
        pairs = mine.sum(axis=1) * rest.sum(axis=1)
        return _ratio(wins, pairs)

    return figure


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return above / below, NaN where that is not defined."""
    quotient: Floats = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return quotient


def _per_class(confusion: NDArray[np.int64], labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return precision, recall, F1 and n of each class; 0 where nothing was guessed or nothing is there."""
    results: dict[str, dict[str, Any]] = {}
    for place, label in enumerate(labels):
        hits, true, guessed = map(int, (confusion[place, place], confusion[place].sum(), confusion[:, place].sum()))
        results[label] = {
            "precision": share_interval.of(hits, guessed),
            "recall": share_interval.of(hits, true),
            "f1": 2 * hits / max(true + guessed, 1),
            "n": true,
        }
    return results

"""What the models of a corpus's folds say together: every clip once, by a model that never heard its speaker."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import mean_interval, metrics
from emocli.scores.pairing import Pair

MEASURES = ("accuracy", "macro_f1", "uar")
CLIPS, FOLDS = "bootstrap over all rows of all folds", "Student's t over folds"


def check(couples: Sequence[Pair], split: str) -> None:
    """Raise EmoError unless these are folds: the same labels, parts that share no subject, no row scored twice.

    A fold's model must have been trained on the very data it is scored on, or who was heard would not be known.
    """
    if len(couples) < 2 or len({pair.labels.model for pair in couples}) > 1 or split != "test":
        raise EmoError("--folds takes the models of two folds or more, with the same labels, on their test parts")
    scored: dict[str, str] = {}
    for pair in couples:
        if pair.data.digest != pair.model.header.features_digest:
            raise EmoError(f"{pair.model.source} was not trained on {pair.data.source}; leave --data out for --folds")
        for name in _tested(pair):
            if name in scored:
                raise EmoError(f"{name} is in the test parts of {scored[name]} and {pair.model.source}: not two folds")
            scored[name] = pair.model.source


def _tested(pair: Pair) -> set[str]:
    """Return whom a test part is of, by name, or the ids of its rows where no subjects are named."""
    with hdf5.open_data(pair.data.path, pair.data.source) as data:
        rows = data.rows("test")
        parts = [{data.group[row] for row in data.rows(split)} - {""} for split in ("train", "validation", "test")]
        train, validation, test = parts
        if met := (test & (train | validation)) | (train & validation):
            raise EmoError(
                f"{', '.join(sorted(met)[:3])} of {pair.data.source} is in several parts: no fold of speakers"
            )
        unnamed = {data.id[row] or str(row) for row in rows if not data.group[row]}
        return test | unnamed


def together(found: Sequence[Mapping[str, Any]], *, samples: int = 1000) -> dict[str, Any]:
    """Return one record from those of the folds, as `scoring.record` gives them, that differ in speakers only.

    `accuracy`, `macro_f1` and `uar` are of all rows together with the bootstrap's interval over rows, `per_class` and
    `confusion` too; `mean` has the same figures as means of the folds with Student's interval over folds, in which
    speakers differ as well, and the folds' own `values`. `enrolment` has the same of `before` it, where there was one.
    """
    labels = list(found[0]["per_class"])
    whole = {
        "folds": len(found),
        "split": found[0]["split"],
        **_of_all(found, labels, samples),
        "interval": CLIPS,
        "mean_interval": FOLDS,
    }
    heard = [each["enrolment"] for each in found if "enrolment" in each]
    if heard:
        before = _of_all([each["before"] for each in heard], labels, samples)
        whole["enrolment"] = {**heard[0], "people": sum(each["people"] for each in heard), "before": before}
    return whole


def _of_all(found: Sequence[Mapping[str, Any]], labels: Sequence[str], samples: int) -> dict[str, Any]:
    """Return the figures of all rows together, and the means of the folds."""
    confusion = np.sum([each["confusion"] for each in found], axis=0)
    mean = {}
    for name in MEASURES:
        values = [each[name]["value"] for each in found]
        mean[name] = {**mean_interval.over_runs(values, bounds=(0.0, 1.0)), "values": values}
    return {**metrics.of_confusion(confusion, labels, samples=samples), "mean": mean}

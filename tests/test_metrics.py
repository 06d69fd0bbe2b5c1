"""Metrics: the same as scikit-learn's, with intervals that behave."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from emocli.errors import EmoError
from emocli.scores import metrics

LABELS = ("angry", "happy", "sad", "neutral")
FIGURES = ("accuracy", "macro_f1", "uar", "roc_auc", "ece")


def answers(n=400, seed=0, skill=1.0):
    random = np.random.default_rng(seed)
    y = random.integers(0, len(LABELS), n)
    logits = random.normal(size=(n, len(LABELS))).astype(np.float32)
    logits[np.arange(n), y] += skill
    return logits, y


def test_every_figure_is_scikit_learns():
    logits, y = answers()
    # two places only, so that scores tie
    logits = logits.round(1)
    found, guess = metrics.evaluate(logits, y, LABELS, samples=20), logits.argmax(axis=1)
    shares = metrics.softmax(logits.astype(np.float64))
    assert found["accuracy"]["value"] == pytest.approx(oracle.accuracy_score(y, guess))
    assert found["macro_f1"]["value"] == pytest.approx(oracle.f1_score(y, guess, average="macro"))
    assert found["uar"]["value"] == pytest.approx(oracle.balanced_accuracy_score(y, guess))
    assert found["roc_auc"]["value"] == pytest.approx(oracle.roc_auc_score(y, shares, multi_class="ovr"))
    assert found["confusion"] == oracle.confusion_matrix(y, guess).tolist()
    precision, recall, f1, n = oracle.precision_recall_fscore_support(y, guess)
    for place, label in enumerate(LABELS):
        row = found["per_class"][label]
        shares = (row["precision"]["value"], row["recall"]["value"], row["f1"])
        assert shares == pytest.approx((precision[place], recall[place], f1[place]))
        assert (
            row["n"] == row["recall"]["n"] == n[place] and row["recall"]["low"] < recall[place] < row["recall"]["high"]
        )


def test_of_a_class_that_is_not_there_nothing_is_known():
    found = metrics.evaluate(np.eye(3)[[0, 1, 0]], np.array([0, 1, 1]), ("a", "b", "c"), samples=10)
    assert found["per_class"]["c"]["recall"] == {"value": 0.0, "low": 0.0, "high": 1.0, "n": 0}


def test_ece_is_the_gap_between_confidence_and_accuracy():
    # three of four right at a confidence of one half: all in one bin
    logits = np.log(np.array([[0.5, 0.25, 0.25]] * 4))
    found = metrics.evaluate(logits, np.array([0, 0, 0, 1]), ("a", "b", "c"), samples=10)
    assert found["ece"]["value"] == pytest.approx(0.75 - 0.5)


def test_ece_adds_up_the_gaps_of_fifteen_bins():
    logits, y = answers(skill=2.0)
    shares = metrics.softmax(logits.astype(np.float64))
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == y
    bins = np.digitize(sure, np.arange(1, 15) / 15, right=True)
    gaps = [abs(right[bins == each].mean() - sure[bins == each].mean()) * (bins == each).mean() for each in set(bins)]
    assert len(gaps) > 9
    assert metrics.calibration_error(logits, y, samples=10)["value"] == pytest.approx(sum(gaps))


@pytest.mark.parametrize(("sharpness", "true"), [(1.0, 0.0), (1.3, 0.076)])
def test_the_interval_of_ece_holds_that_of_endless_rows(sharpness, true):
    # percentiles of the draws alone hold it in none of the runs where nothing is wrong, and in half of the others
    held = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        logits = rng.normal(0, 2, (300, 7))
        y = (metrics.softmax(logits).cumsum(axis=1) > rng.random((300, 1))).argmax(axis=1)
        found = metrics.calibration_error(sharpness * logits, y, samples=200)
        held += found["low"] <= true <= found["high"]
    assert held >= 35


@pytest.mark.parametrize("name", FIGURES)
def test_the_interval_holds_the_value_and_narrows_with_n(name):
    few = metrics.evaluate(*answers(100), LABELS, samples=300)[name]
    many = metrics.evaluate(*answers(3000), LABELS, samples=300)[name]
    for figure in (few, many):
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert many["high"] - many["low"] < few["high"] - few["low"]
    assert (few["n"], many["n"]) == (100, 3000)


def test_the_interval_of_accuracy_is_the_binomial_one():
    logits, y = answers(2000)
    found = metrics.evaluate(logits, y, LABELS, samples=1000)["accuracy"]
    spread = 1.96 * np.sqrt(found["value"] * (1 - found["value"]) / 2000)
    assert found["high"] - found["low"] == pytest.approx(2 * spread, rel=0.15)


def test_the_same_seed_gives_the_same_interval():
    one, two, other = (metrics.evaluate(*answers(), LABELS, samples=50, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one["accuracy"]["low"] != other["accuracy"]["low"]


def test_averages_leave_out_classes_that_do_not_occur_and_name_them():
    logits, y = answers()
    kept = y != 2
    found = metrics.evaluate(logits[kept], y[kept], LABELS, samples=20)
    recall = oracle.recall_score(y[kept], logits[kept].argmax(axis=1), labels=[0, 1, 3], average="macro")
    assert found["absent"] == ["sad"]
    assert found["uar"]["value"] == pytest.approx(recall)


def test_one_class_alone_has_no_roc_auc():
    found = metrics.evaluate(*(part[:5] for part in (answers()[0], np.zeros(5, int))), LABELS, samples=10)
    assert found["roc_auc"] is None
    assert found["absent"] == ["happy", "sad", "neutral"]


def test_rows_without_a_label_are_left_out():
    logits, y = answers()
    padded = metrics.evaluate(np.vstack([logits, logits[:7]]), np.append(y, [-1] * 7), LABELS, samples=10)
    assert padded == metrics.evaluate(logits, y, LABELS, samples=10)


@pytest.mark.parametrize(
    ("rows", "y", "says"),
    [
        (0, [], "no labelled rows"),
        (2, [-1, -1], "no labelled rows"),
        (3, [0, 1], "do not match"),
        (2, [0, 4], "beyond the 4 classes"),
    ],
)
def test_what_cannot_be_scored_is_an_error_for_the_user(rows, y, says):
    with pytest.raises(EmoError, match=says):
        metrics.evaluate(np.zeros((rows, 4)), np.array(y, dtype=np.int64), LABELS)


def test_softmax_does_not_overflow():
    shares = metrics.softmax(np.array([[1e4, 0.0, -1e4]], dtype=np.float32))
    assert shares.tolist() == [[1, 0, 0]]
    assert shares.dtype == np.float32

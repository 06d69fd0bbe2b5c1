"""What a score can say beside its figures: calibration, abstention, groups."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from scored import N, said, score, write_data
from small_model import write_model

from emocli import labels
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.scores import abstention, calibration, group_gaps, metrics, plotting


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx", varied=True)


def sampled(n: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and labels drawn with the probabilities that they give at a temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, (n, 5))
    noise = random.gumbel(size=logits.shape)
    return logits, (logits / temperature + noise).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_fitted_temperature_is_the_one_the_labels_were_drawn_with(temperature: float) -> None:
    logits, y = sampled(20_000, temperature)
    fitted = calibration.fit_temperature(logits, y)
    assert fitted == pytest.approx(temperature, rel=0.05)
    before, after = (metrics.calibration_error(logits / t, y, samples=20)["value"] for t in (1, fitted))
    assert after < 0.02 and (temperature == 1 or after < before)


def test_no_temperature_is_better_than_the_fitted_one() -> None:
    logits, y = sampled(300, 2.0)
    fitted = calibration.fit_temperature(logits, y)

    def loss(temperature: float) -> float:
        return float(-np.log(metrics.softmax(logits / temperature)[np.arange(300), y]).mean())

    assert all(loss(fitted) < loss(fitted * factor) for factor in (0.9, 0.99, 1.01, 1.1))


def test_a_temperature_is_fitted_on_validation_and_judged_on_the_scored_part(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", labels.SEVEN)
    plain, found = score(model, data), score(model, data, temperature="fit")
    logits, rows = said(model, "validation")
    value = calibration.fit_temperature(logits, rows % 7)
    assert found["temperature"] | {"value": 0} == {
        "value": 0,
        "fitted_on": "validation",
        "n": 30,
        "ece_before": plain["ece"],
        "ece_after": found["ece"],
    }
    assert found["temperature"]["value"] == pytest.approx(value)
    assert found["accuracy"] == plain["accuracy"]
    given = score(model, data, temperature=str(found["temperature"]["value"]))
    assert given["ece"] == found["ece"] and "fitted_on" not in given["temperature"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"temperature": "fit", "split": "validation"}, "would score the same rows"),
        ({"temperature": "fit", "split": "all"}, "would score the same rows"),
        ({"temperature": "warm"}, "neither fit nor a number"),
        ({"temperature": "0"}, "neither fit nor a number"),
        ({"temperature": "nan"}, "neither fit nor a number"),
        ({"metric": "speed"}, "choose accuracy, macro_f1"),
        ({"least": 0}, "at least one row"),
    ],
)
def test_options_that_can_t_be_met_are_one_line(
    model: Path, tmp_path: Path, options: dict[str, object], says: str
) -> None:
    with pytest.raises(EmoError, match=says):
        score(model, write_data(tmp_path / "x.h5", labels.SEVEN), **options)


def test_rows_that_are_all_right_fit_no_temperature() -> None:
    with pytest.raises(EmoError, match="no temperature fits the 4"):
        calibration.fit_temperature(np.eye(4), np.arange(4))


def test_data_without_a_validation_part_fit_no_temperature(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", labels.SEVEN, n=1)
    with pytest.raises(EmoError, match="no test part"):
        score(model, data, temperature="fit")
    writer = Writer(tmp_path / "t.h5", count=9)
    writer.append(np.zeros((9, 1, 48, 48), np.uint8))
    header = Header("features", labels.SEVEN, ({"command": "dataset", "name": "folder"},))
    writer.finish(header, np.arange(9) % 7, "label", np.array(["test"] * 9))
    with pytest.raises(EmoError, match=r"no validation part .it has test.; a number needs no such part"):
        score(model, tmp_path / "t.h5", temperature="fit")


def test_the_curve_is_the_accuracy_of_the_surest_rows() -> None:
    logits, y = sampled(400, 1.0)
    found = abstention.risk_coverage(logits, y, samples=200)
    order = np.argsort(-metrics.softmax(logits).max(axis=1))
    right = (logits.argmax(axis=1) == y)[order]
    assert [point["coverage"] for point in found["curve"]] == [p / 100 for p in range(100, 0, -10)]
    for point in found["curve"]:
        assert point["n"] == round(400 * point["coverage"])
        assert point["value"] == pytest.approx(right[: point["n"]].mean())
        assert point["low"] <= point["value"] <= point["high"]
    risks = 1 - np.cumsum(right) / np.arange(1, 401)
    assert found["aurc"]["value"] == pytest.approx(risks.mean())
    assert found["aurc"]["low"] < found["aurc"]["value"] < found["aurc"]["high"]
    whole = metrics.evaluate(logits, y, tuple("abcde"), samples=200)["accuracy"]
    assert {key: found["curve"][0][key] for key in whole} == pytest.approx(whole)


def test_rows_of_one_confidence_count_as_in_random_order() -> None:
    random = np.random.default_rng(0)
    logits = np.log(np.array([[0.6, 0.4], [0.8, 0.2]]))[random.integers(0, 2, 60)]
    y = random.integers(0, 2, 60)
    found = abstention.risk_coverage(logits, y, samples=5)
    shuffled = []
    for _ in range(4000):
        order = random.permutation(60)
        order = order[np.argsort(-logits[order, 0], kind="stable")]
        shuffled.append(np.cumsum(y[order] == 0) / np.arange(1, 61))
    mean = np.mean(shuffled, axis=0)
    assert found["aurc"]["value"] == pytest.approx(1 - mean.mean(), abs=0.003)
    assert [point["value"] for point in found["curve"]] == pytest.approx(
        [mean[point["n"] - 1] for point in found["curve"]], abs=0.01
    )
    backwards = abstention.risk_coverage(logits[::-1], y[::-1], samples=5)
    assert backwards["aurc"]["value"] == pytest.approx(found["aurc"]["value"])


def test_silence_pays_where_confidence_tells_right_from_wrong() -> None:
    logits, y = np.repeat([[9.0, 0], [1.0, 0]], 50, axis=0), np.repeat([0, 1], 50)
    curve = abstention.risk_coverage(logits, y, samples=5)["curve"]
    assert [point["value"] for point in curve[5:]] == pytest.approx([1.0] * 5)
    assert curve[0]["value"] == pytest.approx(0.5)
    assert abstention.risk_coverage(logits[:50], y[:50], samples=5)["aurc"]["value"] == pytest.approx(0)


def test_a_single_row_has_a_curve() -> None:
    found = abstention.risk_coverage(np.array([[1.0, 0]]), np.array([0]), samples=5)
    assert {point["value"] for point in found["curve"]} == {1.0}


def test_the_curve_becomes_a_picture(model: Path, tmp_path: Path, emo: Run) -> None:
    data = write_data(tmp_path / "x.h5", labels.SEVEN)
    done = emo("eval", model, "--data", data, "--plot-abstain", tmp_path / "curve.png", "--samples", 20)
    record = json.loads(done.stdout)
    assert len(record["abstention"]["curve"]) == 10
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    plotting.risk_coverage(record["abstention"]["curve"][-1:], "one point", tmp_path / "one.png")
    table = emo("eval", model, "--data", data, "--abstain", "--table", "--samples", 20).stdout.decode()
    assert "answered" in table and "abstention.aurc" in table


def test_groups_are_compared_and_small_ones_only_counted() -> None:
    groups = ["a"] * 20 + ["b"] * 20 + ["c"] * 3 + [""] * 2
    right = np.array([True] * 20 + [False] * 15 + [True] * 5 + [False] * 3 + [True] * 2)
    found = group_gaps.by_group(right, groups, least=20)
    assert found
    assert {name: (row["value"], row["n"]) for name, row in found["accuracy"].items()} == {
        "a": (1.0, 20),
        "b": (0.25, 20),
        "c": (0.0, 3),
    }
    assert (found["gap"]["best"], found["gap"]["worst"], found["gap"]["value"]) == ("a", "b", 0.75)
    assert found["gap"]["value"] > found["gap"]["by_chance"][1]
    assert (found["small"], found["unnamed"]) == ({"groups": 1, "rows": 3}, 2)
    # Wilson's interval of 20 right of 20
    assert found["accuracy"]["a"]["low"] == pytest.approx(0.8389, abs=1e-4)
    assert found["accuracy"]["a"]["high"] == 1


def test_a_gap_among_equals_is_within_chance() -> None:
    random = np.random.default_rng(0)
    found = group_gaps.by_group(random.random(2000) < 0.7, [f"s{row % 50}" for row in range(2000)])
    assert found
    low, high = found["gap"]["by_chance"]
    assert low <= found["gap"]["value"] <= high and found["gap"]["groups"] == 50


def test_one_group_has_no_gap_and_no_group_is_nothing() -> None:
    found = group_gaps.by_group(np.ones(30, bool), ["a"] * 25 + ["b"] * 5)
    assert found and found["gap"] is None
    assert group_gaps.by_group(np.ones(3, bool), ["", "", ""]) is None


def test_groups_are_what_the_corpus_tells_of_a_row(model: Path, tmp_path: Path) -> None:
    about = {"sex": ["female" if row % 2 else "male" for row in range(N)]}
    data = write_data(tmp_path / "x.h5", labels.SEVEN, about=about)
    found = score(model, data, group_by="sex")["groups"]
    logits, rows = said(model)
    right = logits.argmax(axis=1) == rows % 7
    assert found["by"] == "sex"
    assert {name: row["value"] for name, row in found["accuracy"].items()} == {
        "female": pytest.approx(right[rows % 2 == 1].mean()), "male": pytest.approx(right[rows % 2 == 0].mean()),
    }  # fmt: skip
    with pytest.raises(EmoError, match=r"does not tell --group-by age; it tells sex, or subjects without it"):
        score(model, data, group_by="age")
    with pytest.raises(EmoError, match="it tells subjects at most"):
        score(model, write_data(tmp_path / "y.h5", labels.SEVEN), group_by="sex")


def test_groups_come_from_the_data_and_a_corpus_without_says_so(model: Path, tmp_path: Path) -> None:
    named = write_data(tmp_path / "x.h5", labels.SEVEN, groups=[f"s{row // 30}" for row in range(N)])
    found = score(model, named, by_group=True)["groups"]
    assert {name: row["n"] for name, row in found["accuracy"].items()} == {"s0": 20, "s1": 20, "s2": 20}
    notes: list[str] = []
    assert score(model, write_data(tmp_path / "y.h5", labels.SEVEN), notes, by_group=True)["groups"] is None
    assert len(notes) == 1 and "names no groups" in notes[0]

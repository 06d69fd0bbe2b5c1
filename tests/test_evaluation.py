"""Scoring across corpora: labels that differ, several at once, calibration, abstention, groups, mirror images."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from numpy.typing import NDArray
from small_model import write_model

from emocli import (
    abstention,
    calibration,
    evaluation,
    group_gaps,
    label_map,
    labels,
    metrics,
    onnx_file,
    pipes,
    plotting,
    scoring,
)
from emocli.artifact import Header
from emocli.engines import onnxruntime
from emocli.errors import EmoError
from emocli.hdf5_writer import Writer
from emocli.scoring import Options

N = 90
SYNONYMS = ("anger", "happiness", "sadness", "fearful", "surprised", "disgust", "calm")


def stripes(n: int = N) -> NDArray[np.uint8]:
    """Return (n, 1, 48, 48) slanted stripes of chance, so that a model answers this and that."""
    random = np.random.default_rng(7)
    slant, width, depth, start = random.uniform([0, 0.2, 20, 0], [np.pi, 1.5, 127, 6], (n, 4)).T[..., None, None, None]
    down, across = np.mgrid[:48, :48]
    # a ramp within each stripe, or the mirror image would be much the same
    phase = (down * np.sin(slant) + across * np.cos(slant)) * width + start
    return (128 + depth * (phase % 2 - 1)).astype(np.uint8)


def write_data(
    path: Path, names: Sequence[str], *, kind: str = "features", groups: Sequence[str] = (), n: int = N
) -> Path:
    """Write n stripes, every third for validation, the others for test; labels take turns."""
    steps = ({"command": "dataset", "name": "folder", "params": {}, "license": "none"},)
    steps += ({"command": "features", "name": "pixels", "params": {"size": 48}, "detector": "none"},)
    writer = Writer(path, count=n)
    writer.append(stripes(n))
    header = Header(kind, tuple(names), steps[: 2 if kind == "features" else 1])
    writer.finish(header, np.arange(n) % len(names), "label", np.where(np.arange(n) % 3, "test", "validation"), groups)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx", varied=True)


def score(model: Path, data: Path, notes: list[str] | None = None, **options: object) -> dict[str, object]:
    """Return the record of one pair, as `emo eval model --data data` prints it."""
    chosen = Options(**{"samples": 20, **options})  # type: ignore[arg-type]
    pairs = scoring.pairs([pipes.read(str(model), "model")], [str(data)], chosen)
    (record,) = scoring.records(pairs, "onnxruntime", 1, chosen, (notes if notes is not None else []).append)
    return record


def said(model: Path, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of write_data's part, and its rows."""
    rows = np.array([row for row in range(N) if bool(row % 3) == (split == "test")])
    return onnxruntime.load(model).run(stripes()[rows])["logits"], rows


def test_labels_that_agree_give_the_record_there_always_was(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN), notes)
    figures = ["accuracy", "macro_f1", "uar", "roc_auc", "ece"]
    assert list(record) == ["model", "data", "split", *figures, "per_class", "confusion", "absent"]
    assert notes == []


def test_the_order_of_the_labels_does_not_matter(model: Path, tmp_path: Path) -> None:
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN[::-1]))
    logits, rows = said(model)
    assert record["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == 6 - rows % 7).mean())
    assert "labels" not in record


def test_data_that_lack_a_class_are_scored_by_name_and_the_class_is_named(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", ("happy", "sad")), notes)
    assert record["only_in_model"] == ["angry", "disgust", "fear", "surprise", "neutral"]
    assert (record["labels"], record["left_out"], record["map"]) == (list(labels.SEVEN), {}, {})
    (note,) = notes
    assert "only the model has angry, disgust, fear, surprise, neutral" in note and "--restrict" in note


def test_a_class_that_only_the_data_have_is_left_out_and_counted(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    record = score(model, write_data(tmp_path / "x.h5", labels.EIGHT), notes)
    contempt = sum(row % 8 == 7 for row in range(N) if row % 3)
    assert record["left_out"] == {"contempt": contempt}
    assert record["accuracy"]["n"] == 60 - contempt
    assert f"contempt ({contempt} rows)" in notes[0]


def test_where_no_map_can_be_said_no_row_is_left_out(model: Path, tmp_path: Path) -> None:
    data = pipes.read(str(write_data(tmp_path / "x.h5", labels.EIGHT)), "features")
    with pytest.raises(EmoError, match=r"does not know \(contempt\)"):
        evaluation.answers(onnxruntime.load(model), onnx_file.read_header(model), data, "test")


def test_labels_that_differ_both_ways_are_asked_about(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError) as fault:
        score(model, write_data(tmp_path / "x.h5", SYNONYMS))
    text = str(fault.value)
    assert "does not know (anger, happiness, sadness, fearful, surprised, calm)" in text
    for line in ("anger=angry", "happiness=happy", "sadness=sad", "fearful=fear", "surprised=surprise", "calm=neutral"):
        assert f"--map {line}" in text
    assert "\n" not in text and "--map disgust" not in text


def test_a_map_says_what_counts_as_what(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", ("happiness", "sad", "contempt"))
    record = score(model, data, maps=("happiness=happy", "contempt="))
    logits, rows = said(model)
    kept = rows % 3 != 2
    right = logits.argmax(axis=1)[kept] == np.where(rows[kept] % 3 == 0, 3, 4)
    assert record["accuracy"]["value"] == pytest.approx(right.mean())
    assert record["map"] == {"happiness": "happy"}
    assert record["left_out"] == {"contempt": int((~kept).sum())}
    merged = score(model, data, maps=("happiness=happy", "contempt=happy"))
    assert (merged["accuracy"]["n"], merged["left_out"]) == (60, {})


def test_auto_leaves_contempt_out_either_way(tmp_path: Path) -> None:
    # CK+48 has contempt and no neutral
    seven, eight = write_model(tmp_path / "7.onnx"), write_model(tmp_path / "8.onnx", names=labels.EIGHT)
    ckplus = write_data(tmp_path / "ck.h5", ("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise"))
    with pytest.raises(EmoError, match="--map contempt="):
        score(seven, ckplus)
    found = score(seven, ckplus, maps=("auto",))
    assert list(found["left_out"]) == ["contempt"] and found["only_in_model"] == ["neutral"]
    known = score(eight, ckplus, maps=("auto",))
    assert known["left_out"] == {} and known["only_in_model"] == ["neutral"]
    with pytest.raises(EmoError, match="does not know"):
        score(seven, write_data(tmp_path / "x.h5", ("happy", "bored")), maps=("auto",))


def test_restrict_chooses_among_the_shared_classes_only(model: Path, tmp_path: Path) -> None:
    data = write_data(tmp_path / "x.h5", ("happy", "sad"))
    logits, rows = said(model)
    free, restricted = score(model, data), score(model, data, restrict=True)
    assert free["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == 3 + rows % 2).mean())
    assert restricted["accuracy"]["value"] == pytest.approx((logits[:, 3:5].argmax(axis=1) == rows % 2).mean())
    assert restricted["labels"] == ["happy", "sad"] == list(restricted["per_class"])
    assert np.shape(restricted["confusion"]) == (2, 2)


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (["happiness"], "is not DATA=MODEL"),
        (["=happy"], "is not DATA=MODEL"),
        (["happiness=hapy"], "did you mean happy"),
        (["hapiness=happy"], "did you mean happiness"),
        (["happiness=happy", "happiness=sad"], "twice"),
        (["happiness=happy"], "does not know .contempt."),
        (["happiness=", "sad=", "contempt="], "nothing is left to score"),
    ],
)
def test_a_map_that_can_t_be_meant_is_one_line(model: Path, tmp_path: Path, maps: list[str], says: str) -> None:
    data = write_data(tmp_path / "x.h5", ("happiness", "sad", "contempt"))
    with pytest.raises(EmoError, match=says):
        score(model, data, maps=tuple(maps))


def test_the_same_map_may_be_said_again() -> None:
    assert label_map.parse(["a=b", "a=b", "c="]) == {"a": "b", "c": None}


def test_several_models_and_corpora_give_a_row_per_pair(tmp_path: Path, emo: Run) -> None:
    models = [write_model(tmp_path / f"{name}.onnx", varied=True, width=w) for name, w in (("a", 8), ("b", 4))]
    datas = [write_data(tmp_path / "x.h5", labels.SEVEN), write_data(tmp_path / "y.h5", labels.EIGHT)]
    flags = [word for data in datas for word in ("--data", data)]
    done = emo("eval", *models, *flags, "--samples", 20, "--metric", "uar", "--threads", 1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    names = [(row.pop("model_name"), row.pop("data_name")) for row in rows]
    assert names == [("a.onnx", "x.h5"), ("a.onnx", "y.h5"), ("b.onnx", "x.h5"), ("b.onnx", "y.h5")]
    assert rows == [score(model, data) for model in models for data in datas]
    shown = emo("eval", *models, *flags, "--samples", 20, "--metric", "uar", "--table").stdout.decode()
    assert "uar (test)" in shown and f"{rows[0]['uar']['value']:.4f}" in shown


def test_names_that_are_alike_are_told_apart(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    models = [write_model(tmp_path / "one/m.onnx"), write_model(tmp_path / "two/m.onnx", width=4)]
    data, options = write_data(tmp_path / "x.h5", labels.SEVEN), Options(samples=5)
    pairs = scoring.pairs([pipes.read(str(model), "model") for model in models], [str(data)], options)
    found = list(scoring.named(pairs, scoring.records(pairs, "onnxruntime", 1, options, print)))
    assert len({row["model_name"] for row in found}) == 2


def test_a_mistake_in_the_last_pair_is_found_before_the_first_runs(tmp_path: Path, model: Path, emo: Run) -> None:
    good, bad = write_data(tmp_path / "x.h5", labels.SEVEN), write_data(tmp_path / "y.h5", SYNONYMS)
    done = emo("eval", model, "--data", good, "--data", bad)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.count(b"\n") == 1 and b"y.h5 has labels the model does not know" in done.stderr
    assert b"one of each" in emo("eval", model, "--data", good, "--data", good, "--plot", tmp_path / "p.png").stderr


def test_data_can_be_a_kept_dataset_by_its_name(model: Path, tmp_path: Path, store_of_the_tests: Path) -> None:
    (store_of_the_tests / "datasets").mkdir(exist_ok=True)
    kept = write_data(store_of_the_tests / "datasets/mine.h5", labels.SEVEN, kind="dataset")
    assert score(model, Path("mine"))["confusion"] == score(model, kept)["confusion"]
    kept.unlink()
    with pytest.raises(EmoError, match="neither a file nor a kept dataset"):
        score(model, Path("mine"))


def test_a_dataset_whose_part_is_scattered_is_read_row_by_row(model: Path, tmp_path: Path) -> None:
    data, features = (write_data(tmp_path / f"{k}.h5", labels.SEVEN, kind=k) for k in ("dataset", "features"))
    assert score(model, data)["confusion"] == score(model, features)["confusion"]


def test_samples_without_a_face_are_counted_aloud(tmp_path: Path) -> None:
    haar, data = write_model(tmp_path / "h.onnx", detector="haar"), tmp_path / "d.h5"
    with pytest.raises(EmoError, match=r"no sample of .* has a face"):
        score(haar, write_data(data, labels.SEVEN, kind="dataset"))


def test_a_part_that_is_not_there_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no train part .it has validation, test."):
        score(model, write_data(tmp_path / "x.h5", labels.SEVEN), split="train")


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
    found = group_gaps.by_group(right, groups, least=10)
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


def test_groups_come_from_the_data_and_a_corpus_without_says_so(model: Path, tmp_path: Path) -> None:
    named = write_data(tmp_path / "x.h5", labels.SEVEN, groups=[f"s{row // 30}" for row in range(N)])
    found = score(model, named, by_group=True)["groups"]
    assert {name: row["n"] for name, row in found["accuracy"].items()} == {"s0": 20, "s1": 20, "s2": 20}
    notes: list[str] = []
    assert score(model, write_data(tmp_path / "y.h5", labels.SEVEN), notes, by_group=True)["groups"] is None
    assert len(notes) == 1 and "names no groups" in notes[0]


def test_flip_averages_the_logits_of_a_face_and_its_mirror_image(model: Path, tmp_path: Path) -> None:
    record = score(model, write_data(tmp_path / "x.h5", labels.SEVEN), flip=True)
    rows = np.array([row for row in range(N) if row % 3])
    x = stripes()[rows]
    engine = onnxruntime.load(model)
    logits = engine.run(x)["logits"] + engine.run(np.ascontiguousarray(x[..., ::-1]))["logits"]
    assert record["flip"] is True
    assert record["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == rows % 7).mean())
    assert record["confusion"] != score(model, tmp_path / "x.h5")["confusion"]


def test_vectors_have_no_mirror_image(tmp_path: Path) -> None:
    from emocli import mirroring

    class Sums:
        def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
            return {"logits": x.sum(axis=1, keepdims=True)}

    assert mirroring.logits(Sums(), np.ones((2, 3))).tolist() == [[3], [3]]
    with pytest.raises(EmoError, match="leave --flip out"):
        mirroring.logits(Sums(), np.ones((2, 3)), flip=True)


def test_a_prediction_with_flip_is_the_same_for_a_picture_and_its_mirror_image(model: Path) -> None:
    from emocli.prediction import predictor

    pixels = np.random.default_rng(0).integers(0, 255, (48, 48, 3), np.uint8)
    predict = predictor(model, detector="none", flip=True, note=print)
    (face,), (mirrored,) = predict(pixels), predict(np.ascontiguousarray(pixels[:, ::-1]))
    assert face["probabilities"] == pytest.approx(mirrored["probabilities"], abs=1e-4)
    (plain,) = predictor(model, detector="none", note=print)(pixels)
    assert plain["probabilities"] != face["probabilities"]


def test_everything_at_once_is_one_json_object(model: Path, tmp_path: Path, emo: Run) -> None:
    names = [f"s{row // 30}" for row in range(N)]
    data = write_data(tmp_path / "x.h5", (*SYNONYMS[:6], "contempt"), groups=names)
    maps = ["anger=angry", "happiness=happy", "sadness=sad", "fearful=fear", "surprised=surprise", "contempt="]
    flags = [word for entry in maps for word in ("--map", entry)]
    more = ("--restrict", "--temperature", "fit", "--abstain", "--by-group", "--flip", "--samples", 20)
    done = emo("eval", "--data", data, *flags, *more, stdin=model.read_bytes())
    record = json.loads(done.stdout)
    assert {"labels", "left_out", "temperature", "abstention", "groups", "flip"} <= set(record)
    assert record["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise"]
    assert onnx_file.read_header(model).labels == labels.SEVEN
    table = emo("eval", model, "--data", data, *flags, *more, "--table")
    assert table.returncode == 0 and b"temperature.ece_before" in table.stdout

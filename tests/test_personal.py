"""A model for one person: what it says more of them than of others is learned from a few samples, and taken back."""

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import real_faces
import tone_model
from conftest import Run, write_features
from scored import N, said, score, stripes, write_data
from small_model import write_model

from emocli import labels, onnx_file, pipes, registry
from emocli.artifact import Header
from emocli.compress import personalize, temperature
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import enrolment, personal
from emocli.scores.evaluation import Answers

CLASSES = len(labels.SEVEN)
USUALLY = np.random.default_rng(3).normal(0, 2, (CLASSES, CLASSES)).round(3)
NEUTRAL = labels.SEVEN.index("neutral")


def _known(path: Path, usually: object = USUALLY, **options: object) -> Path:
    """Write a small model whose header tells what it usually says of each class."""
    write_model(path, varied=True, **options)  # type: ignore[arg-type]
    model, header = onnx_file.load(path), onnx_file.read_header(path)
    told = personal.told(usually) if isinstance(usually, np.ndarray) else {personal.USUAL: usually}
    *before, last = header.steps
    onnx_file.write_header(model, replace(header, steps=(*before, {**last, **told})))
    onnx_file.save(model, path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return _known(tmp_path / "model.onnx")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "rest.png"), stripes(9)[5, 0])
    return tmp_path / "rest.png"


def _logits(model: Path, x: np.ndarray) -> np.ndarray:
    return registry.load("engines", "onnxruntime")(model).run(x)["logits"].astype(np.float64)


def _centred(x: np.ndarray) -> np.ndarray:
    return x - x.mean()


# the rule


def test_what_a_person_adds_to_every_sample_is_taken_back_in_the_share_of_emotions_that_were_heard() -> None:
    habit = np.array([3.0, -1, 0, 0.5, 0, -2, 1])
    every = np.arange(CLASSES)
    found = personal.offset(USUALLY + habit, every, USUALLY)
    np.testing.assert_allclose(found, -_centred(habit) * CLASSES / (CLASSES + 1))


def test_a_class_is_not_compared_in_its_own_samples() -> None:
    less_sure = USUALLY[[NEUTRAL, NEUTRAL]].copy()
    less_sure[:, NEUTRAL] -= 4
    found = personal.offset(less_sure, np.array([NEUTRAL, NEUTRAL]), USUALLY)
    assert found[NEUTRAL] == 0
    np.testing.assert_allclose(np.delete(found, NEUTRAL), -4 / CLASSES / 2)


def test_many_samples_of_one_class_count_as_one_does() -> None:
    habit = np.array([3.0, -1, 0, 0.5, 0, -2, 1])
    y = np.array([0, 0, 0, 0, 1])
    twice = personal.offset(USUALLY[y] + habit, y, USUALLY)
    once = personal.offset(USUALLY[[0, 1]] + habit, np.array([0, 1]), USUALLY)
    np.testing.assert_allclose(twice, once)


def test_logits_that_are_all_higher_are_no_habit() -> None:
    assert not personal.offset(USUALLY[:1] + 5, np.array([0]), USUALLY).round(9).any()


def test_samples_of_unknown_emotions_are_compared_with_all_classes() -> None:
    habit = np.array([3.0, -1, 0, 0.5, 0, -2, 1])
    usually = USUALLY.copy()
    usually[2] = np.nan  # never learned
    heard = np.array([0, 1, 3, 4, 5, 6] * 3)
    found = personal.offset(usually[heard] + habit, np.full(18, -1), usually)
    np.testing.assert_allclose(found, -_centred(habit) * 18 / 20)


# what the header tells


def test_training_tells_what_the_model_says_of_each_class_and_none_of_what_it_never_saw(
    tmp_path: Path, emo: Run, features_file: Path
) -> None:
    words = ("--arch", "emotion-cnn", "-p", "width=8", "--epochs", 1, "--threads", 1, "-o", tmp_path / "m.onnx")
    assert emo("train", features_file, *words).returncode == 0
    usually = personal.usual(onnx_file.read_header(tmp_path / "m.onnx"), "m")
    with hdf5.open_data(features_file) as data:
        rows = data.rows("train")
        logits, y = _logits(tmp_path / "m.onnx", data.take(rows)), data.y[rows]
    assert set(y.tolist()) == {0, 1}
    for label in (0, 1):
        np.testing.assert_allclose(usually[label], logits[y == label].mean(axis=0), atol=2e-3)
    assert np.isnan(usually[2]).all()


def test_calibration_divides_what_is_told_too(tmp_path: Path) -> None:
    write_features(tmp_path / "f.h5", classes=7, n=210)
    source = pipes.read(str(_known(tmp_path / "m.onnx")), "model")
    step = {"command": "calibrate", "options": {"temperature": "2"}}
    temperature.write(source, pipes.read(str(tmp_path / "f.h5"), "features"), tmp_path / "c.onnx", step)
    found = personal.usual(onnx_file.read_header(tmp_path / "c.onnx"), "c")
    np.testing.assert_allclose(found, USUALLY / 2, atol=2e-3)


def test_a_header_that_tells_nothing_says_what_to_do() -> None:
    with pytest.raises(EmoError, match=r"old does not tell what it usually says of each class.*train it again"):
        personal.usual(Header("model", labels.SEVEN, ()), "old")


@pytest.mark.parametrize("told", [[], [[1.0]], ["x"] * 7, [[1.0] * 7] * 6, [[float("inf")] * 7] * 7, [{}] * 7])
def test_a_damaged_table_is_refused(tmp_path: Path, told: object) -> None:
    with pytest.raises(EmoError, match="no mean of logits"):
        personal.usual(onnx_file.read_header(_known(tmp_path / "m.onnx", told)), "m")


def test_a_model_that_learned_without_labels_is_calibrated_but_not_made_personal(tmp_path: Path) -> None:
    header = onnx_file.read_header(_known(tmp_path / "m.onnx", [None] * 7))
    assert personal.scaled(header, 2.0, "m") == {personal.USUAL: [None] * 7}
    with pytest.raises(EmoError, match="m learned without labels, so what it usually says"):
        personal.usual(header, "m")


# a model made personal


def test_a_personal_model_adds_the_offset_and_nothing_else(tmp_path: Path, model: Path, photo: Path, emo: Run) -> None:
    done = emo("personalize", model, "--sample", photo, "--detector", "none", "-o", tmp_path / "mine.onnx")
    assert done.returncode == 0 and b"personal by 1 of neutral: adds to the logits" in done.stderr
    x = stripes()
    offset = personal.offset(_logits(model, stripes(9)[5:6]), np.array([NEUTRAL]), USUALLY)
    np.testing.assert_allclose(_logits(tmp_path / "mine.onnx", x), _logits(model, x) + offset, atol=1e-4)
    before, after = (onnx_file.load(path).graph for path in (model, tmp_path / "mine.onnx"))
    assert [*after.initializer][:-1] == [*before.initializer]
    onnx.checker.check_model(onnx_file.load(tmp_path / "mine.onnx"), full_check=True)


def test_the_header_tells_how_many_samples_of_what_and_no_file(
    tmp_path: Path, model: Path, photo: Path, emo: Run
) -> None:
    samples = ("--sample", photo, "--sample", f"happy={photo}", "--sample", f"neutral={photo}")
    emo("personalize", model, *samples, "--detector", "none", "-o", tmp_path / "mine.onnx")
    step = onnx_file.read_header(tmp_path / "mine.onnx").steps[-1]
    assert step["heard"] == {"neutral": 2, "happy": 1} and photo.name not in json.dumps(step)
    replayed = emo("replay", tmp_path / "mine.onnx").stdout.decode()
    assert "# emo personalize had samples of one person (neutral, happy)" in replayed
    assert replayed.rstrip().endswith("emo personalize")


def test_samples_whose_emotion_nobody_knows_make_a_model_personal_too(
    tmp_path: Path, model: Path, photo: Path, emo: Run
) -> None:
    samples = ("--sample", f"any={photo}", "--sample", f"any={photo}", "--detector", "none")
    done = emo("personalize", model, *samples, "-o", tmp_path / "mine.onnx")
    assert b"personal by 2 of any: adds to the logits" in done.stderr
    assert onnx_file.read_header(tmp_path / "mine.onnx").steps[-1]["heard"] == {"any": 2}
    offset = personal.offset(_logits(model, stripes(9)[[5, 5]]), np.array([-1, -1]), USUALLY)
    x = stripes()
    np.testing.assert_allclose(_logits(tmp_path / "mine.onnx", x), _logits(model, x) + offset, atol=1e-4)


def test_an_int8_model_is_made_personal_as_it_is_and_live_and_predict_run_it(
    tmp_path: Path, shell: Run, photo: Path
) -> None:
    write_features(tmp_path / "f.h5", classes=7, n=210)
    line = """
        emo train f.h5 --arch student -p widths=8-16 -p blocks=1-1 --epochs 1 --threads 1 -o m.onnx
        emo quantize m.onnx --max-drop 100 --min-speedup 0 -o q.onnx
        emo personalize q.onnx --sample rest.png --detector none > mine.onnx
        emo predict rest.png --model mine.onnx --detector none --json
        emo predict rest.png --model q.onnx --detector none --json"""
    done = shell(line)
    assert done.returncode == 0, done.stderr
    assert onnx_file.read_header(tmp_path / "mine.onnx").precision == "int8"
    mine, anybody = (json.loads(row)["faces"][0]["probabilities"] for row in done.stdout.splitlines())
    x = stripes(9)[5:6]
    usually = personal.usual(onnx_file.read_header(tmp_path / "q.onnx"), "q")
    index = onnx_file.read_header(tmp_path / "q.onnx").labels.index("neutral")
    offset = personal.offset(_logits(tmp_path / "q.onnx", x), np.array([index]), usually)
    chances = np.array([*anybody.values()]) * np.exp(offset)
    np.testing.assert_allclose([*mine.values()], chances / chances.sum(), atol=2e-4)


def test_a_voice_is_heard_as_predict_hears_it(tmp_path: Path, emo: Run) -> None:
    model = tone_model.write_model(tmp_path)
    tone_model.write_tone(tmp_path / "me.wav", 400)
    done = emo("personalize", model, "--sample", f"low={tmp_path / 'me.wav'}", "-o", tmp_path / "mine.onnx")
    assert done.returncode == 0, done.stderr
    rows = [
        json.loads(emo("predict", tmp_path / "me.wav", "--model", each, "--json").stdout)["probabilities"]
        for each in (model, tmp_path / "mine.onnx")
    ]
    usually = personal.usual(onnx_file.read_header(model), "m")
    logits = np.log([rows[0][label] for label in ("high", "low")])
    expected = np.exp(logits + personal.offset(logits[None], np.array([1]), usually))
    assert rows[1]["low"] == pytest.approx(expected[1] / expected.sum(), abs=1e-3)


REFUSED = {
    "no sample": ((), "no samples of the person"),
    "another label": (("--sample", "grin=rest.png"), "no label grin"),
    "known and unknown emotions": (("--sample", "rest.png", "--sample", "any=rest.png"), "samples of one kind"),
    "no file": (("--sample", "gone.png"), "gone.png"),
    "an empty folder": (("--sample", "happy=empty"), "no file in empty"),
    "no picture": (("--sample", "text.png"), "text.png"),
    "no face": (("--sample", "rest.png", "--detector", "haar"), "no face is in it"),
    "one of two that can't be read": (("--sample", "rest.png", "--sample", "text.png"), "text.png"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_sample_is_said_in_one_line_and_nothing_is_written(
    tmp_path: Path, model: Path, photo: Path, emo: Run, case: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    words, fault = REFUSED[case]
    how = () if "--detector" in words else ("--detector", "none")
    done = emo("personalize", model, *words, *how, "-o", "mine.onnx", cwd=tmp_path)
    assert done.returncode == 1 and fault in done.stderr.decode() and done.stderr.count(b"\n") == 1
    assert not (tmp_path / "mine.onnx").exists()


def test_of_a_picture_of_several_people_it_is_said_who_is_taken(tmp_path: Path, model: Path, emo: Run) -> None:
    cv2.imwrite(str(tmp_path / "all.png"), real_faces.picture("multi_face.jpg")[..., ::-1])
    words = ["--sample", tmp_path / "all.png", "--detector", "haar", "-o", tmp_path / "mine.onnx"]
    done = emo("personalize", model, *words)
    assert re.search(rb"all.png: has \d faces, of which the largest is taken", done.stderr) and not done.returncode


def test_a_file_whose_name_has_an_equals_sign_is_a_file(tmp_path: Path, model: Path, photo: Path, emo: Run) -> None:
    photo.rename(tmp_path / "day=1.png")
    done = emo("personalize", model, "--sample", "day=1.png", "--detector", "none", "-o", "mine.onnx", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_personal_model_is_not_made_personal_again(tmp_path: Path, model: Path, photo: Path, emo: Run) -> None:
    given = ("--sample", photo, "--detector", "none")
    emo("personalize", model, *given, "-o", tmp_path / "mine.onnx")
    done = emo("personalize", tmp_path / "mine.onnx", *given, "-o", tmp_path / "twice.onnx")
    assert done.returncode == 1 and b"personal already" in done.stderr


def test_a_class_that_was_never_learned_can_not_be_a_sample(tmp_path: Path) -> None:
    usually = USUALLY.copy()
    usually[NEUTRAL] = np.nan
    source = pipes.read(str(_known(tmp_path / "m.onnx", usually)), "model")
    with pytest.raises(EmoError, match="never learned neutral"):
        personalize.expected(source, [NEUTRAL])


# figures as after an enrolment


def _people(path: Path) -> Path:
    """Write data of four people and nobody; a row of each label comes every seven."""
    groups = [f"{row % 4}" if row < 80 else "" for row in range(N)]
    return write_data(path, labels.SEVEN, groups=groups, parts=["test"] * N)


def test_enrolled_people_are_scored_on_their_other_samples_with_their_own_offset(tmp_path: Path, model: Path) -> None:
    notes: list[str] = []
    record = score(model, _people(tmp_path / "x.h5"), notes, enrol={"neutral": 1}, samples=1)
    logits, y = _logits(model, stripes()), np.arange(N) % 7
    group = np.where(np.arange(N) < 80, np.arange(N) % 4, -1)
    scored = np.ones(N, bool)
    before = logits.argmax(axis=1)
    for person in range(4):
        own = group == person
        first = np.flatnonzero(own & (y == NEUTRAL))[:1]
        logits[own] += personal.offset(logits[first], y[first], USUALLY)
        scored[first] = False
    assert record["accuracy"]["n"] == N - 4
    assert record["accuracy"]["value"] == pytest.approx((logits.argmax(axis=1) == y)[scored].mean())
    enrolled = record["enrolment"]
    assert (enrolled["samples"], enrolled["people"]) == ({"neutral": 1}, 4)
    assert enrolled["before"]["accuracy"]["value"] == pytest.approx((before == y)[scored].mean())
    assert np.sum(enrolled["before"]["confusion"]) == N - 4
    assert "1 with too few samples to enrol, scored as anybody: (unnamed)" in notes


def test_each_stands_for_every_label(tmp_path: Path, model: Path) -> None:
    record = score(model, _people(tmp_path / "x.h5"), enrol={"each": 1}, samples=1)
    assert record["enrolment"]["samples"] == dict.fromkeys(labels.SEVEN, 1)
    assert record["accuracy"]["n"] == N - 4 * 7


def test_any_is_a_draw_of_each_persons_samples(tmp_path: Path, model: Path) -> None:
    record = score(model, _people(tmp_path / "x.h5"), enrol={"any": 5}, samples=1)
    assert record["enrolment"]["samples"] == {"any": 5} and record["enrolment"]["people"] == 4
    assert record["accuracy"]["n"] == N - 4 * 5
    logits, y = _logits(model, stripes()).astype(np.float32), np.arange(N) % 7
    groups = ["one" if row % 5 else "" for row in range(N)]
    found = Answers(logits, y, groups, {}, 0, frozenset(), np.arange(N))
    scored, _, without = enrolment.enrolled(found, {-1: 6}, USUALLY)
    heard = sorted({row for row in range(N) if groups[row]} - set(scored.rows.tolist()))
    assert without == ["(unnamed)"] and len(heard) == 6 and len(set(y[heard])) > 2, "not the first, which lie together"
    own = np.flatnonzero([groups[row] == "one" for row in scored.rows])
    offset = personal.offset(logits[heard], np.full(6, -1), USUALLY)
    np.testing.assert_allclose(scored.logits[own], logits[scored.rows[own]] + offset, atol=1e-4)


def test_each_is_of_what_the_data_have_where_that_is_less(tmp_path: Path, model: Path) -> None:
    groups = [f"{row % 2}" for row in range(N)]
    data = write_data(tmp_path / "x.h5", ("happy", "sad"), groups=groups, parts=["test"] * N)
    with pytest.raises(EmoError, match="nobody in the part"):  # each of the two shows one label alone
        score(model, data, enrol={"each": 1})
    groups = ["one" if row % 4 < 2 else "other" for row in range(N)]
    data = write_data(tmp_path / "y.h5", ("happy", "sad"), groups=groups, parts=["test"] * N)
    assert score(model, data, enrol={"each": 1})["enrolment"]["samples"] == {"happy": 1, "sad": 1}


def test_an_enrolment_of_data_that_name_nobody_is_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(EmoError, match="nobody in the part is named"):
        score(model, write_data(tmp_path / "x.h5", labels.SEVEN), enrol={"neutral": 1})


def test_somebody_who_would_have_nothing_left_to_score_is_not_enrolled(tmp_path: Path, model: Path) -> None:
    groups = ["one" if row == NEUTRAL else "other" for row in range(N)]
    data = write_data(tmp_path / "x.h5", labels.SEVEN, groups=groups, parts=["test"] * N)
    notes: list[str] = []
    record = score(model, data, notes, enrol={"neutral": 1})
    assert record["enrolment"]["people"] == 1 and record["accuracy"]["n"] == N - 1
    assert "1 with too few samples to enrol, scored as anybody: one" in notes


def test_samples_without_a_label_are_nothing_to_score() -> None:
    y, groups = np.array([NEUTRAL, -1, NEUTRAL, 0, 0]), ["one", "one", "other", "other", "other"]
    found = Answers(np.zeros((5, 7), np.float32), y, groups, {}, 0, frozenset(), np.arange(5))
    scored, _, without = enrolment.enrolled(found, {NEUTRAL: 1}, USUALLY)
    assert without == ["one"] and scored.rows.tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize(
    "entry", ["neutral", "=2", "neutral=0", "neutral=-1", "neutral=two", "neutral=²", f"neutral={'9' * 5000}"]
)
def test_an_enrolment_that_makes_no_sense_is_refused(entry: str) -> None:
    with pytest.raises(EmoError, match="neutral=2"):
        enrolment.parse([entry])


@pytest.mark.parametrize(
    "entries", [("neutral=1", "neutral=2"), ("each=1", "sad=1"), ("sad=1", "each=1"), ("any=3", "sad=1")]
)
def test_an_emotion_is_enrolled_once(entries: tuple[str, ...]) -> None:
    with pytest.raises(EmoError, match="asked for twice"):
        enrolment.parse(entries)


def test_what_the_model_can_not_enrol_is_said_before_anything_runs(tmp_path: Path, model: Path, emo: Run) -> None:
    data = _people(tmp_path / "x.h5")
    plain = write_model(tmp_path / "plain.onnx")
    for named, words, fault in (
        (model, ("--enrol", "calm=1"), b"--enrol calm: "),
        (plain, ("--enrol", "neutral=1"), b"does not tell what it usually says"),
        (model, ("--enrol", "neutral=1", "--noise", "white"), b"--enrol and --noise"),
    ):
        done = emo("eval", named, "--data", data, *words)
        assert done.returncode == 1 and fault in done.stderr and not done.stdout


def test_a_table_for_people_has_the_figures_from_before(tmp_path: Path, model: Path, emo: Run) -> None:
    done = emo("eval", model, "--data", _people(tmp_path / "x.h5"), "--enrol", "neutral=1", "--table")
    assert b"enrolment.before.uar" in done.stdout and b"before.confusion" not in done.stdout


def test_without_an_enrolment_nothing_of_it_is_said(tmp_path: Path, model: Path) -> None:
    record = score(model, _people(tmp_path / "x.h5"))
    assert "enrolment" not in record
    assert record["accuracy"]["n"] == N and said(model)[0].shape[1] == CLASSES

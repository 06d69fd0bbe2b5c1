"""Folds of speakers: scored together, each clip once, by a model that never heard its speaker."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from actors import ACTORS, CLIPS, write_actors
from conftest import Run, making
from scored import write_data
from shipped_copy import ROOT

from emocli import onnx_file, pipes
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import label_map, metrics, over_folds, pairing
from emocli.scores.pairing import Pair

SCRIPT = ROOT / "examples" / "results" / "folds.py"
VECTORS = ("--features=-x utterance", "--train=--arch logistic --class-weights balanced --threads 1")


def _run(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run([str(word) for word in words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_actors(tmp_path_factory.mktemp("ravdess"))


@pytest.fixture(scope="module")
def row(corpus: Path) -> Path:
    """The row of the results that folds.py writes, beside the folder with the models."""
    words = (sys.executable, SCRIPT, "small", "ravdess", corpus, corpus / "made", *VECTORS)
    done = _run(*words, "--jobs", 2, "-o", corpus / "row.json")
    assert done.returncode == 0, done.stderr
    assert "fold 4 left out" in done.stderr and "fold 5 left out" in done.stderr and "mean of 3 folds" in done.stdout
    return corpus / "row.json"


def _record(confusion: np.ndarray) -> dict[str, object]:
    return {"split": "test", **metrics.of_confusion(confusion, ["a", "b"], samples=10)}


def test_all_rows_are_pooled_and_the_mean_is_that_of_the_folds() -> None:
    folds = [np.array([[9, 1], [0, 10]]), np.array([[2, 2], [1, 3]])]
    whole = over_folds.together([_record(fold) for fold in folds], samples=500)
    assert whole["confusion"] == [[11, 3], [1, 13]] and whole["accuracy"]["value"] == 24 / 28
    assert whole["uar"]["value"] == pytest.approx((11 / 14 + 13 / 14) / 2)
    assert whole["mean"]["uar"]["value"] == pytest.approx((0.95 + 0.625) / 2)
    # two folds say little, but no share is beyond 0 and 1
    assert (whole["mean"]["uar"]["low"], whole["mean"]["uar"]["high"]) == (0, 1)
    assert whole["mean"]["uar"]["n"] == 2 and whole["uar"]["low"] < whole["uar"]["value"] < whole["uar"]["high"]


def test_figures_of_a_confusion_are_those_of_its_rows() -> None:
    rng = np.random.default_rng(0)
    y, logits = rng.integers(0, 3, 200), rng.normal(0, 1, (200, 3))
    wanted = metrics.evaluate(logits, y, "abc", samples=10)
    found = metrics.of_confusion(np.array(wanted["confusion"]), "abc", samples=10)
    assert found["per_class"] == wanted["per_class"]
    assert all(found[name]["value"] == pytest.approx(wanted[name]["value"]) for name in over_folds.MEASURES)


def test_every_clip_is_scored_once_and_no_speaker_is_in_two_parts(row: Path) -> None:
    found = json.loads(row.read_text())
    assert found["n"] == len(ACTORS) * CLIPS and found["folds"] == [1, 2, 3] and np.sum(found["confusion"]) == 64
    for fold in (1, 2, 3):
        with hdf5.open_data(row.parent / "made" / f"{fold}.h5") as data:
            parts = [{data.group[i] for i in data.rows(part)} for part in ("train", "validation", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts)) == len(ACTORS)
    assert f"-p fold={found['folds'][0]}" in found["command"] and found["parameters"] > 0


def test_a_run_goes_on_where_it_was_and_other_flags_are_refused(row: Path, corpus: Path) -> None:
    model, before = corpus / "made" / "2.onnx", row.stat().st_mtime_ns
    made, content = [model.stat().st_mtime_ns, (corpus / "made" / "1.onnx").stat().st_mtime_ns], model.read_bytes()
    model.unlink()
    words = (sys.executable, SCRIPT, "small", "ravdess", corpus, corpus / "made", "-o", row)
    assert _run(*words, *VECTORS).returncode == 0
    assert model.stat().st_mtime_ns > made[0] and (corpus / "made" / "1.onnx").stat().st_mtime_ns == made[1]
    assert model.read_bytes() == content, "alone it is made as it was beside another one"
    # the seconds of the fold made anew may differ, nothing else
    assert json.loads(row.read_text())["confusion"] and row.stat().st_mtime_ns >= before
    other = _run(*words, VECTORS[0], "--train=--arch svm")
    assert other.returncode == 1 and "other flags" in other.stderr


def test_after_a_failure_nothing_more_is_begun(corpus: Path, tmp_path: Path) -> None:
    words = (sys.executable, SCRIPT, "small", "ravdess", corpus, tmp_path / "made", VECTORS[0])
    done = _run(*words, "--train=--arch nothing", "--jobs", 2, "-o", tmp_path / "row.json")
    assert done.returncode == 1 and not (tmp_path / "row.json").exists()
    assert 1 <= done.stderr.count("nothing") <= 2


def test_a_table_of_speech_has_both_intervals(row: Path, tmp_path: Path) -> None:
    (tmp_path / "speech").mkdir()
    shutil.copy(row, tmp_path / "speech" / "small.json")
    found = runpy.run_path(str(ROOT / "examples" / "results" / "table.py"))["table"](tmp_path / "speech")
    head, _, line = found.splitlines()
    assert "by clips" in head and "by folds" in head
    assert line.startswith("| small |") and "ravdess, 3 folds, n = 64" in line and line.count("[") == 3


def test_the_same_folds_are_scored_as_after_an_enrolment_beside_what_they_had_before(row: Path, corpus: Path) -> None:
    words = (sys.executable, SCRIPT, "small-enrolled", "ravdess", corpus, corpus / "made", *VECTORS)
    done = _run(*words, "--enrol", "sad=1", "-o", corpus / "speech" / "enrolled.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((corpus / "speech" / "enrolled.json").read_text())
    enrolled = found["enrolment"]
    assert (enrolled["samples"], enrolled["people"], found["n"]) == ({"sad": 1}, len(ACTORS), len(ACTORS) * (CLIPS - 1))
    before, plain = np.array(enrolled["before"]["confusion"]), np.array(json.loads(row.read_text())["confusion"])
    assert before.sum() == found["n"] and (before <= plain).all() and enrolled["before"]["mean"]["uar"]["n"] == 3
    found = runpy.run_path(str(ROOT / "examples" / "results" / "table.py"))["table"](corpus / "speech")
    assert f"n = {len(ACTORS) * (CLIPS - 1)}, after 1 sad of each person |" in found


def test_folds_are_a_table_for_people(row: Path, emo: Run, corpus: Path) -> None:
    done = emo("eval", *sorted((corpus / "made").glob("[123].onnx")), "--folds", "--table", "--samples", 10)
    assert done.returncode == 0, done.stderr.decode()
    assert "all rows" in done.stdout.decode() and "mean of folds" in done.stdout.decode()


@pytest.mark.parametrize("words", [("--abstain",), ("--by-group",), ("--temperature", "fit")])
def test_folds_take_no_options_that_they_would_drop(row: Path, emo: Run, corpus: Path, words: tuple[str, ...]) -> None:
    done = emo("eval", *sorted((corpus / "made").glob("[123].onnx")), "--folds", *words)
    assert done.returncode == 1 and b"--folds has figures of all folds and no more" in done.stderr


def test_a_table_of_several_says_what_it_does_not_show(row: Path, emo: Run, corpus: Path) -> None:
    done = emo("eval", *sorted((corpus / "made").glob("[12].onnx")), "--abstain", "--table", "--samples", 10)
    assert done.returncode == 0 and b"shows accuracy alone; all that was asked for is in --json" in done.stderr


def _pairs(models: list[Path], options: pairing.Options | None = None) -> list[pairing.Pair]:
    return pairing.pairs([pipes.read(str(model), "model") for model in models], [], options or pairing.Options())


def test_what_are_no_folds_is_refused_in_one_line(row: Path, corpus: Path, tmp_path: Path) -> None:
    one, two = corpus / "made" / "1.onnx", corpus / "made" / "2.onnx"
    with pytest.raises(EmoError, match="02 is in the test parts of"):
        over_folds.check(_pairs([one, one]), "test")
    with pytest.raises(EmoError, match="two folds or more"):
        over_folds.check(_pairs([one]), "test")
    with pytest.raises(EmoError, match="two folds or more"):
        over_folds.check(_pairs([one, two]), "validation")
    with pytest.raises(EmoError, match="leave --data out"):
        data = [str(corpus / "made" / "1.h5")]
        over_folds.check(
            pairing.pairs([pipes.read(str(each), "model") for each in (one, two)], data, pairing.Options()), "test"
        )


def _fold(path: Path, parts: Sequence[str], people: Sequence[str] = (), names: Sequence[str] = ("a", "b")) -> Pair:
    """A model of these classes, which is only a name, and the data that it says it learned from."""
    data = pipes.read(str(write_data(path, names, parts=parts, groups=list(people), n=len(parts))), "features")
    header = Header("model", tuple(names), ({"command": "train", "name": "x", "data": data.digest},))
    model = pipes.Input(path, f"{path.stem}.onnx", header, "")
    return Pair(model, data, label_map.match(tuple(names), header.labels, {}, data.source))


def test_folds_are_told_apart_by_who_is_tested_or_else_by_the_rows(tmp_path: Path) -> None:
    parts = ["train", "validation", "test"]
    one, two = _fold(tmp_path / "1.h5", parts, "abc"), _fold(tmp_path / "2.h5", parts, "bca")
    over_folds.check([one, two], "test")
    for people in ("aab", "aba", "baa"):
        mixed = _fold(tmp_path / "mixed.h5", parts, people)
        with pytest.raises(EmoError, match=r"a of .*mixed\.h5 is in several parts: no fold of speakers"):
            over_folds.check([one, mixed], "test")
    with pytest.raises(EmoError, match="with the same labels"):
        over_folds.check([one, _fold(tmp_path / "3.h5", parts, "bca", ["a", "c"])], "test")
    nobody = [_fold(tmp_path / f"{row}.h5", [*parts[:row], "test", *parts[row:2]]) for row in range(3)]
    over_folds.check(nobody, "test")
    with pytest.raises(EmoError, match=r"^2 is in the test parts of 2\.onnx and 4\.onnx"):
        over_folds.check([*nobody, _fold(tmp_path / "4.h5", parts)], "test")


@pytest.fixture(scope="module")
def made(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make ships of three folds with two teachers each: weights/, out/ and results/."""
    if not shutil.which("make"):
        pytest.skip("needs make")
    root = tmp_path_factory.mktemp("made")
    targets = [root / "weights" / f"ravdess{ending}" for ending in (".json", ".onnx", "-int8.onnx")]
    words = making(*targets, f"RAVDESS={corpus}", f"OUT={root / 'out'}", "JOBS=2")
    small = "--arch lstm -p width=8 -p layers=1 --epochs 1 --threads 1"
    flags = [f"ravdess.train={small}", f"ravdess.distill={small}", "ravdess.teachers=2", "SHIPPED_FOLD=1"]
    flags += ["ravdess.features=-x logmel -p mels=64", "ravdess.quantize=--max-drop 100 --min-speedup 0"]
    done = _run(*words, f"WEIGHTS={root / 'weights'}", f"RESULTS={root / 'results'}", *flags)
    assert done.returncode == 0, done.stderr
    return root


def test_make_ships_one_fold_with_the_figures_of_all(made: Path) -> None:
    place = made / "weights"
    card, text = json.loads((place / "ravdess.json").read_text()), (place / "ravdess.md").read_text()
    assert card["modality"] == "speech" and card["license"].startswith("CC BY-NC-SA 4.0")
    assert card["models"]["ravdess-int8"]["accuracy"]["n"] == CLIPS and card["folds"]["n"] == 64
    assert card["real_time"]["real_time_factor"] > 0 and card["real_time"]["threads"] == 1
    assert "in voices" in text and "Student's t over folds" in text and "Recall by class" in text
    assert (place / "ravdess.onnx").read_bytes() == (made / "out" / "folds" / "ravdess" / "1.onnx").read_bytes()
    assert not (place / "fer2013.onnx").exists()


def test_a_fold_has_as_many_teachers_as_are_asked_for(made: Path) -> None:
    folder = made / "out" / "folds" / "ravdess"
    models = {name: onnx_file.read_header(folder / f"{name}.onnx") for name in ("1", "1-teacher-0", "1-teacher-1")}
    assert [(models[name].step("train") or {})["options"]["seed"] for name in models] == [0, 0, 1]
    assert models["1"].step("distill")
    seconds = {name: float((folder / f"{name}.seconds").read_text()) for name in models}
    assert seconds["1"] > seconds["1-teacher-0"] + seconds["1-teacher-1"]
    row = json.loads((made / "results" / "speech" / "ravdess.json").read_text())
    assert row["command"].count("is one more teacher") == 1


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("target", ["speech", "emodb", "iemocap"])
def test_make_says_which_corpus_of_speech_it_needs(target: str, tmp_path: Path) -> None:
    done = _run(*making(target, f"OUT={tmp_path}", f"RESULTS={tmp_path}"))
    assert done.returncode == 2 and "say where the corpus is" in done.stderr

"""Models of signals: a recording in, a row for each of its windows out, cut as the corpus was."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import signals_made

SECONDS, HOP = 8, 4


def _recording(folder: Path, warm: bool, seed: int, seconds: float = 40) -> Path:
    """A wrist that is warm or cool and otherwise says nothing."""
    rng = np.random.default_rng(seed)
    signals_made.write(folder, seconds, files=["BVP.csv", "EDA.csv"])
    degrees = (35 if warm else 31) + rng.normal(0, 0.3, round(seconds * 4) + 1)
    signals_made.sensor(folder / "TEMP.csv", [f"{value:.2f}" for value in degrees], 4)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("signals")
    for number in range(12):
        label = ("calm", "stress")[number % 2]
        _recording(root / "own" / label / f"P{number:02d}", label == "calm", number)
    return root


@pytest.fixture(scope="module")
def model(root: Path) -> Path:
    dataset = f"emo dataset signals-folder own -p seconds={SECONDS} -p hop={HOP} --validation 0.2 --test 0"
    line = f"{dataset} | emo features -x skin-temperature | emo train --arch logistic --threads 1 -o model.onnx"
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root / "model.onnx"


def test_a_recording_has_a_row_for_each_window_of_the_corpus(model, tmp_path, emo):
    folder = _recording(tmp_path / "me", True, 99, seconds=21)
    done = emo("predict", folder, "-m", model)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["start"], row["end"]) for row in rows] == [(0, 8), (4, 12), (8, 16), (12, 20)]
    assert {row["label"] for row in rows} == {"calm"} and {row["path"] for row in rows} == {str(folder)}
    assert all(abs(sum(row["probabilities"].values()) - 1) < 1e-3 for row in rows)


def test_the_files_of_a_recording_are_one_recording_however_they_are_named(model, tmp_path, emo):
    _recording(tmp_path / "a" / "one", True, 1, seconds=9)
    _recording(tmp_path / "a" / "two", False, 2, seconds=9)
    wanted = [(str(tmp_path / "a" / name), label) for name, label in (("one", "calm"), ("two", "stress"))]
    for named in ([tmp_path / "a"], [tmp_path / "a" / "one", tmp_path / "a" / "two" / "BVP.csv"], [tmp_path / "a/*"]):
        rows = [json.loads(line) for line in emo("predict", *named, "-m", model).stdout.splitlines()]
        assert [(row["path"], row["label"]) for row in rows] == wanted


def test_what_is_no_recording_is_a_row_that_says_why_and_the_others_go_on(model, tmp_path, emo):
    _recording(tmp_path / "short", True, 1, seconds=5)
    broken = _recording(tmp_path / "broken", True, 1, seconds=9)
    (broken / "TEMP.csv").write_text("1\n4\n31\nwarm\n31\n")
    whole = _recording(tmp_path / "whole", True, 1, seconds=9)
    done = emo("predict", tmp_path / "short", tmp_path / "gone", broken, whole, "-m", model)
    short, gone, damaged, answered = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1 and b"3 of the files could not be read" in done.stderr
    assert "shorter than one window" in short["error"] and "gone has none of BVP.csv" in gone["error"]
    assert "TEMP.csv line 4 holds 'warm'" in damaged["error"] and answered["label"] == "calm"


def test_a_channel_that_the_model_needs_and_the_recording_lacks_is_named(model, tmp_path, emo):
    signals_made.write(tmp_path / "me", 9, files=["BVP.csv", "EDA.csv"])
    done = emo("predict", tmp_path / "me", "-m", model)
    assert done.returncode == 1 and "have no temp" in json.loads(done.stdout)["error"]


def test_rows_are_those_of_the_dataset_that_eval_scores(model, root, tmp_path, emo):
    done = emo("dataset", "signals-folder", root / "own", "-p", f"seconds={SECONDS}", "-p", f"hop={HOP}", "--split",
               "random", "--validation", 0, "--test", 0, "-o", tmp_path / "d.h5")  # fmt: skip
    scored = json.loads(emo("eval", model, "--data", tmp_path / "d.h5", "--split", "all").stdout)
    rows = [json.loads(line) for line in emo("predict", root / "own", "-m", model).stdout.splitlines()]
    right = [row["label"] in Path(row["path"]).parts for row in rows]
    assert done.returncode == 0 and scored["accuracy"]["n"] == len(rows) == 12 * 9
    assert scored["accuracy"]["value"] == pytest.approx(np.mean(right)) and np.mean(right) > 0.9


@pytest.mark.parametrize("option", [["--flip"], ["--views", "3"], ["--detector", "yunet"]])
def test_what_signals_do_not_have_is_refused(model, root, emo, option):
    done = emo("predict", root / "own", "-m", model, *option)
    assert done.returncode == 1 and b"in signals nothing is to be found" in done.stderr


def test_every_window_of_a_state_makes_the_model_more_personal(model, root, tmp_path, emo):
    done = emo("personalize", model, "--sample", f"calm={root / 'own/stress/P01'}", "-o", tmp_path / "mine.onnx")
    assert done.returncode == 0 and b"personal by 9 of calm" in done.stderr
    name = root / "own/stress/P01"
    before, after = (json.loads(emo("predict", name, "-m", each).stdout.splitlines()[0]) for each in
                     (model, tmp_path / "mine.onnx"))  # fmt: skip
    assert after["probabilities"]["calm"] > before["probabilities"]["calm"] + 0.03


def test_live_and_noise_are_for_others_and_say_so(model, root, emo, tmp_path):
    live = emo("live", "--source", root / "own", "-m", model)
    assert live.returncode == 1 and b"is a model of physio, and live is for faces and voices" in live.stderr
    emo("dataset", "signals-folder", root / "own", "-p", "seconds=8", "-p", "hop=8", "-o", tmp_path / "d.h5")
    noisy = emo("eval", model, "--data", tmp_path / "d.h5", "--split", "all", "--noise", "white")
    assert noisy.returncode == 1 and b"noise is for models of speech, and this one is of physio" in noisy.stderr


def test_bench_counts_windows(model, emo):
    row = json.loads(emo("bench", model, "--seconds", 0.1).stdout.splitlines()[-1])
    assert row["input"] == "physio" and row["budget_fps"] == 2 and row["within_budget"]


def test_a_detector_has_nothing_to_find_in_signals(root, emo, tmp_path):
    emo("dataset", "signals-folder", root / "own", "-p", "seconds=8", "-p", "hop=8", "-o", tmp_path / "d.h5")
    done = emo("features", tmp_path / "d.h5", "-x", "eda", "--detector", "auto", "-o", tmp_path / "f.h5")
    assert done.returncode == 1 and b"in physio there is nothing to find; leave out --detector auto" in done.stderr
    assert not (tmp_path / "f.h5").exists()

"""Numbers seen against the same person's others: alike in training, scoring and predicting, and refused elsewhere."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import signals_made

from emocli import teachers
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.extracting import by_person

PEOPLE = {"A": 28.0, "B": 31.0, "C": 34.0, "D": 36.0}
"""How warm each is at rest: more apart than their two states."""


def _recording(folder: Path, warm: float, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    signals_made.write(folder, 24, files=["BVP.csv"])
    degrees = warm + rng.normal(0, 0.1, 97)
    return signals_made.sensor(folder / "TEMP.csv", [f"{value:.3f}" for value in degrees], 4).parent


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people")
    for number, (name, warm) in enumerate(PEOPLE.items()):
        _recording(root / "own" / "calm" / f"{name}_1", warm, number)
        _recording(root / "own" / "stress" / f"{name}_2", warm - 1, number + 9)
    lines = (
        "emo dataset signals-folder own -p subject='(.)_' -p seconds=4 -p hop=2 --validation 0.3 --test 0 -o d.h5",
        "emo features d.h5 -x skin-temperature --by-person -o f.h5",
        "emo train f.h5 --arch logistic --threads 1 -o m.onnx",
    )
    done = subprocess.run(["bash", "-euc", "\n".join(lines)], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def test_each_person_has_mean_0_and_deviation_1_and_what_is_the_same_throughout_is_0() -> None:
    rng = np.random.default_rng(0)
    people = ["A"] * 5 + ["B"] * 7 + ["A"] * 3
    x = (rng.normal(size=(15, 3)) * [1, 100, 0] + [1e4, -3, 0.1]).astype(np.float32)
    found = by_person.standardised(x, people)
    for name in "AB":
        rows = found[np.array(people) == name].astype(np.float64)
        assert np.allclose(rows.mean(axis=0), 0, atol=1e-5)
        assert np.allclose(rows.std(axis=0), [1, 1, 0], atol=1e-5)
    assert found.dtype == np.float32 and not by_person.standardised(x[:1], ["A"]).any()


def test_what_is_a_little_different_by_rounding_alone_is_the_same() -> None:
    x = np.array([[0.1 + 0.2], [0.3]], np.float32).repeat(3, axis=0) * np.float32(1e6)
    assert not by_person.standardised(x, ["A"] * 6).any()


def test_people_are_seen_by_themselves_in_the_features_too(root: Path) -> None:
    with hdf5.open_data(root / "f.h5") as data:
        for name in PEOPLE:
            mean = data.x[:][np.array(data.group) == name, 0]
            assert abs(mean.mean()) < 1e-4 and mean.std() == pytest.approx(1, abs=1e-4)
        assert data.header.step("features")["options"] == {"by_person": True}


def test_people_who_differ_more_than_their_states_are_told_right(root, emo):
    scored = json.loads(emo("eval", "m.onnx", "--split", "validation", cwd=root).stdout)
    assert scored["accuracy"]["value"] > 0.95


def test_a_dataset_is_scored_as_its_features_are(root, emo):
    of = [json.loads(emo("eval", "m.onnx", "--data", name, "--split", "all", cwd=root).stdout) for name in
          ("f.h5", "d.h5")]  # fmt: skip
    assert of[0]["accuracy"] == of[1]["accuracy"] and of[0]["ece"] == of[1]["ece"]


def test_a_recording_is_seen_against_itself(root, tmp_path, emo):
    """Warm for half of the time: which half, not how warm, decides."""
    folder = _recording(tmp_path / "me", 25, 1)
    degrees = [25.0] * 48 + [24.0] * 49
    signals_made.sensor(folder / "TEMP.csv", degrees, 4)
    rows = [json.loads(line) for line in emo("predict", folder, "-m", root / "m.onnx").stdout.splitlines()]
    told = {row["start"]: row["label"] for row in rows}
    assert {told[start] for start in (0, 2, 4, 6)} == {"calm"}
    assert {told[start] for start in (12, 14, 16, 18, 20)} == {"stress"}


def test_such_a_model_needs_no_samples_of_a_person(root, tmp_path, emo):
    done = emo("personalize", root / "m.onnx", "--sample", f"calm={root / 'own/calm/A_1'}", "-o", tmp_path / "p.onnx")
    assert done.returncode == 1 and b"against others of the same person already" in done.stderr
    assert not (tmp_path / "p.onnx").exists()


def test_it_is_for_signals_of_people_who_are_named() -> None:
    for modality, people, says in (("speech", ["A"], "is for signals"), ("physio", ["A", ""], "don't name everybody")):
        with pytest.raises(EmoError, match=says):
            by_person.check(True, modality, people)
        by_person.check(False, modality, people)


def test_a_teacher_that_saw_people_otherwise_is_refused() -> None:
    made = [
        Header("features", ("a",), ({"command": "features", "name": "eda", **options},))
        for options in ({}, {"options": {"by_person": True}})
    ]
    assert [*teachers._differing(*made)] == ["by_person False and True"]


def test_frames_are_no_numbers_of_a_window() -> None:
    frames = ([np.zeros((3, 2), np.float32)], np.array([True]))
    with pytest.raises(EmoError, match="one vector a window"):
        next(by_person.together([frames], ["A"]))

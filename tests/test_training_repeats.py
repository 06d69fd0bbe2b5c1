"""Repeated runs: seeds and folds, mean and interval, the best is the one model, and a killed one continues."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from onnx import numpy_helper
from small_runs import QUICK, SHAPE, three_classes, trained, written

from emocli import onnx_file, pipes
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.scores import mean_interval
from emocli.training import folds, repeats, session
from emocli.training.recipe import LARGEST_SEED, Recipe, Repetition

STEP = {"command": "train", "name": "emotion-cnn", "params": {"width": 8, "dropout": 0.3}}
# so little that seeds differ
SHORT = replace(QUICK, epochs=2, lr=3e-4)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_classes(tmp_path_factory.mktemp("data") / "features.h5")


def write(
    features: Path,
    out: Path,
    repetition: Repetition,
    recipe: Recipe = SHORT,
    *,
    resume: bool = False,
    killed_at: str = "never",
) -> list[str]:
    """Write a model and its scores beside it; returns what was said."""
    notes: list[str] = []

    def note(text: str) -> None:
        if text.startswith(killed_at):
            raise Killed
        notes.append(text)

    how = session.How(resume, False, False, note, repetition, out.with_suffix(".jsonl"))
    session.forget(session.write(pipes.read(str(features), "features"), out, dict(STEP), recipe, how))
    return notes


def scores(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def three_seeds(features: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The best of three seeds, and what was said."""
    out = tmp_path_factory.mktemp("three") / "three.onnx"
    return out, write(features, out, Repetition(seeds=3))


def test_seeds_are_those_of_single_runs_and_the_best_is_kept(
    features: Path, three_seeds: tuple[Path, list[str]]
) -> None:
    out, notes = three_seeds
    with hdf5.open_data(features) as data:
        singles = [trained(data, replace(SHORT, seed=seed)) for seed in range(3)]
    *rows, whole = scores(out)
    found = [(row["seed"], row["epoch"], row["accuracy"], row["n"]) for row in rows]
    assert found == [(seed, one.best_epoch, one.accuracy, 80) for seed, one in enumerate(singles)]
    accuracies = [one.accuracy for one in singles]
    assert len(set(accuracies)) > 1, "the runs should differ, or this test says nothing"
    best = accuracies.index(max(accuracies))
    step = onnx_file.read_header(out).steps[-1]
    assert (step["options"]["seeds"], step["options"]["seed"], step["chosen"]) == (3, 0, {"seed": best})
    weights = {each.name: numpy_helper.to_array(each) for each in onnx_file.load(out).graph.initializer}
    kept = {name: weight.detach().numpy() for name, weight in singles[best].net.named_parameters()}
    assert kept and all((weights[name] == weight).all() for name, weight in kept.items())
    assert whole["chosen"] == {"seed": best} and whole["accuracy"]["n"] == 3  # type: ignore[index]
    assert whole["accuracy"]["value"] == pytest.approx(np.mean(accuracies))  # type: ignore[index]
    assert any("Student's t" in text and "n = 3 runs" in text for text in notes)


def test_a_single_run_records_nothing_of_repetition(features: Path, tmp_path: Path) -> None:
    write(features, tmp_path / "one.onnx", Repetition())
    step = onnx_file.read_header(tmp_path / "one.onnx").steps[-1]
    assert not {"seeds", "folds"} & set(step["options"]) and "chosen" not in step
    row, whole = scores(tmp_path / "one.onnx")
    assert whole["accuracy"] == {"value": row["accuracy"], "low": None, "high": None, "n": 1}


def killed_and_continued(features: Path, out: Path, repetition: Repetition, at: str) -> list[bytes]:
    """Return the model and the scores of a run that was killed before its third."""
    with pytest.raises(Killed):
        write(features, out, repetition, killed_at=at)
    assert not out.exists()
    notes = write(features, out, repetition, resume=True)
    assert notes.count("continues after epoch 2 of 2") == 2
    return both(out)


def both(out: Path) -> list[bytes]:
    return [out.read_bytes(), out.with_suffix(".jsonl").read_bytes()]


def test_killed_seeds_continue_to_the_same_bytes(
    features: Path, tmp_path: Path, three_seeds: tuple[Path, list[str]]
) -> None:
    made = killed_and_continued(features, tmp_path / "killed.onnx", Repetition(seeds=3), "seed 2")
    assert made == both(three_seeds[0])


def test_a_run_continues_with_other_threads_and_another_time_limit_and_says_where_nothing_is_to_continue(
    features: Path, tmp_path: Path
) -> None:
    anew, whole = "nothing to continue: starts anew", "continues after epoch 2 of 2"
    recipe = replace(SHORT, seed=7)
    with pytest.raises(Killed):
        write(features, tmp_path / "a.onnx", Repetition(), recipe, killed_at="keeps")
    elsewhere = replace(recipe, threads=2, time_limit=60.0)
    with pytest.raises(Killed):
        write(features, tmp_path / "a.onnx", Repetition(), elsewhere, killed_at="this very run was stopped")
    notes = write(features, tmp_path / "a.onnx", Repetition(), elsewhere, resume=True)
    assert whole in notes and anew not in notes
    notes = write(features, tmp_path / "b.onnx", Repetition(), elsewhere, resume=True)
    assert whole not in notes and notes.count(anew) == 1


def test_killed_folds_continue_to_the_same_bytes(features: Path, tmp_path: Path) -> None:
    write(features, tmp_path / "whole.onnx", Repetition(folds=3))
    made = killed_and_continued(features, tmp_path / "killed.onnx", Repetition(folds=3), "fold 3")
    assert made == both(tmp_path / "whole.onnx")


def test_each_row_is_in_the_validation_part_of_one_fold_and_the_test_part_stays(tmp_path: Path) -> None:
    y, split = np.arange(120) % 3, np.repeat(["train", "validation", "test"], 40)
    with hdf5.open_data(written(tmp_path / "f.h5", y, split)) as data:
        views = folds.divided(data, 5, seed=0)
        again = folds.divided(data, 5, seed=0)
        other = folds.divided(data, 5, seed=1)
    validated = np.concatenate([view.rows("validation") for view in views])
    assert sorted(validated.tolist()) == list(range(80))
    for view in views:
        assert view.rows("test").tolist() == list(range(80, 120))
        assert len(view.rows("train")) + len(view.rows("validation")) == 80
        assert np.ptp(np.bincount(y[view.rows("validation")], minlength=3)) <= 1
    assert (data.split == split).all()
    assert all((one.split == two.split).all() for one, two in zip(views, again, strict=True))
    assert not all((one.split == two.split).all() for one, two in zip(views, other, strict=True))
    # whatever part they were in
    split[:80] = np.where(y[:80] == 1, "validation", "train")
    with hdf5.open_data(written(tmp_path / "o.h5", y, split)) as data:
        anew = folds.divided(data, 5, seed=0)
    assert all((one.split == two.split).all() for one, two in zip(views, anew, strict=True))


def with_subjects(path: Path, groups: list[str]) -> Path:
    n = len(groups)
    writer = Writer(path, count=n)
    writer.append(np.zeros((n, *SHAPE), np.uint8))
    header = Header("features", ("a", "b", "c"), ({"command": "features", "name": "pixels"},))
    writer.finish(header, np.arange(n) % 3, "label", np.where(np.arange(n) % 4, "train", "validation"), groups)
    return path


def test_a_subject_is_whole_in_one_fold_and_a_row_without_name_is_one(tmp_path: Path) -> None:
    groups = [f"s{row // 9}" for row in range(90)] + [""] * 10
    with hdf5.open_data(with_subjects(tmp_path / "f.h5", groups)) as data:
        views = folds.divided(data, 4, seed=0)
    for view in views:
        mine, others = ({groups[row] for row in view.rows(part)} - {""} for part in ("validation", "train"))
        assert mine and not mine & others
    assert sum(any(row >= 90 for row in view.rows("validation")) for view in views) > 1


def test_more_folds_than_subjects_or_rows_are_refused(tmp_path: Path, features: Path) -> None:
    with hdf5.open_data(with_subjects(tmp_path / "f.h5", [f"s{row % 3}" for row in range(90)])) as data:
        assert len(folds.divided(data, 3, seed=0)) == 3
        with pytest.raises(EmoError, match="--folds 4 is more than the 3 subjects"):
            folds.divided(data, 4, seed=0)
    with hdf5.open_data(features) as data, pytest.raises(EmoError, match="more than the 80 rows of the largest class"):
        folds.divided(data, 81, seed=0)


def test_more_folds_than_rows_of_any_class_are_refused_though_there_are_subjects(tmp_path: Path) -> None:
    with (
        hdf5.open_data(with_subjects(tmp_path / "f.h5", [f"s{row}" for row in range(12)])) as data,
        pytest.raises(EmoError, match="--folds 6 is more than the 4 rows of the largest class"),
    ):
        folds.divided(data, 6, seed=0)


def test_seeds_beyond_the_largest_are_refused_before_any_run(features: Path) -> None:
    with hdf5.open_data(features) as data, pytest.raises(EmoError, match="--seed 4294967296 is too large"):
        repeats.planned(data, replace(SHORT, seed=LARGEST_SEED), Repetition(seeds=2))


@pytest.mark.parametrize(
    ("repetition", "words"),
    [
        (Repetition(seeds=0), "--seeds 0"),
        (Repetition(folds=1), "--folds 1"),
        (Repetition(folds=-2), "--folds -2"),
        (Repetition(seeds=2, folds=2), "give one of them"),
    ],
)
def test_repetition_that_makes_no_sense_is_refused(repetition: Repetition, words: str) -> None:
    with pytest.raises(EmoError, match=words):
        repeats.options(repetition)


def test_the_interval_is_students() -> None:
    # 4.303 is the 97.5 % point of the t distribution with two degrees of freedom
    found = mean_interval.over_runs([1.0, 2.0, 3.0])
    assert found["high"] - 2 == pytest.approx(4.3027 / 3**0.5, rel=1e-4) and 2 - found["low"] == found["high"] - 2
    assert mean_interval.over_runs([0.9, 1.0], bounds=(0, 1))["high"] == 1


def test_scores_obey_the_rules_of_outputs(emo: Run, features: Path, tmp_path: Path) -> None:
    train = ("train", features, "--arch", "emotion-cnn", "-p", "width=8", "--epochs", 1, "--threads", 1, "--seeds", 2)
    for scores_at, words in (
        ("m.onnx", b"no file of its own"),
        ("-", b"no file of its own"),
        ("no/s.jsonl", b"no folder no;"),
    ):
        done = emo(*train, "-o", "m.onnx", "--scores", scores_at, cwd=tmp_path)
        assert done.returncode == 1 and words in done.stderr and done.stderr.count(b"\n") == 1
    (tmp_path / "there.jsonl").write_text("mine")
    done = emo(*train, "-o", "m.onnx", "--scores", "there.jsonl", cwd=tmp_path)
    assert done.returncode == 1 and b"exists; replace it with --force" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["there.jsonl"]
    assert (tmp_path / "there.jsonl").read_text() == "mine"


def test_a_student_is_repeated_too_and_its_pipeline_can_be_replayed(emo: Run, features: Path, tmp_path: Path) -> None:
    write(features, tmp_path / "t.onnx", Repetition())
    small = ("--arch", "emotion-cnn", "-p", "width=8", "--epochs", 1, "--threads", 1)
    done = emo("distill", "t.onnx", *small, "--folds", 2, "--scores", "s.jsonl", "-o", "s.onnx", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(text) for text in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [row.get("fold") for row in rows] == [1, 2, None] and [row["n"] for row in rows[:2]] == [120, 120]
    assert emo("replay", "s.onnx", cwd=tmp_path).stdout.decode().strip().endswith("--folds 2")
    scored = emo("eval", "s.onnx", "--split", "validation", cwd=tmp_path)
    assert b"learned from rows of this validation part" in scored.stderr
    timed = emo("bench", "s.onnx", "--seconds", 0, cwd=tmp_path)
    assert b"the accuracy is of a validation part that was learned from" in timed.stderr

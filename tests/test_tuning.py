"""Searching options: what can be asked, trials that fail or are killed, and that the test part has no say."""

import gc
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Run
from small_model import write_model
from small_runs import QUICK, SHAPE, three_classes, written

from emocli import pipes
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.training.recipe import Recipe
from emocli.training.rows import Rows
from emocli.tuning import space, study, trials
from emocli.tuning.space import Choice, Range
from emocli.tuning.study import Limits

KNOWN = trials.known("se-resnet")
SPACE = space.parse(["lr=1e-4..1e-1:log", "batch=16..64:16", "optimizer=adamw,sgd"], KNOWN)
Objective = Callable[[Mapping[str, Any], study.Report], tuple[float, dict[str, Any]]]


class Killed(BaseException):
    """Stands for a signal that ends the process."""


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_classes(tmp_path_factory.mktemp("data") / "features.h5")


def hill(values: Mapping[str, Any], report: study.Report) -> tuple[float, dict[str, Any]]:
    """A figure that is known: best at a rate of 0.01 with sgd, and half of it after the first of two epochs."""
    height = 1 / (1 + (np.log10(values["lr"]) + 2) ** 2) - 0.1 * (values["optimizer"] == "adamw")
    report(1, height / 2)
    report(2, height)
    return height, {"epoch": 2}


def searched(
    path: Path, objective: Objective = hill, wanted: int = 8, *, pruned: bool = False, minutes: float = 0.0
) -> tuple[list[dict[str, Any]], list[str]]:
    """Search in a study; returns its rows and what was said."""
    notes: list[str] = []
    limits = Limits(wanted, minutes, 0 if pruned else None)
    with study.opened(path, {"data": "d"}) as opened:
        study.search(opened, SPACE, objective, limits, 3, notes.append)
        return study.rows(opened, 10), notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr=1e-4..1e-2:log", Range(1e-4, 1e-2, log=True)),
        ("epochs=20..40", Range(20, 40)),
        ("p.width=16..50:16", Range(16, 48, step=16)),
        ("mixup=0..0.3:0.1", Range(0.0, 0.3, step=0.1)),
        ("mixup=0,0.2,0.4", Choice((0.0, 0.2, 0.4))),
        ("drop-leaks=yes,no", Choice((True, False))),
        ("optimizer=adamw,sgd", Choice(("adamw", "sgd"))),
        ("milestones=0.5,0.75;0.3,0.6", Choice(("0.5,0.75", "0.3,0.6"))),
        ("init=../a.onnx,none", Choice(("../a.onnx", "none"))),
    ],
)
def test_values_have_the_type_of_the_options_default(text: str, expected: Range | Choice) -> None:
    (found,) = space.parse([text], KNOWN).values()
    assert found == expected
    ends = found.values if isinstance(found, Choice) else (found.low, found.high)
    wanted = expected.values if isinstance(expected, Choice) else (expected.low, expected.high)
    assert [type(end) for end in ends] == [type(end) for end in wanted]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([], "nothing to search"),
        (["lr"], "not NAME=VALUES"),
        (["lr="], "not NAME=VALUES"),
        (["lrr=1..2"], r"did you mean lr\?"),
        (["p.widht=8,16"], r"did you mean p.width\?"),
        (["lr=0.1"], "leaves nothing to choose; give several values, or --lr 0.1 alone"),
        (["label-smoothing=0.1"], "or --label-smoothing 0.1 alone"),
        (["p.width=8"], "or -p width=8 alone"),
        (["lr=0.1,0.1"], "leaves nothing to choose"),
        (["lr=1..0.1"], "must be the smaller"),
        (["lr=0..1:log"], "begin above 0"),
        (["lr=0.1..nan"], "is not a number"),
        (["lr=a..b"], "not a number"),
        (["epochs=1.5..3"], "not a whole number"),
        (["epochs=1..3:5"], "does not fit"),
        (["epochs=1..3:0"], "does not fit"),
        (["optimizer=a..b"], "has no range"),
        (["oversample=0..1"], "has no range"),
        (["lr=1..2", "lr=3,4"], "twice"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_in_one_line(texts: list[str], words: str) -> None:
    with pytest.raises(EmoError, match=words) as fault:
        space.parse(texts, KNOWN)
    assert "\n" not in str(fault.value)


def test_a_search_finds_more_than_its_first_draws_and_shows_the_best_first(tmp_path: Path) -> None:
    rows, _ = searched(tmp_path / "s.db", wanted=22)
    accuracies = [row["accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True) and accuracies[0] > 0.95
    first, later = ([row["accuracy"] for row in rows if (row["trial"] < 10) == early] for early in (True, False))
    assert np.mean(later) > np.mean(first)
    assert all(row["parameters"]["batch"] in (16, 32, 48, 64) for row in rows)


def test_values_that_were_tried_are_not_tried_again(tmp_path: Path) -> None:
    tried: list[Any] = []

    def counted(values: Mapping[str, Any], report: study.Report) -> tuple[float, dict[str, Any]]:
        tried.append(values["batch"])
        return values["batch"] / 100, {"epoch": 1}

    notes: list[str] = []
    with study.opened(tmp_path / "s.db", {"data": "d"}) as opened:
        two = space.parse(["batch=16,32"], KNOWN)
        study.search(opened, two, counted, Limits(6, 0.0, None), 3, notes.append)
        rows = study.rows(opened, 10)
    assert len(tried) == len(set(tried)) == 2 and len(rows) == 6 and all(row["epoch"] == 1 for row in rows)
    assert sum("as before with these values" in note for note in notes) == 4


@pytest.mark.parametrize("pruned", [False, True])
def test_a_killed_search_continues_to_the_same_trials(tmp_path: Path, pruned: bool) -> None:
    whole, _ = searched(tmp_path / "whole.db", wanted=13, pruned=pruned)
    begun = 0

    def dies_in_the_eleventh(values: Mapping[str, Any], report: study.Report) -> tuple[float, dict[str, Any]]:
        nonlocal begun
        begun += 1
        if begun == 11:
            report(1, 1.0)
            raise Killed
        return hill(values, report)

    with pytest.raises(Killed):
        searched(tmp_path / "killed.db", dies_in_the_eleventh, 13, pruned=pruned)
    rows, notes = searched(tmp_path / "killed.db", wanted=13, pruned=pruned)
    assert rows == whole and len(notes) == 3
    assert searched(tmp_path / "killed.db", wanted=13, pruned=pruned) == (whole, [])


def test_a_trial_below_the_median_is_given_up(tmp_path: Path) -> None:
    rows, notes = searched(tmp_path / "s.db", wanted=14, pruned=True)
    given_up = [row for row in rows if row["state"] == "pruned"]
    assert given_up and all(row["epoch"] in (1, 2) and row["trial"] >= 5 for row in given_up)
    assert any("given up after epoch 1" in text for text in notes)
    assert rows[0]["state"] == "complete" and rows[-1]["state"] == "pruned"
    assert {row["n"] for row in rows} == {10}


def test_a_trial_that_fails_counts_and_does_not_end_the_search(tmp_path: Path) -> None:
    def cliff(values: Mapping[str, Any], report: study.Report) -> tuple[float, dict[str, Any]]:
        if values["optimizer"] == "sgd":
            raise EmoError("the loss is no finite number")
        if values["batch"] == 64:
            raise MemoryError
        return hill(values, report)

    rows, notes = searched(tmp_path / "s.db", cliff, 12)
    failed = [row for row in rows if row["state"] == "failed"]
    assert len(rows) == 12 and 0 < len(failed) < 12 and rows[-len(failed) :] == failed
    assert {"the loss is no finite number"} <= {row["reason"] for row in failed}
    assert all(row["accuracy"] is None for row in failed) and any("failed: the loss" in text for text in notes)


def test_time_that_is_over_ends_the_search_and_it_can_go_on(tmp_path: Path) -> None:
    rows, notes = searched(tmp_path / "s.db", minutes=1e-9)
    assert not rows and notes == ["1e-09 minutes are over after 0 of 8 trials; the same line goes on"]
    assert len(searched(tmp_path / "s.db")[0]) == 8


def test_time_that_is_over_before_any_trial_is_named(features: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"^no trial was begun in 1e-09 minutes; give more with --timeout"):
        tuned(features, ["lr=1e-4..1e-2"], tmp_path / "s.db", minutes=1e-9)


def test_a_study_of_another_question_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    rows, _ = searched(tmp_path / "s.db", wanted=2)
    with pytest.raises(EmoError, match="is a study with other data;"), study.opened(tmp_path / "s.db", {"data": "e"}):
        pass
    assert searched(tmp_path / "s.db", wanted=2)[0] == rows


def test_two_searches_at_once_in_one_study_are_refused(tmp_path: Path) -> None:
    with study.opened(tmp_path / "s.db", {}):  # noqa: SIM117
        with pytest.raises(EmoError, match="another emo tune"), study.opened(tmp_path / "s.db", {}):
            pass


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" + bytes(600), b"SQLite format 3\0" + bytes(90)])
def test_a_file_that_is_no_study_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(EmoError, match="not a study"), study.opened(tmp_path / "file", {}):
        pass
    assert (tmp_path / "file").read_bytes() == content


@pytest.mark.parametrize("table", ["mine", "studies"])
def test_a_database_of_something_else_is_refused_untouched(tmp_path: Path, table: str) -> None:
    base = sqlite3.connect(tmp_path / "mine.db")
    base.execute(f"CREATE TABLE {table} (x)")
    base.close()
    before = (tmp_path / "mine.db").read_bytes()
    with pytest.raises(EmoError, match="something else"), study.opened(tmp_path / "mine.db", {}):
        pass
    assert (tmp_path / "mine.db").read_bytes() == before


def test_the_line_of_a_trial_leaves_out_what_is_as_by_default() -> None:
    fixed = trials.Fixed("se-resnet", {"depth": "10"}, Recipe(epochs=3, ema=0.0), False)
    line = trials.command(fixed, {"lr": 0.01, "oversample": True, "p.width": 16, "drop_leaks": True}, "my faces.h5")
    assert line == (
        "emo train --arch se-resnet -p depth=10 -p width=16 --epochs 3 --lr 0.01 --oversample --ema 0.0 --drop-leaks "
        "'my faces.h5' -o best.onnx"
    )
    assert trials.command(fixed, {}, "-").endswith("--ema 0.0 -o best.onnx")


SMALL = ("--arch", "emotion-cnn", "--epochs", 2, "--batch", 32, "--threads", 1)
SEARCH = ("--search", "lr=1e-4..1e-2:log", "--search", "p.width=4,8")


def test_the_line_that_comes_out_trains_to_the_same_accuracy(emo: Run, features: Path, tmp_path: Path) -> None:
    line = ("tune", features, *SMALL, *SEARCH, "--search", "drop-leaks=yes,no", "--trials", 2, "--study", "s.db")
    done = emo(*line, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    assert len(rows) == 2 and rows[0]["state"] == "complete" and rows[0]["n"] == 80
    command = rows[0]["command"]
    assert done.stderr.decode().strip().endswith(command) and command.startswith("emo train --arch emotion-cnn")
    trained = emo(*command.split()[1:], "--scores", "s.jsonl", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    score = json.loads((tmp_path / "s.jsonl").read_text().splitlines()[0])
    assert all(score[key] == rows[0][key] for key in ("accuracy", "epoch", "n"))


def with_test_part(path: Path, bright: int) -> Path:
    """The three classes with 40 rows to test on, of some brightness."""
    y, split = np.arange(160) % 3, np.repeat(["train", "validation", "test"], [80, 40, 40])
    noise = np.random.default_rng(0).integers(0, 60, (160, *SHAPE))
    noise[:120] += 90 * y[:120, None, None, None]
    noise[120:] = bright
    writer = Writer(path, count=160)
    writer.append(noise.astype(np.uint8))
    header = Header("features", ("a", "b", "c"), ({"command": "features", "name": "pixels"},))
    writer.finish(header, np.where(split == "test", bright % 3, y), "label", split)
    return path


def tuned(path: Path, searches: list[str], place: Path, wanted: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """Search with real training; `changes` are options and params that are fixed, and the minutes it may take."""
    params, minutes = changes.pop("params", {}), changes.pop("minutes", 0)
    recipe = replace(QUICK, epochs=2, **changes)
    fixed = trials.Fixed("emotion-cnn", params, recipe, False)
    wished, source = space.parse(searches, trials.known("emotion-cnn")), pipes.read(str(path), "features")
    limits = Limits(wanted, minutes, None)
    return trials.run(source, fixed, wished, limits, str(place), lambda text: None, progress=False)


def test_the_test_part_has_no_say(tmp_path: Path) -> None:
    paths = [with_test_part(tmp_path / f"{bright}.h5", bright) for bright in (10, 200)]
    answers = [tuned(path, ["lr=1e-4..1e-2:log"], path.with_suffix(".db"), 2) for path in paths]
    assert answers[0] == answers[1] and answers[0][0]["n"] == 40


def test_what_parts_share_is_told_once_a_study(tmp_path: Path) -> None:
    path = written(tmp_path / "f.h5", np.arange(60) % 3, np.repeat(["train", "validation"], 30))
    with h5py.File(path, "a") as file:
        file["face/x"][40] = file["face/x"][4]
    notes: list[str] = []
    fixed, source = trials.Fixed("emotion-cnn", {}, replace(QUICK, epochs=1), False), pipes.read(str(path), "features")
    wished = space.parse(["lr=1e-4,1e-2"], trials.known("emotion-cnn"))
    trials.run(source, fixed, wished, Limits(2, 0, None), str(tmp_path / "s.db"), notes.append, progress=False)
    assert notes.count("1 rows of validation are in train as well") == 1, notes


def test_rows_that_were_looked_at_first_are_let_go_before_the_trials(features: Path, tmp_path: Path) -> None:
    held = list[int]()

    def note(text: str) -> None:
        if text.startswith("trial"):
            gc.collect()
            held.append(sum(type(each) is Rows for each in gc.get_objects()))

    fixed = trials.Fixed("emotion-cnn", {}, replace(QUICK, epochs=1), False)
    wished, source = space.parse(["lr=1e-4,1e-2"], trials.known("emotion-cnn")), pipes.read(str(features), "features")
    trials.run(source, fixed, wished, Limits(1, 0, None), str(tmp_path / "s.db"), note, progress=False)
    assert held == [0]


@pytest.mark.parametrize(
    ("search", "changes", "words"),
    [
        ("lr=1e-4..1e-2", {"lr": 0.1}, "lr: both given and searched"),
        ("p.width=4,8", {"params": {"width": "4"}}, "p.width: both given and searched"),
        ("p.width=4,8", {"params": {"heads": "2"}}, "has no option 'heads'"),
        ("time_mask=0..0.3", {}, "no use for time_mask; search other options"),
        ("restart-epochs=2..6", {}, "restart_epochs changes nothing beside the other options"),
        ("center-rate=0.1,0.5", {}, "center_rate changes nothing beside the other options"),
        ("flip=0.3,0.5", {"augment": "none"}, "--augment none leaves out flip 0.5, its default"),
        ("rotate=5,12", {"augment": "light"}, "--augment light leaves out rotate 12.0, its default"),
        ("lr=1e30,1e31", {"ema": 0.0, "warmup": 0.0}, r"no trial ended well \(the loss was no finite number"),
    ],
)
def test_what_can_not_be_searched_is_an_error(
    features: Path, tmp_path: Path, search: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(EmoError, match=words):
        tuned(features, [search], tmp_path / "s.db", **changes)


def test_what_a_fitted_model_has_no_use_for_is_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "vectors.h5"
    writer = Writer(path, count=60)
    writer.append(np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32))
    header = Header("features", ("a", "b", "c"), ({"command": "features", "name": "lbp"},))
    writer.finish(header, np.arange(60) % 3, "label", np.repeat(["train", "validation"], 30))
    fixed, source = trials.Fixed("logistic", {}, QUICK, False), pipes.read(str(path), "features")
    wished = space.parse(["lr=1e-4,1e-2"], trials.known("logistic"))
    with pytest.raises(EmoError, match="logistic is fitted at once and has no use for lr"):
        trials.run(source, fixed, wished, Limits(1, 0, None), str(tmp_path / "s.db"), str, progress=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("search", "changes", "says"),
    [
        ("batch=0,64", {}, "--batch 0 is too small"),
        ("mixup=0..2000", {}, "--mixup 2000.0 is too large"),
        ("freeze=0.5,1.5", {}, "--freeze 1.5 is too large; use less than 1"),
        ("optimizer=adamw,adam", {}, "--optimizer adam is none of adamw, sgd, muon"),
        ("lr=1e-4..1e-2", {"schedule": "cosin"}, "--schedule cosin is none of"),
        ("milestones=0.5;50,75", {}, "--milestones 50,75 are no shares"),
        ("class-weights=none;dark", {}, "--class-weights dark is none of"),
        ("patience=1,2", {"keep": "last"}, "--patience waits for a better epoch, so it needs --keep best"),
    ],
)
def test_no_trial_is_spent_on_what_can_t_be(
    features: Path, tmp_path: Path, search: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(EmoError, match=rf"^{says}"):
        tuned(features, [search], tmp_path / "s.db", 4, batch=Recipe().batch, **changes)


@pytest.mark.parametrize(
    ("search", "fewest"), [(["epochs=4,10"], 4), (["epochs=7..20"], 7), (["lr=1e-4,1e-3"], Recipe().epochs)]
)
def test_trials_are_given_up_after_a_fifth_of_the_shortest(search: list[str], fewest: int) -> None:
    assert trials.fewest_epochs(Recipe(), space.parse(search, trials.known("student"))) == fewest


def test_data_without_a_validation_part_are_refused_before_any_trial(tmp_path: Path) -> None:
    path = written(tmp_path / "f.h5", np.arange(60) % 3, np.repeat(["train", "test"], 30))
    with pytest.raises(EmoError, match="no validation part"):
        tuned(path, ["lr=1e-4..1e-2"], tmp_path / "s.db")


def test_a_study_goes_on_with_its_own_data_and_options_only(features: Path, tmp_path: Path) -> None:
    first = tuned(features, ["p.width=4,8"], tmp_path / "s.db")
    with pytest.raises(EmoError, match="is a study with other data;"):
        tuned(with_test_part(tmp_path / "other.h5", 0), ["p.width=4,8"], tmp_path / "s.db")
    with pytest.raises(EmoError, match="is a study with other options;"):
        tuned(features, ["p.width=4,8"], tmp_path / "s.db", clip=1.0)
    with pytest.raises(EmoError, match="is a study with other values to search;"):
        tuned(features, ["p.width=4,16"], tmp_path / "s.db")
    assert tuned(features, ["p.width=4,8"], tmp_path / "s.db", device="auto") == first


def test_a_model_to_begin_as_is_the_one_that_it_was(features: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "a.onnx")
    rows = tuned(features, [f"init={model},none"], tmp_path / "s.db", 3)
    assert {row["parameters"]["init"] for row in rows} <= {pipes.read(str(model), "model").digest, "none"}
    write_model(model, seed=1)
    with pytest.raises(EmoError, match="is a study with other values to search;"):
        tuned(features, [f"init={model},none"], tmp_path / "s.db", 3)


def test_a_wrong_call_is_one_line_and_writes_nothing(emo: Run, features: Path, tmp_path: Path) -> None:
    for words, expected in ((("--trials", 0), b"is no search"), (("--study", "no/s.db"), b"can't be a study")):
        done = emo("tune", features, *SMALL, *SEARCH, *words, cwd=tmp_path)
        assert done.returncode == 1 and not done.stdout and not list(tmp_path.iterdir())
        assert expected in done.stderr and done.stderr.count(b"\n") == 1


def test_several_processes_do_not_share_a_study(emo: Run, features: Path) -> None:
    done = emo("tune", features, *SMALL, *SEARCH, env={**os.environ, "RANK": "0", "WORLD_SIZE": "2"})
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "emo: emo tune is one process, a study has one writer; leave out torchrun and use --threads"
    ]


def test_without_optuna_the_line_that_adds_it_is_named(emo: Run, features: Path, tmp_path: Path) -> None:
    (tmp_path / "optuna.py").write_text("raise ModuleNotFoundError(\"No module named 'optuna'\", name='optuna')\n")
    paths = f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}:{Path(__file__).parents[1]}"
    done = emo("tune", features, *SEARCH, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 1 and done.stderr.strip().endswith(b"pip install 'emocli[tune]'")

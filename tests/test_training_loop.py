"""The loop: same seed same bytes, a killed run continues, best weights kept, bad data refused in one line."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from conftest import write_features
from small_runs import CLASSES, QUICK, model_bytes, same_weights, small_net, three_classes, trained, written
from small_sequences import write_sequences
from torch import nn

from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5_ragged import Ragged
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.training import loop, rows, run, step
from emocli.training.precision import Plan
from emocli.training.recipe import Distillation
from emocli.training.teaching import Taught


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hdf5.Data]:
    with hdf5.open_data(three_classes(tmp_path_factory.mktemp("data") / "features.h5")) as opened:
        yield opened


def halves(n: int) -> np.ndarray:
    return np.where(np.arange(n) % 2, "validation", "train")


def test_it_learns_and_returns_the_weights_of_the_best_epoch(data: hdf5.Data) -> None:
    outcome = trained(data, replace(QUICK, epochs=12, lr=5e-3, augment="light"))
    assert outcome.accuracy > 0.9
    assert outcome.accuracy == max(epoch["accuracy"] for epoch in outcome.history)
    assert outcome.history[outcome.best_epoch - 1]["accuracy"] == outcome.accuracy
    assert not outcome.net.training


def test_the_same_seed_gives_the_same_model_byte_for_byte(data: hdf5.Data) -> None:
    assert model_bytes(trained(data)) == model_bytes(trained(data))


def test_another_seed_gives_another_model(data: hdf5.Data) -> None:
    assert not same_weights(trained(data), trained(data, replace(QUICK, seed=1)))


def test_training_leaves_the_global_generator_alone(data: hdf5.Data) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    trained(data, replace(QUICK, epochs=1))
    assert torch.equal(torch.rand(1), expected)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def test_a_killed_run_continues_to_the_same_bytes(data: hdf5.Data, tmp_path: Path) -> None:
    state = tmp_path / "state.h5"
    asked = 0

    def dies_in_the_third_epoch(x: np.ndarray) -> Taught:
        nonlocal asked
        asked += 1
        if asked > 40:
            raise Killed
        return teacher(x)

    lesson = {"distillation": Distillation(), "resume": state}
    with pytest.raises(Killed):
        trained(data, teacher=dies_in_the_third_epoch, **lesson)
    notes: list[str] = []
    continued = trained(data, teacher=teacher, note=notes.append, **lesson)
    assert "continues after epoch 2 of 4" in notes
    assert model_bytes(continued) == model_bytes(trained(data, teacher=teacher, distillation=Distillation()))
    assert len(continued.history) == 4


def test_a_state_that_can_t_be_written_is_said_once_and_costs_no_model(data: hdf5.Data, tmp_path: Path) -> None:
    notes: list[str] = []
    (tmp_path / "file").touch()
    outcome = trained(data, resume=tmp_path / "file" / "state.h5", note=notes.append)
    (said,) = (note for note in notes if "state of the run" in note)
    assert "File exists" in said and "set EMO_HOME" in said
    assert model_bytes(outcome) == model_bytes(trained(data))


def test_a_state_of_another_run_is_refused(data: hdf5.Data, tmp_path: Path) -> None:
    trained(data, replace(QUICK, epochs=1), resume=tmp_path / "state.h5")
    with pytest.raises(EmoError, match="other data or options"):
        trained(data, replace(QUICK, epochs=2), resume=tmp_path / "state.h5")


@pytest.mark.parametrize("content", [b"", b"not a state", b"\x89HDF\r\n\x1a\n" + bytes(64)])
def test_a_file_that_is_no_state_is_refused(data: hdf5.Data, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.h5").write_bytes(content)
    with pytest.raises(EmoError, match="is not the state of a run"):
        trained(data, resume=tmp_path / "state.h5")


@pytest.mark.parametrize(("accuracy", "said"), [(1 / 3, True), (0.4, False)])
def test_a_run_that_learned_nothing_says_so(
    data: hdf5.Data, accuracy: float, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(loop.step, "evaluate", lambda *run: accuracy)
    trained(data, replace(QUICK, epochs=1), note=notes.append)
    assert any("nothing is learned; try more --epochs" in note for note in notes) == said


def test_a_state_that_lacks_something_is_refused(data: hdf5.Data, tmp_path: Path) -> None:
    state = tmp_path / "state.h5"
    trained(data, replace(QUICK, epochs=1), resume=state)
    with h5py.File(state, "a") as file:
        del file["moments"]
    with pytest.raises(EmoError, match="damaged state"):
        trained(data, replace(QUICK, epochs=1), resume=state)


def test_a_run_that_begins_anew_leaves_the_state_of_the_one_before_until_its_first_epoch_ended(
    data: hdf5.Data, tmp_path: Path
) -> None:
    state = tmp_path / "state.h5"
    whole = trained(data, resume=state)

    def killed(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(data, resume=state, anew=True, note=killed)
    notes: list[str] = []
    trained(data, resume=state, note=notes.append)
    assert any(note.startswith("continues after") for note in notes)
    assert model_bytes(trained(data, resume=state, anew=True)) == model_bytes(whole)


def test_numbers_that_nothing_can_be_trained_with_are_refused_before_anything_runs(data: hdf5.Data) -> None:
    notes: list[str] = []
    for changes in ({"batch": 0}, {"epochs": -1}):
        with pytest.raises(EmoError, match="is too small"):
            trained(data, replace(QUICK, **changes), note=notes.append)
    with pytest.raises(EmoError, match="--temperature"):
        trained(data, teacher=teacher, distillation=Distillation(temperature=0.0), note=notes.append)
    assert notes == []


def test_a_loss_that_is_no_number_stops_and_keeps_the_best_so_far(data: hdf5.Data) -> None:
    asked = 0

    def goes_astray(x: np.ndarray) -> Taught:
        nonlocal asked
        asked += 1
        return Taught(teacher(x).logits * (np.nan if asked > 20 else 1))

    notes: list[str] = []
    outcome = trained(data, teacher=goes_astray, note=notes.append)
    assert len(outcome.history) == 1 and outcome.best_epoch == 1
    assert "the loss is no finite number in epoch 2: stops, and keeps epoch 1" in notes
    assert all(torch.isfinite(weight).all() for weight in outcome.net.parameters())


def test_a_loss_that_never_is_a_number_is_an_error_that_says_what_to_change(data: hdf5.Data) -> None:
    with pytest.raises(EmoError, match="lower --lr"):
        trained(data, replace(QUICK, lr=1e30, warmup=0.0, ema=0.0))


def test_early_stopping_ends_a_run_that_does_not_improve(data: hdf5.Data) -> None:
    outcome = trained(data, replace(QUICK, epochs=30, lr=0.0, patience=2))
    assert len(outcome.history) == outcome.best_epoch + 2


def test_a_last_epoch_that_knows_nothing_is_told_from_a_run_that_learned_nothing(data: hdf5.Data) -> None:
    notes: list[str] = []
    wild = replace(QUICK, epochs=8, lr=5e-3, ema=0.0, schedule="step", milestones="0.75", step_factor=1e4)
    outcome = trained(data, replace(wild, keep="last"), note=notes.append)
    assert max(epoch["accuracy"] for epoch in outcome.history) > 0.5 > outcome.accuracy
    assert [note for note in notes if "no better than always saying" in note and "--keep best" in note]
    assert not [note for note in notes if "nothing is learned" in note]


def test_early_stopping_waits_for_pictures_of_their_whole_side(tmp_path: Path) -> None:
    write_features(tmp_path / "f.h5", n=60)
    net = loop.make("emotion-cnn", (1, 48, 48), CLASSES, {"width": 8}, 0)
    with hdf5.open_data(tmp_path / "f.h5") as data:
        recipe = replace(QUICK, epochs=10, lr=0.0, patience=1, progressive=0.67)
        outcome = loop.train(net, data, recipe, progress=False)
    assert len(outcome.history) >= 7, "seven tenths of the run, from which on they are whole"


def test_the_last_epoch_can_be_kept_instead_of_the_best(data: hdf5.Data) -> None:
    outcome = trained(data, replace(QUICK, epochs=3, keep="last"))
    assert outcome.best_epoch == 3 and outcome.accuracy == outcome.history[-1]["accuracy"]
    for keep, epoch in (("best", 1), ("last", 2)):
        going = run.start(nn.Linear(2, 2), QUICK, Plan(bf16=False, channels_last=False), torch.device("cpu"))
        for going.epoch, accuracy in ((1, 0.9), (2, 0.1)):
            going.keep(0.5, accuracy, 8, whatever=keep == "last")
        assert going.best_epoch == epoch
    with pytest.raises(EmoError, match="needs --keep best"):
        trained(data, replace(QUICK, keep="last", patience=2))
    with pytest.raises(EmoError, match="before the average of --swa begins"):
        trained(data, replace(QUICK, swa=0.25, patience=2))


def test_a_time_limit_ends_the_schedule_early_and_still_gives_a_model(data: hdf5.Data) -> None:
    outcome = trained(data, replace(QUICK, epochs=10_000, time_limit=0.01))
    assert 1 <= len(outcome.history) < 10_000


class Watching(nn.Module):
    """A net that keeps what it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.seen = small_net(), list[np.ndarray]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.seen.append(x.numpy())
        return self.net(x)  # type: ignore[no-any-return]


def test_images_grow_for_the_net_but_not_for_its_teacher_and_the_best_epoch_is_of_whole_ones(tmp_path: Path) -> None:
    path, y = tmp_path / "features.h5", np.arange(96) % CLASSES
    writer = Writer(path, count=len(y))
    writer.append(np.broadcast_to((90 * y)[:, None, None, None], (96, 1, 48, 48)).astype(np.uint8))
    split = np.where(np.arange(96) < 64, "train", "validation")
    writer.finish(Header("features", ("a", "b", "c"), ({"command": "features", "name": "pixels"},)), y, "label", split)
    shown: set[tuple[int, ...]] = set()

    def watched(x: np.ndarray) -> Taught:
        shown.add(x.shape[2:])
        return teacher(x)

    net = Watching()
    with hdf5.open_data(path) as data:
        outcome = loop.train(net, data, replace(QUICK, epochs=10, progressive=0.66), teacher=watched, progress=False)
    sides = [x.shape[-1] for x in net.seen]
    assert sides == sorted(sides) and set(sides) == {32, 40, 48} and shown == {(48, 48)}
    assert outcome.best_epoch >= 7


def test_the_teacher_sees_the_pictures_that_the_student_sees(data: hdf5.Data) -> None:
    shown: list[np.ndarray] = []

    def watched(x: np.ndarray) -> Taught:
        shown.append(x)
        return teacher(x)

    net = Watching()
    loop.train(net, data, replace(QUICK, epochs=1, mixup=0.4), teacher=watched, progress=False)
    seen = net.seen
    assert shown[0].dtype == np.uint8 and len(shown) == len(seen) == 16
    assert all(np.abs(mine * 255 - theirs).max() <= 0.5001 for mine, theirs in zip(seen, shown, strict=True))


def test_alpha_1_learns_from_the_teacher_alone(data: hdf5.Data) -> None:
    def contrary(x: np.ndarray) -> Taught:
        return Taught(teacher(x).logits.roll(1, dims=1))

    recipe = replace(QUICK, epochs=12, lr=5e-3, augment="light")
    outcome = trained(data, recipe, teacher=contrary, distillation=Distillation(alpha=1.0))
    assert outcome.history[-1]["accuracy"] < 0.1


def teacher(x: np.ndarray) -> Taught:
    """Tells the three classes by the brightness that they were made with."""
    distance = np.abs(x.mean((1, 2, 3))[:, None] - np.array([30.0, 120.0, 210.0]))
    return Taught(torch.from_numpy(-distance / 10).float())


def test_votes_are_learned_as_probabilities_and_rows_without_any_are_left_out(tmp_path: Path) -> None:
    votes = np.tile(np.array([[6, 4, 0], [0, 0, 0], [1, 0, 9], [0, 5, 5]], np.float32), (20, 1))
    split = np.where(np.arange(80) < 40, "train", "validation")
    notes: list[str] = []
    with hdf5.open_data(written(tmp_path / "votes.h5", votes, split, "votes")) as data:
        assert data.targets()[:4].tolist() == [0, -1, 2, 1]
        trained(data, replace(QUICK, epochs=1), note=notes.append)
    assert "10 rows of the train part have no label and are left out" in notes


@pytest.mark.parametrize("limit", [rows._IN_MEMORY, 0], ids=["held", "read"])
def test_rows_are_those_that_are_asked_for_held_in_memory_or_read_from_the_file(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_IN_MEMORY", limit)
    split, places = np.where(np.arange(60) % 5, "validation", "train"), np.array([7, 0, 7, 3])
    files = written(tmp_path / "pictures.h5", np.arange(60) % 3, split), write_sequences(tmp_path / "clips.h5", 60)
    for file, name in itertools.product(files, ("train", "validation")):
        with hdf5.open_data(file) as data:
            wanted, part = data.rows(name)[places], rows.part(data, name, print)
            x, y = part.take(places)
            expected = [data.take(np.array([row]))[0] for row in wanted]
            for found, one in zip(x.numpy(), expected, strict=True):
                np.testing.assert_array_equal(found[: len(one)], one)
                assert np.isnan(found[len(one) :]).all()
            assert y.argmax(1).tolist() == part.labels[places].tolist() == data.y[wanted].tolist()
            assert isinstance(part.x, np.ndarray | Ragged) or not limit


def test_a_class_that_is_absent_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    with hdf5.open_data(written(tmp_path / "two.h5", np.arange(40) // 2 % 2, halves(40))) as data:
        trained(data, replace(QUICK, epochs=1, class_weights="balanced"), note=notes.append)
    assert "no c in the train part; the model can't learn it" in notes


@pytest.mark.parametrize(("part", "missing"), [("train", "validation"), ("validation", "train")])
def test_data_without_a_part_are_refused_with_what_to_do(tmp_path: Path, part: str, missing: str) -> None:
    with (
        hdf5.open_data(written(tmp_path / "one.h5", np.arange(20) % 3, np.full(20, part))) as data,
        pytest.raises(EmoError, match=f"no {missing} part; make one with"),
    ):
        trained(data)


def test_valence_and_arousal_are_no_classes(tmp_path: Path) -> None:
    y = np.zeros((20, 3), np.float32)
    with (
        hdf5.open_data(written(tmp_path / "va.h5", y, halves(20), "valence-arousal")) as data,
        pytest.raises(EmoError, match="no classes"),
    ):
        trained(data)


def test_vectors_train_as_well(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    writer = Writer(tmp_path / "vectors.h5", count=90)
    writer.append((rng.standard_normal((90, 10)) + 3 * np.eye(3, 10)[y]).astype(np.float32))
    writer.finish(
        Header("features", ("a", "b", "c"), ({"command": "features", "name": "lbp"},)),
        y,
        "label",
        np.where(np.arange(90) < 60, "train", "validation"),
    )
    with hdf5.open_data(tmp_path / "vectors.h5") as data:
        net = loop.make("mlp", (10,), 3, {"width": 32, "layers": 1, "dropout": 0.0}, 0)
        outcome = loop.train(net, data, replace(QUICK, epochs=10, lr=1e-2), progress=False)
    assert outcome.accuracy > 0.8


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("device", "tpu", "auto, cpu, cuda"),
        ("augment", "much", "none, light, full"),
        ("schedule", "linear", "cosine, restarts, constant"),
        ("class_weights", "some", "none, balanced"),
        ("precision", "fp8", "auto, fp32, bf16"),
        ("layout", "diagonal", "auto, contiguous, channels-last"),
        ("optimizer", "lion", "adamw, sgd, muon"),
        ("keep", "first", "best, last"),
    ],
)
def test_words_that_are_no_option_are_refused(data: hdf5.Data, option: str, value: str, words: str) -> None:
    with pytest.raises(EmoError, match=words):
        trained(data, replace(QUICK, **{option: value}))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_and_no_fallback(data: hdf5.Data) -> None:
    with pytest.raises(EmoError, match="no GPU"):
        trained(data, replace(QUICK, device="cuda"))


@pytest.mark.parametrize("number", ["bf16", "fp32"])
def test_the_accuracy_that_is_told_is_that_of_the_file_which_is_fp32(
    data: hdf5.Data, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    seen: list[tuple[bool, float]] = []
    scored = step.evaluate

    def evaluate(state: run.Run, *others: Any) -> float:
        # what bf16 rounds away is made up for here: the two never agree by chance
        seen.append((state.plan.bf16, scored(state, *others) - state.plan.bf16 / 64))
        return seen[-1][1]

    monkeypatch.setattr(step, "evaluate", evaluate)
    outcome = trained(data, replace(QUICK, epochs=2, precision=number))
    assert [bf16 for bf16, _ in seen] == ([True, True, False] if number == "bf16" else [False, False])
    best = max(epoch["accuracy"] for epoch in outcome.history)
    assert outcome.accuracy == (seen[-1][1] if number == "bf16" else best)
    assert (outcome.accuracy > best) == (number == "bf16")

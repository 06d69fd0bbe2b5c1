"""The losses for unequal classes and for embeddings: weights, focal, logit adjustment, center loss, oversampling."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from small_runs import CLASSES, QUICK, model_bytes, three_classes, trained, written
from torch import Generator, nn

from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.training import centers, losses, sampling, step
from emocli.training.loop import Outcome
from emocli.training.recipe import Distillation, Recipe
from emocli.training.rows import Rows
from emocli.training.teaching import Taught
from emocli.training.weighting import class_weights

PLAIN = Recipe(label_smoothing=0.0)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def rows(*counts: int) -> Rows:
    """Rows of the classes a, b, c …, so many of each."""
    labels = np.repeat(np.arange(len(counts)), counts)
    y = torch.eye(len(counts))[torch.from_numpy(labels)]
    x, names, nobody = np.zeros((len(labels), 1), np.float32), tuple("abcdefg"[: len(counts)]), ("",) * len(labels)
    return Rows(x, np.arange(len(labels)), y, labels, names, None, nobody, np.ones(len(labels), bool))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hdf5.Data]:
    with hdf5.open_data(three_classes(tmp_path_factory.mktemp("data") / "features.h5")) as opened:
        yield opened


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(6, 3, generator=seeded())


# --- class weights


def test_named_classes_get_their_factor_and_the_others_1() -> None:
    assert class_weights("c=2, a=0.5", rows(1, 1, 1)).tolist() == [0.5, 1.0, 2.0]  # type: ignore[union-attr]
    assert class_weights("none", rows(1, 1)) is None
    assert torch.equal(class_weights("balanced", rows(6, 2)), losses.balanced(rows(6, 2).y))  # type: ignore[arg-type]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_factor_multiplies_the_loss_of_its_class_alone(logits: torch.Tensor, smoothing: float) -> None:
    recipe = replace(PLAIN, label_smoothing=smoothing)
    weighted = step.criterion(rows(2, 2, 2), replace(recipe, class_weights="b=3"), None)
    plain = step.criterion(rows(2, 2, 2), recipe, None)
    for label, factor in enumerate((1.0, 3.0, 1.0)):
        y = torch.eye(3)[torch.full((6,), label)]
        assert torch.allclose(weighted(logits, y, None), factor * plain(logits, y, None))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("joy=2", "'joy', which is no class; they are a, b, c"),
        ("a=2,", "'', which is no class"),
        ("a=much", "a=much; a factor is a number"),
        ("a=-1", "a=-1; a factor is a number"),
        ("a=nan", "a factor is a number"),
        ("a=1,a=2", "says a class twice"),
        ("some", "none of none, balanced or class=factor"),
    ],
)
def test_weights_that_make_no_sense_are_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(EmoError, match=words):
        class_weights(text, rows(1, 1, 1))


# --- focal loss


def test_focal_loss_is_the_papers_formula_and_cross_entropy_at_0(logits: torch.Tensor) -> None:
    y = torch.arange(6) % 3
    hard = torch.eye(3)[y]
    right = logits.softmax(1)[torch.arange(6), y]
    assert torch.allclose(losses.cross_entropy(logits, hard, focal=2.0), -((1 - right) ** 2 * right.log()).mean())
    assert torch.equal(losses.cross_entropy(logits, hard, focal=0.0), losses.cross_entropy(logits, hard))


def test_focal_loss_has_a_finite_slope_where_the_net_is_quite_sure() -> None:
    sure = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    losses.cross_entropy(sure, torch.eye(3)[:1], focal=0.5).backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(sure.grad).all()  # type: ignore[arg-type]


# --- a teacher


def test_alpha_is_the_share_of_the_loss_that_the_teacher_has(logits: torch.Tensor) -> None:
    y, said = torch.eye(3)[torch.arange(6) % 3], logits.flip(1)
    of_labels, of_teacher, both = (
        step.criterion(rows(2, 2, 2), PLAIN, Distillation(alpha=alpha))(logits, y, Taught(said))
        for alpha in (0.0, 1.0, 0.75)
    )
    assert torch.allclose(of_labels, nn.functional.cross_entropy(logits, y))
    assert torch.allclose(of_teacher, losses.distillation(logits, said, Distillation().temperature))
    assert torch.allclose(both, 0.25 * of_labels + 0.75 * of_teacher)


# --- logit adjustment


def test_adjusted_logits_are_shifted_by_the_log_of_the_shares_of_the_train_part(logits: torch.Tensor) -> None:
    y = torch.eye(3)[torch.arange(6) % 3]
    adjusted = step.criterion(rows(6, 3, 1), replace(PLAIN, logit_adjustment=1.5), None)(logits, y, None)
    shift = 1.5 * torch.tensor([0.6, 0.3, 0.1]).log()
    assert torch.allclose(adjusted, nn.functional.cross_entropy(logits + shift, y))


def test_smoothing_prefers_no_class_once_logits_are_adjusted() -> None:
    loss = step.criterion(rows(6, 3, 1), Recipe(label_smoothing=0.1, logit_adjustment=1.0), None)
    share = 0.9 / 0.6 + 0.1  # of the first class at the loss's least, where all the others are alike
    least = torch.tensor([[share / 0.1, 1.0, 1.0]]).log().requires_grad_()
    loss(least, torch.eye(3)[:1], None).backward()  # type: ignore[no-untyped-call]
    assert least.grad is not None and torch.allclose(least.grad, torch.zeros(1, 3), atol=1e-6)


def test_an_absent_class_has_a_finite_prior() -> None:
    assert torch.isfinite(losses.log_prior(rows(5, 0, 3).y)).all()


def test_logit_adjustment_takes_the_lead_from_the_class_that_is_common(tmp_path: Path) -> None:
    y = np.where(np.arange(160) % 8, 0, 1)  # pictures of chance: seven of eight are a
    split = np.where(np.arange(160) < 96, "train", "validation")
    with hdf5.open_data(written(tmp_path / "f.h5", y, split)) as data:
        plain, adjusted = (
            trained(data, replace(QUICK, lr=1e-2, ema=0.0, logit_adjustment=tau, augment="none")) for tau in (0.0, 1.0)
        )
    bias = [outcome.net.get_parameter("head.bias") for outcome in (plain, adjusted)]
    assert bias[0][0] - bias[0][1] > bias[1][0] - bias[1][1]


# --- center loss


def test_center_loss_is_half_the_squared_distance_to_the_rows_centre() -> None:
    embedding, centre = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0.0, 0.0], [3.0, 1.0]])
    assert centers.loss(embedding, torch.eye(2), centre) == pytest.approx((5 / 2 + 9 / 2) / 2)
    halves = torch.tensor([[0.5, 0.5], [0.0, 1.0]])
    assert centers.loss(embedding, halves, centre) == pytest.approx(((5 + 5) / 4 + 9 / 2) / 2)


def test_centres_move_as_in_the_paper_and_those_of_absent_classes_stay() -> None:
    centre = torch.tensor([[1.0, 1.0], [7.0, 7.0]])
    embedding = torch.tensor([[3.0, 1.0], [5.0, 1.0]])
    centers.follow(centre, embedding, torch.eye(2)[[0, 0]], rate=0.5)
    # c - 0.5 * sum(c - x) / (1 + 2)
    assert torch.allclose(centre, torch.tensor([[1.0 + 0.5 * 6 / 3, 1.0], [7.0, 7.0]]))


def test_center_loss_draws_the_embeddings_of_a_class_together(data: hdf5.Data) -> None:
    def spread(outcome: Outcome) -> float:
        x = torch.from_numpy(data.x[160:]).float() / 255
        embedding = outcome.net.outputs(x)[1].detach()  # type: ignore[operator]
        means = torch.stack([embedding[start::CLASSES].mean(0) for start in range(CLASSES)])
        own = means[torch.arange(len(x)) % CLASSES]
        return float((embedding - own).square().sum(1).mean())

    plain, pulled = (trained(data, replace(QUICK, epochs=6, lr=5e-3, augment="light", center=c)) for c in (0.0, 0.1))
    assert spread(pulled) < 0.5 * spread(plain) and pulled.accuracy > 0.9


# --- oversampling


def test_an_epoch_shows_each_row_once_unless_told_otherwise() -> None:
    labels = rows(5, 3, 2).labels
    assert torch.equal(torch.from_numpy(sampling.order(labels, seeded())), torch.randperm(10, generator=seeded()))


@pytest.mark.parametrize("seed", range(4))
def test_oversampling_shows_classes_equally_often_and_every_row_of_a_rare_one(seed: int) -> None:
    labels = rows(50, 0, 10, 4).labels
    places = sampling.order(labels, seeded(seed), oversample=True)
    counts = np.bincount(labels[places])
    assert len(places) == 64 and counts[1] == 0 and sorted(counts[[0, 2, 3]]) == [21, 21, 22]
    shown = np.bincount(places, minlength=64)
    assert set(shown[:50]) == {0, 1} and set(shown[50:60]) <= {2, 3} and set(shown[60:]) <= {5, 6}


def test_oversampling_mixes_the_classes_and_follows_the_seed() -> None:
    labels = rows(90, 10).labels
    places = sampling.order(labels, seeded(1), oversample=True)
    assert np.array_equal(places, sampling.order(labels, seeded(1), oversample=True))
    assert not np.array_equal(places, sampling.order(labels, seeded(2), oversample=True))
    assert 10 < labels[places][:50].sum() < 40


def test_fewer_rows_than_classes_can_be_oversampled() -> None:
    assert sorted(sampling.order(np.array([4, 9]), seeded(), oversample=True)) == [0, 1]


# --- all of it in a run


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def test_a_killed_run_with_centres_and_an_even_average_continues_as_if_nothing_had_been(
    data: hdf5.Data, tmp_path: Path
) -> None:
    recipe = replace(QUICK, center=0.05, oversample=True, swa=0.6, freeze=0.1, layer_decay=0.9, schedule="onecycle")
    asked = 0

    def teacher(x: np.ndarray) -> Taught:
        return Taught(torch.zeros(len(x), CLASSES))

    def dies_in_the_last_epoch(x: np.ndarray) -> Taught:
        nonlocal asked
        asked += 1
        if asked > 50:
            raise Killed
        return teacher(x)

    killed, straight = tmp_path / "killed.h5", tmp_path / "straight.h5"
    with pytest.raises(Killed):
        trained(data, recipe, teacher=dies_in_the_last_epoch, resume=killed)
    notes: list[str] = []
    continued = trained(data, recipe, teacher=teacher, resume=killed, note=notes.append)
    assert "continues after epoch 3 of 4" in notes
    assert model_bytes(continued) == model_bytes(trained(data, recipe, teacher=teacher, resume=straight))
    assert tensors(killed) == tensors(straight)  # the last epoch need not be the best


def tensors(path: Path) -> dict[str, bytes]:
    """All that the state of a run holds, by name."""
    found: dict[str, bytes] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()].tobytes()} if hasattr(item, "dtype") else {}))
    assert "centers/centers" in found and "average/head.weight" in found
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"class_weights": "b=4"},
        {"focal": 2.0},
        {"center": 0.1},
        {"oversample": True},
        {"swa": 0.5},
        {"freeze": 0.5},
        {"layer_decay": 0.5},
        {"clip": 1e-3},
        {"schedule": "onecycle"},
        {"schedule": "step"},
    ],
    ids=str,
)
def test_each_option_changes_what_is_trained(
    data: hdf5.Data, default: dict[str, torch.Tensor], change: dict[str, object]
) -> None:
    net = trained(data, replace(QUICK, epochs=2, **change)).net.state_dict()  # type: ignore[arg-type]
    assert any(not torch.equal(net[name], default[name]) for name in net)


@pytest.mark.parametrize(
    "two",
    [*itertools.combinations([("oversample", True), ("logit_adjustment", 1.0), ("class_weights", "balanced")], 2)],
)
def test_rare_classes_are_made_up_for_once(data: hdf5.Data, two: tuple[tuple[str, object], ...]) -> None:
    with pytest.raises(EmoError, match=r"^--\S+.* and --.* together they do it more than once"):
        trained(data, replace(QUICK, **dict(two)))  # type: ignore[arg-type]


def test_weights_that_leave_nothing_to_learn_are_refused(data: hdf5.Data) -> None:
    with pytest.raises(EmoError, match="leaves nothing to learn"):
        trained(data, replace(QUICK, class_weights="a=0,b=0,c=0"))


@pytest.fixture(scope="module")
def default(data: hdf5.Data) -> dict[str, torch.Tensor]:
    return trained(data, replace(QUICK, epochs=2)).net.state_dict()

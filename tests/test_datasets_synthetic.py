"""Drawn faces: reproducible, split by person, with the action units of their emotion."""

from collections import Counter

import numpy as np
import pytest
from corpus_files import all_of

from emocli import labels
from emocli.datasets import _face_model, synthetic
from emocli.datasets._face_model import UNITS, Pose
from emocli.errors import EmoError

STRAIGHT = Pose(0, 0, 0, 1, (0, 0))


def test_the_same_options_draw_the_same_pictures() -> None:
    one, other = (all_of(synthetic.read([], count=30, seed=5)) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.x, b.x)
        assert np.array_equal(a.landmarks, b.landmarks)
        assert (a.y, a.split, a.group, a.id) == (b.y, b.split, b.group, b.id)
    third = all_of(synthetic.read([], count=30, seed=6))
    assert not any(np.array_equal(a.x, c.x) for a, c in zip(one, third, strict=True))


@pytest.mark.parametrize("size", [16, 48, 131, 224])
def test_pictures_have_the_size_asked_for_and_landmarks_within(size: int) -> None:
    for sample in synthetic.read([], count=14, size=size).samples:
        assert isinstance(sample.x, np.ndarray)
        assert (sample.x.shape, sample.x.dtype) == ((1, size, size), np.uint8)
        assert sample.landmarks is not None
        assert (sample.landmarks.shape, sample.landmarks.dtype) == ((68, 2), np.float32)
        eyes_and_mouth = sample.landmarks[36:]
        assert (eyes_and_mouth > 0).all() and (eyes_and_mouth < size - 1).all()


def test_classes_are_even_and_parts_share_no_person() -> None:
    corpus = synthetic.read([], count=1400, size=16)
    samples = all_of(corpus)
    assert corpus.count == len(samples) == 1400
    assert set(Counter(sample.y for sample in samples).values()) == {200}
    people = {
        part: {sample.group for sample in samples if sample.split == part} for part in ("train", "validation", "test")
    }
    assert [len(names) for names in people.values()] == [28, 6, 6]
    assert len(set.union(*people.values())) == 40


def points(*units: int) -> np.ndarray:  # type: ignore[type-arg]
    strength = np.array([float(unit in units) for unit in UNITS])
    return _face_model.landmarks(strength, strength, _face_model.TEMPLATE, STRAIGHT)


def test_action_units_move_what_they_are_named_after() -> None:
    rest = points()
    assert points(12)[48, 1] < rest[48, 1]  # lip corner puller
    assert points(15)[54, 1] > rest[54, 1]  # lip corner depressor
    assert points(1)[21, 1] < rest[21, 1]  # inner brow raiser
    assert points(4)[22, 1] > rest[22, 1]  # brow lowerer
    assert np.ptp(points(5)[36:42, 1]) > np.ptp(rest[36:42, 1])  # upper lid raiser
    assert points(26)[66, 1] - points(26)[62, 1] > 0.2  # jaw drop opens the mouth
    assert np.allclose(rest[:, 0].sum(), 0)


def test_lips_and_lids_never_cross() -> None:
    everything = points(*UNITS)
    assert (everything[[67, 66, 65], 1] >= everything[[61, 62, 63], 1]).all()
    assert (points(7)[[41, 40], 1] > points(7)[[37, 38], 1]).all()


def test_emotions_differ_in_their_pictures() -> None:
    samples = all_of(synthetic.read([], count=1400, noise=0, occlusion=0))
    x = np.stack([np.asarray(sample.landmarks)[17:] for sample in samples])
    x = x - x.mean(axis=1, keepdims=True)
    x = (x / np.linalg.norm(x, axis=(1, 2), keepdims=True)).reshape(len(x), -1)
    y = np.array([sample.y for sample in samples])
    train = np.array([sample.split == "train" for sample in samples])
    means = np.stack([x[train & (y == label)].mean(axis=0) for label in range(len(labels.SEVEN))])
    nearest = np.linalg.norm(x[~train, None] - means, axis=2).argmin(axis=1)
    assert 0.4 < (nearest == y[~train]).mean() < 0.95


@pytest.mark.parametrize("bad", [{"count": 0}, {"size": 8}, {"identities": 2}, {"seed": -1}, {"occlusion": 2.0}])
def test_options_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(EmoError, match="synthetic needs"):
        synthetic.read([], **bad)  # type: ignore[arg-type]


def test_the_corpus_is_drawn_and_reads_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(EmoError, match="reads nothing"):
        synthetic.read([tmp_path])

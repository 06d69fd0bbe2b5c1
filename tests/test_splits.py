"""Splits never share a subject unless they are asked to."""

import numpy as np
import pytest

from emocli.data import splits
from emocli.errors import EmoError

Y = np.arange(200) % 4
IDS = [f"{row}.png" for row in range(200)]
PEOPLE = [f"s{row // 10}" for row in range(200)]


def _people(parts: np.ndarray, name: str) -> set[str]:
    return {person for person, part in zip(PEOPLE, parts, strict=True) if part == name}


@pytest.mark.parametrize("split", ["published", "subject"])
def test_no_subject_is_in_two_parts(split: str) -> None:
    parts = splits.assign([""] * 200, PEOPLE, IDS, Y, split=split)
    people = [_people(parts, name) for name in ("train", "validation", "test")]
    assert all(people) and sum(map(len, people)) == 20


def test_a_split_across_subjects_must_be_asked_for_by_name() -> None:
    parts = splits.assign([""] * 200, PEOPLE, IDS, Y, split="random")
    assert _people(parts, "train") & _people(parts, "test")


def test_published_parts_are_kept() -> None:
    published = ["train"] * 150 + ["validation"] * 25 + ["test"] * 25
    for people in ([""] * 200, PEOPLE, ["a", "b"] * 100):
        assert list(splits.assign(published, people, IDS, Y)) == published


def test_a_missing_validation_part_comes_out_of_train_and_leaves_test_alone() -> None:
    parts = splits.assign(["train"] * 150 + ["test"] * 50, [""] * 200, IDS, Y)
    assert set(parts[150:]) == {"test"} and 8 <= (parts[:150] == "validation").sum() <= 22


def test_a_random_split_has_every_class_in_every_part() -> None:
    parts = splits.assign([""] * 200, [""] * 200, IDS, Y)
    assert [set(Y[parts == name]) for name in ("train", "validation", "test")] == [{0, 1, 2, 3}] * 3


def test_the_same_seed_gives_the_same_split() -> None:
    first, again, other = (splits.assign([""] * 200, PEOPLE, IDS, Y, seed=seed) for seed in (1, 1, 2))
    assert list(first) == list(again) != list(other)


def test_a_split_by_subject_needs_subjects() -> None:
    with pytest.raises(EmoError, match="--split random"):
        splits.assign([""] * 200, [""] * 200, IDS, Y, split="subject")


def test_the_same_sample_is_in_the_same_part_of_every_corpus_that_has_it() -> None:
    half, other = slice(0, 200, 2), np.random.default_rng(0).integers(0, 3, 100)
    whole = splits.assign([""] * 200, [""] * 200, IDS, Y)
    assert list(splits.assign([""] * 100, [""] * 100, IDS[half], other)) == list(whole[half])


def test_samples_without_an_id_are_drawn_by_their_row() -> None:
    parts = splits.assign([""] * 200, [""] * 200, [""] * 200, Y)
    assert 140 <= (parts == "train").sum() <= 175


def test_a_class_too_small_for_its_share_still_has_one_sample_in_every_part() -> None:
    y = np.repeat(np.arange(30), 10)
    parts = splits.assign([""] * 300, [""] * 300, [""] * 300, y, split="random")
    assert all({*parts[y == label]} == {"train", "validation", "test"} for label in range(30))
    # a tenth of three is none, unless by chance
    y = np.repeat(np.arange(30), 3)
    parts = splits.assign([""] * 90, [""] * 90, [""] * 90, y, split="random")
    assert not any(all(name in parts[y == label] for label in range(30)) for name in ("validation", "test"))


@pytest.mark.parametrize(
    "given",
    [{"test": 10, "validation": 10}, {"validation": -0.1}, {"test": float("nan")}, {"test": 0.5, "validation": 0.5}],
)
def test_shares_that_leave_nothing_to_train_on_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(EmoError, match="from 0 to below 1, below 1 together"):
        splits.assign([""] * 200, PEOPLE, IDS, Y, **given)  # type: ignore[arg-type]


def test_a_seed_below_0_is_refused() -> None:
    with pytest.raises(EmoError, match="--seed -1 is below 0"):
        splits.assign([""] * 200, PEOPLE, IDS, Y, seed=-1)


@pytest.mark.parametrize("seed", range(6))
def test_a_subject_larger_than_the_share_is_taken_only_where_all_are_and_then_the_smallest(seed: int) -> None:
    sizes = {"large": 120, "small": 15, "middle": 65}
    people = [name for name, size in sizes.items() for _ in range(size)]
    for share, drawn in ((0.1, {"small"}), (0.05, {"small"}), (0.35, {"small", "middle"})):
        parts = splits.assign([""] * 200, people, IDS, Y, validation=share, test=0, seed=seed)
        chosen = {person for person, part in zip(people, parts, strict=True) if part == "validation"}
        assert chosen <= drawn and sum(sizes[person] for person in chosen) <= max(200 * share, 15)


def test_a_draw_that_leaves_nothing_to_train_on_is_refused() -> None:
    published = ["train"] * 50 + ["test"] * 150
    people = ["a"] * 50 + ["b"] * 50 + ["c"] * 100
    with pytest.raises(EmoError, match=r"nothing is left to train on once validation is drawn.*--validation 0"):
        splits.assign(published, people, IDS, Y)
    assert list(splits.assign(published, people, IDS, Y, validation=0)) == published


def test_rows_without_a_name_are_no_third_subject_and_not_kept_together() -> None:
    two = ["a"] * 60 + ["b"] * 60 + [""] * 80
    with pytest.raises(EmoError, match="at least 3 named subjects"):
        splits.assign([""] * 200, two, IDS, Y, split="subject")
    many = [*PEOPLE[:100], *[""] * 100]
    parts = splits.assign([""] * 200, many, IDS, Y, split="subject")
    assert set(parts[100:]) == {"train", "validation", "test"}


def test_shares_are_of_all_rows_where_nothing_is_published() -> None:
    shares = {"validation": 0.3, "test": 0.4}
    anew = splits.assign([""] * 200, PEOPLE, IDS, Y, split="subject", **shares)
    assert list(splits.assign([""] * 200, PEOPLE, IDS, Y, **shares)) == list(anew)
    published = ["train"] * 150 + ["test"] * 50
    assert list(splits.assign(published, PEOPLE, IDS, Y, split="subject", **shares)) == list(anew)


def test_subjects_are_drawn_whatever_the_number_of_their_class_and_for_their_labelled_rows() -> None:
    first, other, half = (
        splits.assign([""] * 200, PEOPLE, IDS, np.array(y), split="subject")
        for y in ([0] * 200, [3] * 200, [0] * 100 + [-1] * 100)
    )
    assert list(first) == list(other)
    # shares are of the labelled hundred, ten rows each
    assert (half == "test").sum() == (half == "validation").sum() == 10 and set(half[100:]) == {"train"}

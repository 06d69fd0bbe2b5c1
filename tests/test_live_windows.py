"""Windows of a sound that arrives in blocks of any length."""

import itertools
import tracemalloc
from collections.abc import Generator

import numpy as np
import pytest

from emocli.errors import EmoError
from emocli.live import windows
from emocli.live.windows import Window
from emocli.sound.sounds import RATE_HZ, Sound

SECOND = np.arange(RATE_HZ, dtype=np.float32)


def blocks(sound: Sound, *sizes: int) -> Generator[Sound, None, None]:
    """The sound in blocks of these sizes, again and again."""
    place = 0
    for size in itertools.cycle(sizes):
        if place >= len(sound):
            return
        yield sound[place : place + size]
        place += size


def cut(sound: Sound, *sizes: int, length: float = 0.5, hop: float = 0.2) -> list[Window]:
    return list(windows.cut(blocks(sound, *(sizes or (1000,))), length, hop))


def test_windows_grow_to_their_length_then_slide_and_the_last_one_ends_with_the_sound() -> None:
    found = cut(SECOND[: round(0.9 * RATE_HZ)])
    assert [(one.index, one.start, one.end) for one in found] == [
        (0, 0.0, 0.2),
        (1, 0.0, 0.4),
        (2, pytest.approx(0.1), 0.6),
        (3, pytest.approx(0.3), 0.8),
        (4, pytest.approx(0.4), 0.9),
    ]
    for one in found:
        np.testing.assert_array_equal(one.samples, SECOND[round(one.start * RATE_HZ) : round(one.end * RATE_HZ)])


def test_a_sound_that_ends_with_a_hop_has_no_window_twice() -> None:
    assert [one.end for one in cut(SECOND)] == [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize("sizes", [(1,), (320,), (7, 5000, 1), (160_000,)])
def test_the_borders_of_blocks_change_nothing(sizes: tuple[int, ...]) -> None:
    for one, other in zip(cut(SECOND, *sizes), cut(SECOND), strict=True):
        assert (one.index, one.start, one.end) == (other.index, other.start, other.end)
        np.testing.assert_array_equal(one.samples, other.samples)


def test_a_window_comes_with_its_last_sample_and_not_later() -> None:
    given = []

    def arriving() -> Generator[Sound, None, None]:
        for start in range(0, RATE_HZ, 320):
            given.append(start + 320)
            yield SECOND[start : start + 320]

    for window in windows.cut(arriving(), 0.5, 0.2):
        assert window.end * RATE_HZ == given[-1]


def test_a_sound_shorter_than_a_hop_is_one_window_and_none_is_none() -> None:
    assert [len(one.samples) for one in cut(SECOND[:3])] == [3]
    assert cut(SECOND[:0]) == []


def test_an_hour_takes_no_more_memory_than_a_window() -> None:
    block = np.zeros(RATE_HZ, np.float32)
    tracemalloc.start()
    try:
        ends = sum(1 for _ in windows.cut((block for _ in range(3600)), 3.0, 0.5))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert ends == 7200


def test_closing_the_windows_closes_the_sound() -> None:
    source = blocks(SECOND, 100)
    found = windows.cut(source, 0.5, 0.2)
    next(found)
    found.close()
    assert not list(source)


@pytest.mark.parametrize(("length", "hop"), [(0.4, 0.01), (60, 60)])
def test_the_ends_of_what_can_be_are_among_it(length: float, hop: float) -> None:
    windows.check(length, hop)


@pytest.mark.parametrize(
    ("length", "hop"), [(0.5, 0.6), (3, 0), (0.3, 0.1), (1000, 1), (float("nan"), 0.5), (3, float("nan"))]
)
def test_windows_that_can_t_be_are_one_line(length: float, hop: float) -> None:
    with pytest.raises(EmoError, match=r"--length is 0\.4 to 60, --hop 0\.01 to --length"):
        windows.check(length, hop)

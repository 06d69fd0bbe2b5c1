"""A sound that arrives in blocks of any length, cut into overlapping windows."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from emocli.errors import EmoError
from emocli.sound.sounds import RATE_HZ, Sound

LEAST_SPEECH_SECONDS = 0.4
"""What is shorter in a window is a click, which detectors make 0.3 s of, or the tail of what was answered before."""
_LONGEST_SECONDS, _SHORTEST_HOP_SECONDS = 60.0, 0.01


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a sound; windows overlap."""

    index: int
    """Its number from 0; windows that are dropped leave gaps."""
    start: float
    """Seconds from the beginning of the sound."""
    end: float
    samples: Sound


Windows = Generator[Window, None, None]
"""Windows to be read once; closing it releases the microphone or the file."""


def check(length: float, hop: float) -> None:
    """Raise EmoError for seconds that can't be."""
    if not (_SHORTEST_HOP_SECONDS <= hop <= length and LEAST_SPEECH_SECONDS <= length <= _LONGEST_SECONDS):
        raise EmoError(
            f"a window of {length:g} s every {hop:g} s can't be: --length is {LEAST_SPEECH_SECONDS:g} to "
            f"{_LONGEST_SECONDS:g}, --hop {_SHORTEST_HOP_SECONDS:g} to --length"
        )


def media_time(window: Window) -> float:
    """Return when a window is there: with its last sample."""
    return window.end


def cut(blocks: Generator[Sound, None, None], length: float, hop: float) -> Windows:
    """Yield the last `length` seconds of the sound every `hop` seconds, each as soon as it is there.

    The first windows are shorter, as no more was heard yet, and the last one ends with the sound: an answer neither
    waits for a full window nor misses the end. The blocks' borders change nothing, and no more than a window is kept.
    """
    size, step = round(length * RATE_HZ), round(hop * RATE_HZ)
    kept, end, index = np.empty(0, np.float32), 0, 0
    with closing(blocks):
        for new in _steps(blocks, step):
            kept = np.concatenate([kept, new])[-size:]
            end += len(new)
            yield Window(index, (end - len(kept)) / RATE_HZ, end / RATE_HZ, kept)
            index += 1


def _steps(blocks: Iterator[Sound], step: int) -> Iterator[Sound]:
    """Yield the sound in pieces of `step` samples, at its end what is left."""
    parts: list[Sound] = []
    missing = step
    for block in blocks:
        while len(block) >= missing:
            yield np.concatenate([*parts, block[:missing]])
            block, parts, missing = block[missing:], [], step
        if len(block):
            parts.append(block)
            missing -= len(block)
    if parts:
        yield np.concatenate(parts)

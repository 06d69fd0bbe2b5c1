"""Sounds cut into overlapping frames, and the spectrum of each: computed once, shared by all who look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.sound.sounds import between
from emocli.sound.transforms import Transform, by_numpy

BLOCK = 256
"""Frames that are worked on at once: memory does not grow with the length of a sound."""
KEPT = 8 * BLOCK
"""Frames of a sound whose spectra are kept for the next who asks; those of a longer one are computed again."""
EMPTY = "a sound without samples has no features; leave it out"
# what a transform reads and writes stays in the cache
_STRIP = 32
# glibc gives memory back to the system, and gets it again page by page, until it has seen a piece this large freed
np.empty(1 << 24, np.uint8)


@dataclass(frozen=True)
class Block:
    """Some neighbouring frames of a sound; `samples` is (frames, size) float32."""

    samples: NDArray[np.float32]
    transform: Transform = by_numpy

    @property
    def size(self) -> int:
        """Samples of each frame."""
        return int(self.samples.shape[1])

    @cached_property
    def power(self) -> NDArray[np.float32]:
        """Squared magnitude of the spectrum under a Hann window, (frames, size // 2 + 1), as librosa has it."""
        power = np.empty((len(self.samples), self.size // 2 + 1), np.float32)
        for start in range(0, len(power), _STRIP):
            strip = slice(start, start + _STRIP)
            np.abs(self.transform(self.samples[strip] * hann(self.size)), out=power[strip])
        return np.square(power, out=power)


@dataclass(frozen=True, slots=True)
class Framing:
    """How a sound is cut: frames of `size` samples every `hop`, each centred on its time, silence before and after."""

    size: int = 2048
    hop: int = 512

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 1 << 16 or self.size % 2 or not 1 <= self.hop <= self.size:
            raise EmoError(f"can't cut frames of n_fft={self.size} every hop={self.hop} samples; try 2048 and 512")

    def count(self, samples: int) -> int:
        """Return how many frames a sound of so many samples has."""
        return 1 + samples // self.hop

    def block(self, samples: NDArray[np.float32], transform: Transform = by_numpy) -> Block:
        """Return all whole frames in some samples in a row, from the first one's first on."""
        return Block(np.lib.stride_tricks.sliding_window_view(samples, self.size)[:: self.hop], transform)


class Frames:
    """The frames of one sound as blocks, in order, as often as they are asked for."""

    def __init__(self, sound: NDArray[np.float32], framing: Framing, transform: Transform = by_numpy) -> None:
        """`sound` is (samples,) float32; raises EmoError for one that is empty or holds what is not a number."""
        if not len(sound):
            raise EmoError(EMPTY)
        check(sound)
        self._sound, self._framing, self._transform = sound, framing, transform
        self._kept = list(self._blocks()) if framing.count(len(sound)) <= KEPT else None

    def __iter__(self) -> Iterator[Block]:
        return self._blocks() if self._kept is None else iter(self._kept)

    def _blocks(self) -> Iterator[Block]:
        size, hop = self._framing.size, self._framing.hop
        count = self._framing.count(len(self._sound))
        for start in range(0, count, BLOCK):
            first = start * hop - size // 2
            last = (min(start + BLOCK, count) - 1) * hop + size - size // 2
            yield self._framing.block(between(self._sound, first, last), self._transform)


def check(samples: NDArray[np.float32]) -> None:
    """Raise EmoError where a sample is not a number."""
    if not np.isfinite(samples @ samples):
        raise EmoError("a sound holds samples that are not numbers; decode the file again")


@cache
def hann(size: int) -> NDArray[np.float64]:
    """Return the periodic Hann window, (size,)."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)

"""Extractors of frames fed from a stream: each row as soon as it is sure, with the numbers of the clip."""

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.sound.frames import EMPTY, Block, check
from emocli.sound.framewise import Framewise, Rows

# what is gone through again for the rows that come next
_BLOCK = 16


class Stream:
    """The rows of one sound that arrives in pieces of any length; each frame's spectrum is computed once.

    A row comes when the sound is half a frame past the middle of its own, and `extractor.reach` frames further. All
    rows together are those of the whole clip.
    """

    def __init__(self, extractor: Framewise) -> None:
        """Raises EmoError for an extractor whose rows depend on the whole clip, with the option that ends it."""
        if extractor.whole:
            raise EmoError(f"a stream has no whole clip: {extractor.whole}")
        self._extractor, self._framing = extractor, extractor.framing
        # as in a clip the first frame's middle is the first sample
        self._samples = np.zeros(self._framing.size // 2, np.float32)
        self._blocks: list[Block] = []
        self._begin = self._frames = self._given = 0

    def push(self, samples: NDArray[np.float32]) -> Rows | None:
        """Take the next samples (n,); returns the rows that are sure now and were not, (frames, d), None without any.

        Raises EmoError for samples that are not numbers.
        """
        check(samples)
        self._take(samples)
        reach = self._extractor.reach
        return self._rows(self._frames - reach) if self._frames > 2 * reach else None

    def finish(self) -> Rows | None:
        """End the sound; returns the rows that are left, None without any. Raises EmoError for an empty sound."""
        if not self._frames and len(self._samples) == self._framing.size // 2:
            raise EmoError(EMPTY)
        self._take(np.zeros(self._framing.size // 2, np.float32))
        return self._rows(self._frames)

    def _take(self, samples: NDArray[np.float32]) -> None:
        self._samples = np.concatenate([self._samples, samples])
        if len(self._samples) < self._framing.size:
            return
        frames = self._framing.block(self._samples).samples
        self._blocks += [Block(frames[start : start + _BLOCK]) for start in range(0, len(frames), _BLOCK)]
        self._frames += len(frames)
        self._samples = self._samples[len(frames) * self._framing.hop :]

    def _rows(self, sure: int) -> Rows | None:
        """Return the rows up to a frame that were not given yet, and forget the frames that no later row depends on."""
        if sure <= self._given:
            return None
        rows = self._extractor.rows(self._blocks)[self._given - self._begin : sure - self._begin]
        self._given = sure
        while self._begin + len(self._blocks[0].samples) < sure - self._extractor.reach:
            self._begin += len(self._blocks.pop(0).samples)
        return rows

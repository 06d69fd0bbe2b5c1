"""Extractors that give a row of numbers per frame: made once, run on clips, joined, or fed from a stream."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emocli.sound import transforms
from emocli.sound.frames import Block, Frames, Framing

Rows = NDArray[np.float32]
"""(frames, d)."""


@dataclass(frozen=True, slots=True)
class Framewise:
    """An extractor of speech: call it with n sounds (samples,) float32 for a list of n arrays (frames, d) float32."""

    framing: Framing
    rows: Callable[[Iterable[Block]], Rows]
    """From the frames of a sound, as blocks that may be gone through several times, to a row per frame."""
    reach: int = 0
    """How many frames before and after it a row depends on."""
    whole: str = ""
    """What makes rows depend on the whole sound, and the option that ends it; empty where the extractor can stream."""

    def __call__(self, sounds: Sequence[NDArray[np.float32]]) -> list[Rows]:
        transform = transforms.for_sounds(len(sounds))
        return [self.rows(Frames(sound, self.framing, transform)) for sound in sounds]

    def beside(self, others: Sequence["Framewise"]) -> "Framewise":
        """Return the extractor of these rows and next to them those of others with the same framing: one spectrum."""
        parts = (self, *others)

        def rows(blocks: Iterable[Block]) -> Rows:
            return np.concatenate([part.rows(blocks) for part in parts], axis=1)

        reach = max(part.reach for part in parts)
        return Framewise(self.framing, rows, reach, next((part.whole for part in parts if part.whole), ""))

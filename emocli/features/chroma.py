"""Chroma: power by pitch class, tuned to each clip, equal to librosa's.

Ellis (2007), "Chroma feature analysis and synthesis"; each frame is divided by its largest value.

Options:
    bins: pitch classes of an octave
    tuning: estimate, from the peaks of the clip's spectrum, or a number: how far from A 440, as a part of a bin
    n_fft: samples of a frame, at 16 kHz
    hop: samples from one frame to the next
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emocli import numerals
from emocli.errors import EmoError
from emocli.features import _chroma, _tuning
from emocli.sound.frames import Block, Framing
from emocli.sound.framewise import Framewise

MODALITY = "speech"


def extractor(*, bins: int = 12, tuning: str = "estimate", n_fft: int = 2048, hop: int = 512) -> Framewise:
    """Return the function from n sounds to n arrays (frames, bins) float32."""
    if not 1 <= bins <= 120:
        raise EmoError(f"chroma can't divide an octave into {bins} bins; try 12")
    fixed = None if tuning == "estimate" else numerals.number(tuning)
    if fixed is not None and not -1 <= fixed <= 1:
        raise EmoError(f"tuning={tuning} is neither estimate nor -1 to 1 bins; 0 is A 440")

    def rows(blocks: Iterable[Block]) -> NDArray[np.float32]:
        offset = _tuning.estimate(blocks, bins) if fixed is None else fixed
        weights = _chroma.filters(n_fft, bins, offset)
        return _loudest_is_one(np.concatenate([block.power @ weights for block in blocks]))

    whole = "the tuning is estimated over the whole clip; set tuning=0" if fixed is None else ""
    return Framewise(Framing(n_fft, hop), rows, whole=whole)


def _loudest_is_one(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each row by its largest value; silence stays as it is."""
    largest = rows.max(axis=1, keepdims=True)
    largest[largest < np.finfo(np.float32).tiny] = 1
    rows /= largest
    return rows

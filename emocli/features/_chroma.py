"""The filters of chroma: how much each bin of a spectrum belongs to each pitch class."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.sound.sounds import RATE_HZ

_CENTRE_OCTAVE, _OCTAVES_WIDE = 5.0, 2.0


@lru_cache(maxsize=128)
def filters(size: int, classes: int, tuning: float) -> NDArray[np.float32]:
    """Return the weights of the bins of `size` samples' spectrum, (size // 2 + 1, classes), first class C.

    `tuning` is how far from A 440, as a part of a class. As librosa.filters.chroma: Gaussian bumps about each class,
    of length 1 per bin, with most weight in the octave about C 5.
    """
    pitches = classes * octaves(np.arange(1, size) * (RATE_HZ / size), tuning, classes)
    # the 0 Hz bin is made up: an octave and a half below the first
    pitches = np.concatenate([[pitches[0] - 1.5 * classes], pitches])
    widths = np.concatenate([np.maximum(np.diff(pitches), 1), [1]])[:, None]
    half = np.round(classes / 2)
    away = np.remainder(pitches[:, None] - np.arange(classes) + half + 10 * classes, classes) - half
    weights = np.exp(-0.5 * (2 * away / widths) ** 2)
    weights /= np.sqrt(np.sum(weights**2, axis=1, keepdims=True))
    weights *= np.exp(-0.5 * ((pitches / classes - _CENTRE_OCTAVE) / _OCTAVES_WIDE) ** 2)[:, None]
    # from A first to C first
    weights = np.roll(weights, -3 * (classes // 12), axis=1)
    kept: NDArray[np.float32] = weights[: size // 2 + 1].astype(np.float32)
    return kept


def octaves(hz: NDArray[Any], tuning: float = 0.0, classes: int = 12) -> NDArray[Any]:
    """Return how many octaves above A 0 (27.5 Hz, tuned) frequencies are, in their own precision."""
    octaves: NDArray[Any] = np.log2(hz / (440.0 * 2.0 ** (tuning / classes) / 16))
    return octaves

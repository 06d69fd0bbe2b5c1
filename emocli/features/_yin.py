"""YIN: how little a frame differs from itself a period later, and the period of which that is true.

De Cheveigné and Kawahara (JASA 2002), with the arithmetic of librosa.yin.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features import _parabola
from emocli.sound.frames import Block
from emocli.sound.sounds import RATE_HZ

_CLEAR, _VOICED = 0.1, 0.4


def periods(fmin: float, fmax: float, size: int) -> tuple[int, int]:
    """Return the shortest and the longest period in samples; raises EmoError for a range that frames can't tell."""
    if not 0 < fmin < fmax <= RATE_HZ / 4 or RATE_HZ / fmin > size / 2:
        least = 2 * RATE_HZ / size
        raise EmoError(f"no pitch from {fmin} to {fmax} Hz in frames of {size} samples; they tell {least:.0f} to 4000")
    return int(RATE_HZ // fmax), int(np.ceil(RATE_HZ / fmin))


def difference(block: Block, shortest: int, longest: int) -> NDArray[np.float64]:
    """Return (frames, periods), from 0 for a frame that repeats itself: the cumulative mean normalized difference."""
    samples = block.samples.astype(np.float64)
    padded = block.size + longest + 1
    padded += -padded % 32
    spectrum = np.fft.rfft(samples, padded, axis=1)
    similar = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, padded, axis=1)[:, : longest + 1]
    energy = np.cumsum(samples[:, :longest] ** 2, axis=1)
    differs = 2 * (similar[:, :1] - similar[:, 1:]) - energy
    mean = np.cumsum(differs, axis=1) / np.arange(1, longest + 1)
    # as in librosa the smallest single, so that silence differs by nothing
    return differs[:, shortest - 1 :] / (mean[:, shortest - 1 :] + np.finfo(np.float32).tiny)


def troughs(difference: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where the difference is a local minimum over the period."""
    falls = difference[:, 1:] < difference[:, :-1]
    first = difference[:, :1] < difference[:, 1:2]
    return np.hstack([first, falls[:, :-1] & ~falls[:, 1:], falls[:, -1:]])


def refinement(
    difference: NDArray[np.float64], frame: NDArray[np.intp], place: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return how far from some places the parabola through their neighbours is lowest, within a sample; else 0."""
    inside = np.clip(place, 1, difference.shape[1] - 2)
    return np.where(inside == place, _parabola.turn(difference, frame, inside)[0], 0)


def track(blocks: Iterable[Block], shortest: int, longest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (frames,) the pitch in Hz, 0 without one, and how voiced each is: 1 less the difference, 0 to 1."""
    found = [_clearest(difference(block, shortest, longest), shortest) for block in blocks]
    hz, voiced = (np.concatenate(each) for each in zip(*found, strict=True))
    return np.where(1 - voiced < _VOICED, hz, 0), voiced


def _clearest(values: NDArray[np.float64], shortest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pitch of the first clear trough of each frame, else of the deepest place, and how voiced that is."""
    clear = troughs(values) & (values < _CLEAR)
    frame, place = np.arange(len(values)), np.where(clear.any(axis=1), clear.argmax(axis=1), values.argmin(axis=1))
    hz = RATE_HZ / (shortest + place + refinement(values, frame, place))
    # digital silence differs from itself by nothing and has no voice
    silent = ~values.any(axis=1)
    return hz, np.where(silent, 0, np.clip(1 - values[frame, place], 0, 1))

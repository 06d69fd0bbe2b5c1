"""The mel scale: Slaney's triangular filters, and the power behind them in decibels, as librosa has them."""

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.sound.frames import Block
from emocli.sound.sounds import RATE_HZ

# librosa's: below 1 kHz mel is proportional to frequency, above to its logarithm
_HZ_PER_MEL, _KNEE_HZ, _LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27
_FLOOR = np.float32(1e-10)
WHOLE = "top_db counts from the loudest value of the whole clip; set top_db=0"
"""Why log_mel can't stream with `top_db`."""
# one product of all filters is mostly zeros, one per filter all overhead
_GROUP = 16


def log_mel(
    size: int, *, mels: int, fmin: float, fmax: float, top_db: float
) -> Callable[[Iterable[Block]], NDArray[np.float32]]:
    """Return the function from the frames of a sound, `size` samples each, to (frames, mels) decibels, at least -100.

    What is more than `top_db` below the loudest value of the sound is raised to there; 0 leaves it. `fmax` 0 is half
    the sampling rate. Raises EmoError for filters that can't be.
    """
    fmax = fmax or RATE_HZ / 2
    if not (1 <= mels <= size // 2 and 0 <= fmin < fmax <= RATE_HZ / 2 and 0 <= top_db <= 1000):
        raise EmoError(f"no mel filters for n_fft={size}: mels={mels}, fmin={fmin}, fmax={fmax}, top_db={top_db}")
    weights = filters(size, mels, fmin, fmax)
    if deaf := int((~weights.any(axis=0)).sum()):
        raise EmoError(
            f"n_fft={size} is too short: {deaf} of {mels} mel filters hear nothing; use fewer mels, or a longer one"
        )
    bank = groups(weights)

    def extract(blocks: Iterable[Block]) -> NDArray[np.float32]:
        decibels = np.concatenate([filtered(block.power, bank) for block in blocks])
        np.maximum(decibels, _FLOOR, out=decibels)
        np.log10(decibels, out=decibels)
        decibels *= 10
        return np.maximum(decibels, decibels.max() - np.float32(top_db), out=decibels) if top_db else decibels

    return extract


@cache
def filters(size: int, mels: int, fmin: float, fmax: float) -> NDArray[np.float32]:
    """Return the weights of each bin of a spectrum in each filter, (size // 2 + 1, mels), of equal area each."""
    low, high = (_mel(np.array([hz])) for hz in (fmin, fmax))
    corners = _hz(np.linspace(low[0], high[0], mels + 2))
    bins = np.arange(size // 2 + 1) * (RATE_HZ / size)
    weights = np.empty((len(bins), mels), np.float32)
    for column, (begin, top, end) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        triangle = np.minimum((bins - begin) / (top - begin), (end - bins) / (end - top))
        weights[:, column] = np.maximum(triangle, 0) * (2 / (end - begin))
    return weights


Group = tuple[slice, NDArray[np.float32]]


def groups(weights: NDArray[np.float32]) -> list[Group]:
    """Return neighbouring filters together, with the bins that any of them has weights for."""
    found = []
    for first in range(0, weights.shape[1], _GROUP):
        part = weights[:, first : first + _GROUP]
        used = np.flatnonzero(part.any(axis=1))
        bins = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        found.append((bins, np.ascontiguousarray(part[bins])))
    return found


def filtered(power: NDArray[np.float32], bank: list[Group]) -> NDArray[np.float32]:
    """Return the power behind each filter, (frames, mels)."""
    return np.concatenate([power[:, bins] @ weights for bins, weights in bank], axis=1)


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / _HZ_PER_MEL
    return np.where(hz < _KNEE_HZ, hz / _HZ_PER_MEL, knee + np.log(np.maximum(hz, _KNEE_HZ) / _KNEE_HZ) / _LOG_STEP)


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / _HZ_PER_MEL
    return np.where(mel < knee, mel * _HZ_PER_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, knee) - knee)))

"""What a sound is inside emo: one channel, 16 kHz, float32 from -1 to 1; in files of its own 16 bits a sample."""

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
"""Samples a second of every sound, whatever file it came from."""

Sound = NDArray[np.float32]
"""(samples,) from -1 to 1 at RATE_HZ."""

_FULL = np.float32(1 << 15)
_LOUDEST, _CLIPPED = (1 << 15) - 1, 1e-3
"""A 16 bit sample at full scale, and the share of these from which a sound is clipped."""


def from_int16(samples: NDArray[np.int16]) -> Sound:
    """Return 16 bit samples as float32, as soundfile does."""
    return np.divide(samples, _FULL, dtype=np.float32)


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the nearest 16 bit samples; what is louder than full scale is clipped."""
    with np.errstate(over="ignore"):  # infinity is clipped too
        return np.asarray(np.rint(samples * _FULL).clip(-_FULL, _FULL - 1), np.int16)


def between(sound: Sound, first: int, last: int) -> Sound:
    """Return samples first to last of a sound, silence where it has none."""
    samples = np.zeros(last - first, np.float32)
    inside = sound[max(first, 0) : last]
    samples[max(-first, 0) :][: len(inside)] = inside
    return samples


def is_clipped(samples: NDArray[np.int16]) -> bool:
    """Tell whether a sound was louder than its recorder could hold."""
    at_full = np.count_nonzero(samples >= _LOUDEST) + np.count_nonzero(samples <= -_LOUDEST)
    return 0 < _CLIPPED * len(samples) <= int(at_full)

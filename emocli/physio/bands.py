"""Bands of a signal, cut out without delay and without a wave at the ends."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def between(values: Floats, rate_hz: float, low_hz: float, high_hz: float) -> Floats:
    """Return (frames,) of what lies from one frequency to the other; 0 Hz keeps the level, infinity the finest.

    A Butterworth filter of the second order run forward and back, as a product on the spectrum. The signal goes on
    mirrored about its ends for a period of the lower frequency, so that a slope is no step there.
    """
    frames = len(values)
    if frames < 2:
        return values * float(low_hz == 0)
    # what is left of a straight line from end to end begins and ends with 0, and goes on upside down
    line = np.linspace(values[0], values[-1], frames)
    rest = values - line
    more = min(frames - 1, int(rate_hz / (low_hz or high_hz)))
    mirrored = np.concatenate([-rest[more:0:-1], rest, -rest[-2 : -more - 2 : -1]])
    kept = np.fft.rfft(mirrored) * _response(len(mirrored), rate_hz, low_hz, high_hz)
    found: Floats = np.fft.irfft(kept, len(mirrored))[more : more + frames]
    return found + line if low_hz == 0 else found


@lru_cache(maxsize=16)
def _response(size: int, rate_hz: float, low_hz: float, high_hz: float) -> Floats:
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    below: Floats = 1 / (1 + (hz / high_hz) ** 4)
    return below - below / (1 + (hz / low_hz) ** 4) if low_hz else below

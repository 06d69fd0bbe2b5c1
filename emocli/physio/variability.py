"""How the heart's beat varies: the numbers of the Task Force of 1996, from intervals of which some were dropped.

Task Force of the European Society of Cardiology, "Heart rate variability: standards of measurement" (Circulation 1996);
which of them a minute allows: Shaffer and Ginsberg, "An overview of heart rate variability metrics and norms"
(Frontiers in Public Health 2017). Power is by Lomb's periodogram (1976), which takes the beats when they come: nothing
is interpolated over what was dropped.
"""

import numpy as np
from numpy.typing import NDArray

from emocli.physio import trends

Floats = NDArray[np.float64]

_STEP_HZ = 0.01
_HZ = np.arange(4, 40) * _STEP_HZ
_LOW = 11
"""Frequencies from 0.04 Hz to below 0.4, and how many of them are below 0.15."""


def in_time(intervals: Floats, kept: NDArray[np.bool_]) -> list[float]:
    """Return SDNN and RMSSD in ms, shares above 20 and 50 ms of steps, SD1 and SD2 in ms, of intervals (n,) in s.

    Two of them are kept at least. Steps are from one interval to the next, where both are kept.
    """
    ms = intervals * 1e3
    steps = np.diff(ms)[kept[1:] & kept[:-1]]
    deviation = ms[kept].std()
    if not len(steps):
        return [deviation, 0, 0, 0, 0, np.sqrt(2) * deviation]
    # Poincaré's plot of each interval over the one before: its width and its length
    width = steps.std() / np.sqrt(2)
    length = np.sqrt(max(2 * deviation**2 - width**2, 0))
    shares = [np.mean(np.abs(steps) > least) for least in (20, 50)]
    return [deviation, np.sqrt(np.mean(steps**2)), *shares, width, length]


def in_frequency(intervals: Floats, seconds: Floats) -> list[float]:
    """Return the logarithms of LF (0.04 to 0.15 Hz) and HF (to 0.4 Hz) in ms² and of LF/HF, of intervals (n,) in s.

    Three at least, at seconds (n,), less their trend. A power below 1 ms² counts as 1.
    """
    since = seconds - seconds.mean()
    ms = (intervals - intervals.mean()) * 1e3
    ms -= since * trends.a_minute(ms, since) / 60
    turns = np.exp(2j * np.pi * _HZ[:, None] * since)
    # Lomb's shift, with which cosine and sine are at right angles: half the angle of the sum of the squares
    squares, half = (turns**2).sum(axis=1), len(ms) / 2
    waves = (turns * ms).sum(axis=1) * np.exp(-0.5j * np.angle(squares))
    length = np.abs(squares) / 2
    power = waves.real**2 / (half + length) + waves.imag**2 / np.maximum(half - length, 1e-9)
    # so that the sum over all frequencies is the variance
    density = power / len(ms) * (seconds[-1] - seconds[0])
    low, high = (np.log(max(part.sum() * _STEP_HZ, 1)) for part in np.split(density, [_LOW]))
    return [low, high, low - high]

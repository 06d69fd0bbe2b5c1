"""Beats of the heart in a blood volume pulse, and which of the intervals between them are of a heart.

Elgendi et al., "Systolic peak detection in acceleration photoplethysmograms measured from emergency responders in
tropical conditions" (PLoS ONE 2013): of the band from 0.5 to 8 Hz, the squares of what is above 0; where their mean
over 111 ms is above that over 667 ms there is a beat, if it is for 111 ms at least. A parabola finds the top between
samples.

Beats are timed where the wave turns most sharply. In an Empatica E4 that is the valley before the systole, by which it
times them itself; there the wave is taken upside down.
"""

import numpy as np
from numpy.typing import NDArray

from emocli.physio import bands
from emocli.physio.signals import RATE_HZ

Floats = NDArray[np.float64]

_LOW_HZ, _HIGH_HZ = 0.5, 8.0
_PEAK, _BEAT, _OFFSET = 7, 43, 0.02
"""Samples of 111 ms and of 667 ms; by how much the former's mean has to be above the latter's, of the mean square."""
_LEAST_SECONDS, _MOST_SECONDS = 1 / 3, 1.5
"""Of an interval: 180 and 40 beats a minute."""


def wave(pulse: Floats) -> Floats:
    """Return (frames,) of the band that the pulse is in."""
    return bands.between(pulse, RATE_HZ, _LOW_HZ, _HIGH_HZ)


def places(wave: Floats) -> Floats:
    """Return where the tops of the beats are, (beats,) in samples, in order."""
    squares = np.maximum(wave, 0) ** 2
    if not squares.any():
        return np.empty(0)
    above = _mean(squares, _PEAK) > _mean(squares, _BEAT) + _OFFSET * squares.mean()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above.astype(np.int8), [0]]))).reshape(-1, 2)
    long = edges[edges[:, 1] - edges[:, 0] >= _PEAK]
    tops = np.array([start + int(wave[start:stop].argmax()) for start, stop in long.tolist()], np.intp)
    # at an end it can't be said where the wave turns
    inside = tops[(tops > 0) & (tops < len(wave) - 1)]
    before, top, after = wave[inside - 1], wave[inside], wave[inside + 1]
    bend = 2 * top - before - after
    aside = np.where(bend > 0, (after - before) / (2 * np.where(bend > 0, bend, 1)), 0)
    found: Floats = inside + aside.clip(-0.5, 0.5)
    return found


def plausible(intervals: Floats, jump: float) -> NDArray[np.bool_]:
    """Return which intervals (n,) in seconds are of a heart, where a beat is neither missed nor one too many.

    They are of 40 to 180 beats a minute, less than the share `jump` of it from the median of all that are, and from the
    mean of the two beside them: the latter is the rule of Karlsson et al., "Automatic filtering of outliers in RR
    intervals before analysis of heart rate variability" (BioMedical Engineering OnLine 2012), who take 0.2.
    """
    kept = (intervals > _LEAST_SECONDS) & (intervals < _MOST_SECONDS)
    if not kept.any():
        return kept
    usual = np.median(intervals[kept])
    beside = np.pad(intervals, 1, mode="edge")
    beside = (beside[:-2] + beside[2:]) / 2
    found: NDArray[np.bool_] = (
        kept & (np.abs(intervals - usual) < jump * usual) & (np.abs(intervals - beside) < jump * beside)
    )
    return found


def _mean(values: Floats, size: int) -> Floats:
    """Return (frames,) of means over `size` samples, an odd number, with zeros around."""
    sums = np.concatenate([np.zeros(size // 2 + 1), values, np.zeros(size // 2)]).cumsum()
    means: Floats = (sums[size:] - sums[:-size]) / size
    return means

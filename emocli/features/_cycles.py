"""Cycles of a voice: how irregular their lengths (jitter) and their peaks (shimmer) are within a frame.

By the formula of Praat's "jitter (local)" and "shimmer (local)": the mean difference between neighbouring cycles over
the mean, of their lengths and of the heights of their peaks, where Praat's shimmer has the power of each cycle. A cycle
is from one peak of the wave to the next, each looked for a period after the last, give or take a fifth of one; up to
four to either side of the frame's middle count. Neighbours that differ by more than Praat's factors are no neighbours:
a peak was missed between them, or the voice begins there.
"""

import numpy as np
from numpy.typing import NDArray

_CYCLES, _SLACK = 4, 0.2
_PERIOD_FACTOR, _HEIGHT_FACTOR = 1.3, 1.6
"""Praat's maximum period factor and maximum amplitude factor."""


def irregularity(
    samples: NDArray[np.float32], period: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return jitter and shimmer (frames,) of voiced frames (frames, size) whose periods in samples are known.

    0.01 is one per cent; 0 for a frame with fewer than three peaks.
    """
    waves = samples - samples.mean(axis=1, keepdims=True)
    # peaks on the side on which the wave goes further
    waves *= np.where(waves.max(axis=1) >= -waves.min(axis=1), 1, -1)[:, None]
    middle = _peak(waves, np.full(len(waves), waves.shape[1] / 2), period)
    peaks = [*reversed(_walk(waves, middle, -period)), middle, *_walk(waves, middle, period)]
    places, heights = (np.stack(each, axis=1) for each in zip(*peaks, strict=True))
    heights = np.where(heights > 0, heights, np.nan)
    return _variation(np.diff(places, axis=1), _PERIOD_FACTOR), _variation(heights, _HEIGHT_FACTOR)


Peak = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Place in samples and height, (frames,) each; NaN where the frame has none there."""


def _walk(waves: NDArray[np.float32], start: Peak, period: NDArray[np.float64]) -> list[Peak]:
    """Return the peaks one, two and more periods after a peak, each frame's as far as it goes."""
    peaks = [start]
    for _ in range(_CYCLES):
        peaks.append(_peak(waves, peaks[-1][0] + period, _SLACK * np.abs(period)))
    return peaks[1:]


def _peak(waves: NDArray[np.float32], centre: NDArray[np.float64], radius: NDArray[np.float64]) -> Peak:
    """Return the highest place of each wave within a radius of its centre, by the parabola through its neighbours."""
    reach = int(np.ceil(radius.max())) + 1
    offsets = np.arange(-reach, reach + 1)
    nearest = np.rint(np.where(np.isfinite(centre), centre, 0)).astype(np.intp)
    frame, last = np.arange(len(waves)), waves.shape[1] - 1
    near = waves[frame[:, None], np.clip(nearest[:, None] + offsets, 0, last)]
    # the edge of the range may be higher than all within and no peak
    tops = (near[:, 1:-1] > near[:, :-2]) & (near[:, 1:-1] >= near[:, 2:]) & (np.abs(offsets[1:-1]) <= radius[:, None])
    top = np.where(tops, near[:, 1:-1], -np.inf).argmax(axis=1) + 1
    before, here, after = (near[frame, top + step].astype(np.float64) for step in (-1, 0, 1))
    inside = tops.any(axis=1) & (nearest - radius >= 1) & (nearest + radius < last)
    bend, slope = before + after - 2 * here, (after - before) / 2
    shift = np.divide(-slope, bend, out=np.zeros_like(bend), where=inside)
    return np.where(inside, nearest + top - reach + shift, np.nan), np.where(inside, here + slope * shift / 2, np.nan)


def _variation(values: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return the mean difference of neighbours over the mean, (frames,) of (frames, cycles) with NaN for none.

    Neighbours of which one is more than `factor` times the other don't count.
    """
    changes = np.abs(np.diff(values, axis=1))
    # false for NaN too
    known = changes <= (factor - 1) * np.minimum(values[:, 1:], values[:, :-1])
    many, mean = known.sum(axis=1), _mean(values, np.isfinite(values))
    return np.where((many > 0) & (mean > 0), _mean(changes, known) / np.where(mean > 0, mean, 1), 0)


def _mean(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.where(known, values, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean

"""Cycles of a voice: how irregular their lengths (jitter) and their amplitudes (shimmer) are within a frame.

Praat's "jitter (local)" and "shimmer (local)": the mean difference between neighbours over the mean, of the lengths of
cycles and of the amplitudes of pulses. The first pulse is where the wave is furthest from 0 near the frame's middle; up
to four to either side follow, each where a period of the wave is most like the period about the last pulse (Praat's "To
PointProcess (cc)"): the shape of the whole cycle tells where the next one is, where a peak hops between formants. The
amplitude of a pulse is the root mean square of the wave within a fifth of a cycle of it. Neighbours that differ by more
than Praat's factors are no neighbours: a pulse was missed between them, or the voice begins there.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emocli.features import _parabola

_PULSES, _SHORTEST, _LONGEST, _LIKE = 4, 0.8, 1.25, 0.3
"""Pulses to either side; the next one in periods; the least correlation of the waves about two neighbours."""
_PERIOD_FACTOR, _AMPLITUDE_FACTOR, _ABOUT = 1.3, 1.6, 0.2
"""Praat's maximum period factor and maximum amplitude factor; the cycles about a pulse that are its amplitude."""
_STEP = 64

Floats = NDArray[np.float64]


class _Voice(NamedTuple):
    """Frames (frames, size) with a mean of 0, their periods in samples, and a length that none of these exceeds."""

    waves: NDArray[np.float32]
    period: Floats
    longest: int

    def at(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the samples at places (frames, …), where there are none those at the frame's end."""
        frame = np.arange(len(self.waves)).reshape(-1, *[1] * (places.ndim - 1))
        samples: NDArray[np.float32] = self.waves[frame, np.clip(places, 0, self.waves.shape[1] - 1)]
        return samples


def irregularity(samples: NDArray[np.float32], period: Floats) -> tuple[Floats, Floats]:
    """Return jitter and shimmer (frames,) of voiced frames (frames, size) whose periods in samples are known.

    0.01 is one per cent; 0 for a frame with fewer than three pulses, shimmer with fewer than four.
    """
    jitter, shimmer = np.zeros(len(period)), np.zeros(len(period))
    waves = samples - samples.mean(axis=1, keepdims=True)
    # sums are as long as each frame's own period asks, whatever the frames beside it: the same numbers in any block
    lengths = _STEP * np.ceil(period / _STEP).astype(np.intp)
    for longest in np.unique(lengths):
        these = lengths == longest
        voice = _Voice(waves[these], period[these], int(longest))
        places = _pulses(voice)
        cycles = np.diff(places, axis=1)
        jitter[these] = _variation(cycles, _PERIOD_FACTOR)
        shimmer[these] = _variation(_amplitudes(voice, places, cycles), _AMPLITUDE_FACTOR)
    return jitter, shimmer


def _pulses(voice: _Voice) -> Floats:
    """Return the places of the pulses in samples, (frames, pulses), NaN for those that a frame doesn't have."""
    middle, offsets = voice.waves.shape[1] // 2, np.arange(-voice.longest // 2, voice.longest // 2 + 1)
    far = np.abs(voice.at((middle + offsets)[None]))
    near = np.abs(offsets) <= voice.period[:, None] / 2
    first = middle + offsets[np.where(near, far, -1).argmax(axis=1)].astype(np.float64)
    before, after = [first], [first]
    for _ in range(_PULSES):
        before.append(_next(voice, before[-1], -1))
        after.append(_next(voice, after[-1], 1))
    return np.stack([*before[:0:-1], *after], axis=1)


def _next(voice: _Voice, place: Floats, way: int) -> Floats:
    """Return the next pulse after a place (way 1) or before it (-1): where the wave about it is most like its own."""
    cycle, here = np.rint(voice.period).astype(np.intp), np.rint(np.nan_to_num(place)).astype(np.intp)
    half = (voice.period / 2).astype(np.intp)
    slack = int((_LONGEST - 1) * voice.longest) + 2
    window, lags = np.arange(-voice.longest // 2, voice.longest // 2 + 1), np.arange(-slack, slack + 1)
    wave = voice.at(here[:, None] + window) * (np.abs(window) <= half[:, None])
    there = voice.at((here + way * cycle)[:, None] + np.arange(window[0] - slack, window[-1] + slack + 1))
    product = np.einsum("fls,fs->fl", sliding_window_view(there, len(window), axis=1), wave)
    power = _power(there, half, voice.longest // 2 + np.arange(len(lags))) * (wave**2).sum(axis=1, keepdims=True)
    like = product / np.sqrt(np.maximum(power, np.finfo(np.float32).tiny))
    cycles = (cycle[:, None] + way * lags) / voice.period[:, None]
    lag, likeness = _top(like, (cycles >= _SHORTEST) & (cycles <= _LONGEST))
    before, after = (half, cycle + slack + half) if way > 0 else (cycle + slack + half, half)
    inside = (here >= before) & (here + after < voice.waves.shape[1])
    return np.where(inside & (likeness > _LIKE), place + way * cycle + lag - slack, np.nan)


def _power(waves: NDArray[np.float32], half: NDArray[np.intp], centres: NDArray[np.intp]) -> Floats:
    """Return the sum of squares (frames, centres) from `half` samples before each centre to as many after it."""
    sums = np.pad(np.cumsum(waves.astype(np.float64) ** 2, axis=1), ((0, 0), (1, 0)))
    until, since = (np.take_along_axis(sums, centres + step[:, None], axis=1) for step in (half + 1, -half))
    return until - since


def _top(values: Floats, asked: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return where each row has its highest peak of those asked for, by the parabola, and its height; -1 for none."""
    # the edge of the range may be higher than all within and no peak
    tops = asked[:, 1:-1] & (values[:, 1:-1] > values[:, :-2]) & (values[:, 1:-1] >= values[:, 2:])
    top, row = np.where(tops, values[:, 1:-1], -1).argmax(axis=1) + 1, np.arange(len(values))
    return top + _parabola.turn(values, row, top)[0], np.where(tops.any(axis=1), values[row, top], -1)


def _amplitudes(voice: _Voice, places: Floats, cycles: Floats) -> Floats:
    """Return the amplitude of each pulse between two cycles, (frames, pulses), by Hann's window; NaN for none."""
    before, after, pulse = cycles[:, :-1, None], cycles[:, 1:, None], places[:, 1:-1, None]
    between = np.maximum(before, after) <= _PERIOD_FACTOR * np.minimum(before, after)  # false for NaN too
    reach = int(_ABOUT * _LONGEST * voice.longest) + 1
    samples = np.rint(np.where(between, pulse, 0)).astype(np.intp) + np.arange(-reach, reach + 1)
    phase = (samples - pulse) / (_ABOUT * np.where(samples < pulse, before, after))
    window = np.where(np.abs(phase) < 1, (0.5 + 0.5 * np.cos(np.pi * phase)) ** 2, 0)
    power = (voice.at(samples).astype(np.float64) ** 2 * window).sum(axis=2)
    loud = between[..., 0] & (power > 0)
    amplitudes: Floats = np.sqrt(np.divide(power, window.sum(axis=2), out=np.full_like(power, np.nan), where=loud))
    return amplitudes


def _variation(values: Floats, factor: float) -> Floats:
    """Return the mean difference of neighbours over the mean, (frames,) of (frames, cycles) with NaN for none.

    Neighbours of which one is more than `factor` times the other don't count.
    """
    changes = np.abs(np.diff(values, axis=1))
    # false for NaN too
    known = changes <= (factor - 1) * np.minimum(values[:, 1:], values[:, :-1])
    many, mean = known.sum(axis=1), _mean(values, np.isfinite(values))
    return np.where((many > 0) & (mean > 0), _mean(changes, known) / np.where(mean > 0, mean, 1), 0)


def _mean(values: Floats, known: NDArray[np.bool_]) -> Floats:
    mean: Floats = np.where(known, values, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean

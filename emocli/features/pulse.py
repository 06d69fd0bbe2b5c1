"""One vector a window: how fast the heart beats, how that varies, and how strong the pulse is.

Sixteen numbers of the beats found in the blood volume pulse (channel bvp). In beats a minute: mean heart rate, its
percentiles 5 and 95, and its trend a minute. Of the intervals: SDNN and RMSSD in ms, the shares of steps above 20 and
above 50 ms (pNN20, pNN50), SD1 and SD2 of Poincaré's plot in ms; logarithms of LF and HF in ms² and of LF/HF. Mean
swing of the wave from beat to beat, in the recorder's unit, and its deviation as a share of that. Last the share of the
window that is in good intervals; with fewer than five of them, such as of a band that nobody wears, all others are 0.

A beat missed, or one too many, makes intervals that are of no heart, and moving makes many. Only those are counted that
are of 40 to 180 beats a minute, near the window's median and near the two beside them (Karlsson et al. 2012).

Options:
    turn: valley or peak, which of them marks a beat; the sharper one, which in an Empatica E4 is the valley
    jump: share of the median, and of the mean of its two neighbours, from which on an interval is not counted
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features import _windows
from emocli.physio import beats, trends, variability
from emocli.physio.signals import RATE_HZ, Signals

MODALITY = "physio"

_TURNS = {"valley": -1, "peak": 1}
_NUMBERS, _FEWEST = 16, 5


def extractor(*, turn: str = "valley", jump: float = 0.25) -> Callable[[Sequence[Signals]], NDArray[np.float32]]:
    """Return the function from n windows to (n, 16) float32."""
    if turn not in _TURNS:
        raise EmoError(f"pulse has no turn {turn!r}; choose valley or peak")
    if not 0 < jump < 1:
        raise EmoError(f"pulse can't take jump={jump:g}; give a share between 0 and 1, such as 0.25")
    sign = _TURNS[turn]
    return lambda windows: _windows.described(windows, lambda window: _numbers(window.channel("bvp"), sign, jump))


def _numbers(pulse: NDArray[np.float64], sign: int, jump: float) -> list[float]:
    wave = sign * beats.wave(pulse)
    places = beats.places(wave)
    intervals = np.diff(places) / RATE_HZ
    kept = beats.plausible(intervals, jump)
    share = intervals[kept].sum() * RATE_HZ / len(pulse)
    if kept.sum() < _FEWEST:
        return [0.0] * (_NUMBERS - 1) + [share]
    good, seconds = intervals[kept], places[1:][kept] / RATE_HZ
    rate = 60 / good
    found = [60 / good.mean(), *np.percentile(rate, (5, 95)), trends.a_minute(rate, seconds)]
    found += variability.in_time(intervals, kept) + variability.in_frequency(good, seconds)
    # from each beat to the next; the last begins none
    starts = places.astype(np.intp)
    swings = (np.maximum.reduceat(wave, starts) - np.minimum.reduceat(wave, starts))[:-1][kept]
    return [*found, swings.mean(), swings.std() / swings.mean(), share]

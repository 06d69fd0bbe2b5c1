"""One vector a window: how much the wrist moves, how fast, how often it is still, and how it is held.

Thirteen numbers of the acceleration (channels acc_x, acc_y, acc_z), in g. Mean of the magnitude above gravity (ENMO:
van Hees et al., PLoS ONE 2013), deviation of the magnitude, mean change in g a second, and the deviation of each axis;
share of the seconds that are still; mean direction of gravity and all else, x, y and z, 1 long for a hand that stays as
it is. Last the logarithms of the power in g² from 0.3 to 1 Hz, from there to 3 Hz, which is where steps are, and to 10
Hz, a hand's quick work and trembling; 1e-6 is the least that they are taken of.

Options:
    still: deviation in g below which a second is still; 0.02 is little more than a step of an Empatica E4
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features import _windows
from emocli.physio.signals import RATE_HZ, Signals

MODALITY = "physio"

_AXES = ("acc_x", "acc_y", "acc_z")
_EDGES_HZ = (0.3, 1.0, 3.0, 10.0)
_LEAST_POWER = 1e-6

Floats = NDArray[np.float64]


def extractor(*, still: float = 0.02) -> Callable[[Sequence[Signals]], NDArray[np.float32]]:
    """Return the function from n windows to (n, 13) float32."""
    if not still > 0:
        raise EmoError(f"movement can't take still={still:g}; give g above 0, such as 0.02")

    def numbers(window: Signals) -> list[float]:
        return _numbers(np.stack([window.channel(axis) for axis in _AXES]), still)

    return lambda windows: _windows.described(windows, numbers)


def _numbers(axes: Floats, still: float) -> list[float]:
    """Return the numbers of (3, frames) in g."""
    magnitude = _length(axes)
    change = _length(np.diff(axes)).mean() * RATE_HZ if axes.shape[1] > 1 else 0.0
    much = [np.maximum(magnitude - 1, 0).mean(), magnitude.std(), change, *axes.std(axis=1)]
    direction = (axes / np.where(magnitude > 0, magnitude, 1)).mean(axis=1)
    return [*much, np.mean(_deviations(axes) < still), *direction, *_spectrum(axes)]


def _deviations(axes: Floats) -> Floats:
    """Return the deviation of each whole second, of all axes together; of what there is where that is less."""
    seconds = max(axes.shape[1] // RATE_HZ, 1)
    whole = axes[:, : seconds * RATE_HZ].reshape(3, seconds, -1)
    return _length(whole.std(axis=2))


def _spectrum(axes: Floats) -> list[float]:
    """Return the logarithm of the power in each band."""
    frames = axes.shape[1]
    power = (np.abs(np.fft.rfft(axes - axes.mean(axis=1, keepdims=True))) ** 2).sum(axis=0) * 2 / frames**2
    edges = np.ceil(np.array(_EDGES_HZ) * frames / RATE_HZ).astype(np.intp)
    bands = [power[start:stop].sum() for start, stop in itertools.pairwise(edges)]
    return [float(np.log(max(band, _LEAST_POWER))) for band in bands]


def _length(vectors: Floats) -> Floats:
    length: Floats = np.sqrt((vectors**2).sum(axis=0))
    return length

"""One vector a window: how warm the skin is, and whether it warms or cools.

Four numbers of the skin's temperature (channel temp), which falls at a hand whose vessels narrow, in degrees Celsius:
mean, deviation, range from lowest to highest, and slope a minute.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.features import _windows
from emocli.physio import trends
from emocli.physio.signals import RATE_HZ, Signals

MODALITY = "physio"


def extractor() -> Callable[[Sequence[Signals]], NDArray[np.float32]]:
    """Return the function from n windows to (n, 4) float32."""
    return lambda windows: _windows.described(windows, lambda window: _numbers(window.channel("temp")))


def _numbers(degrees: NDArray[np.float64]) -> list[float]:
    slope = trends.a_minute(degrees, np.arange(len(degrees)) / RATE_HZ)
    return [degrees.mean(), degrees.std(), np.ptp(degrees), slope]

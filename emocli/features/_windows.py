"""Windows of signals, each described by some numbers, as rows that are finite whatever was recorded."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.physio.signals import Signals

_LARGEST = float(np.finfo(np.float32).max)


def described(windows: Sequence[Signals], numbers: Callable[[Signals], Sequence[float]]) -> NDArray[np.float32]:
    """Return (n, d) of n windows; what is too large for float32 is the largest it has."""
    rows = np.array([numbers(window) for window in windows], np.float64)
    return rows.clip(-_LARGEST, _LARGEST).astype(np.float32)

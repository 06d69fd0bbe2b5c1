"""The parabola through a value and its two neighbours: where it turns, and how steep it is in the middle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def turn(
    values: NDArray[Any], row: NDArray[np.intp], place: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return how far from each place of (rows, places) it turns, 0 where not within one, and its slope at the place.

    Half the slope times that way is how much higher, or lower, the parabola is there.
    """
    before, here, after = (values[row, place + step] for step in (-1, 0, 1))
    slope, bend = (after - before) / 2, (after + before) - 2 * here.astype(np.float64)
    within = np.abs(slope) < np.abs(bend)
    return np.divide(-slope, bend, out=np.zeros_like(bend), where=within), slope

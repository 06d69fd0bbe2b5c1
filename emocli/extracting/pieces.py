"""How much of the data is decoded at once: many small pictures or few large ones, short clips or one long one."""

import numpy as np
from numpy.typing import NDArray

from emocli.data.hdf5 import Data

MOST = 1 << 22
"""Samples of sound (16 MB), or bytes of encoded pictures, which take some ten times as much when they are decoded."""


def of(data: Data, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split rows into those that are decoded at once, one at least: all where the file holds them decoded."""
    if data.shape:
        return [rows]
    cuts = np.diff(np.cumsum(data.lengths[rows]) // MOST) > 0
    return np.split(rows, np.flatnonzero(cuts) + 1)

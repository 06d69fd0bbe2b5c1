"""Samples of different length in a data artifact: one flat array and where each sample ends."""

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray


class Ragged:
    """Samples behind each other in `flat` (all, …); sample i reaches up to `end[i]`. Reads only what is asked for."""

    def __init__(self, flat: h5py.Dataset | NDArray[Any], end: h5py.Dataset | NDArray[np.int64]) -> None:
        self._flat = flat
        self._starts: NDArray[np.int64] = np.concatenate([np.zeros(1, np.int64), np.asarray(end[:], np.int64)])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How long each sample is, (n,)."""
        return np.diff(self._starts)

    def between(self, start: int, stop: int) -> list[NDArray[Any]]:
        """Return the samples of rows start to stop, read at once."""
        bounds = self._starts[start : stop + 1]
        flat = self._flat[bounds[0] : bounds[-1]]
        return np.split(flat, bounds[1:-1] - bounds[0]) if len(bounds) > 1 else []

    def take(self, rows: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Return the samples of the rows, in their order; neighbours are read at once."""
        return [each for start, stop in runs(rows) for each in self.between(start, stop)]


def runs(rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where neighbours among the rows begin and end, start to stop, in their order."""
    found = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1) if len(rows) else []
    return [(int(run[0]), int(run[-1]) + 1) for run in found]

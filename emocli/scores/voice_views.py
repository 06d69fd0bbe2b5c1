"""Views of voices: the bands of their spectrograms moved a little up or down, as another throat would, or faster."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.data import padding


@dataclass(frozen=True, slots=True)
class Move:
    """A small change of a voice: its bands stretched, which moves pitch and formants, and its speed."""

    higher: float = 1.0
    faster: float = 1.0


MOVES = (
    Move(),
    Move(higher=1.04),
    Move(higher=1 / 1.04),
    Move(higher=1.07),
    Move(higher=1 / 1.07),
    Move(faster=1.1),
    Move(faster=1 / 1.1),
)
"""The views in the order in which they are taken: what `--pitch 0.1` and `--speed 0.1` show in training."""


def shown(x: NDArray[Any], count: int) -> Iterator[NDArray[Any]]:
    """Yield sequences (n, frames, bands), NaN after their ends, as each of `count` views shows them, as they are first.

    Other speeds make them shorter or longer.
    """
    for move in MOVES[:count]:
        yield x if move == Move() else padding.pad([_moved(clip[~np.isnan(clip[:, 0])], move) for clip in x])


def _moved(clip: NDArray[np.float32], move: Move) -> NDArray[np.float32]:
    """Return a clip (frames, bands) after a move, linearly as in training; above the highest band that is repeated."""
    frames, bands = clip.shape
    read = _between(clip, np.arange(int((frames - 1) / move.faster) + 1) * move.faster)
    return _between(read.T, np.arange(bands) / move.higher).T


def _between(rows: NDArray[np.float32], places: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return what lies at places between rows (n, d), which are counted from 0; beyond the last it is the last."""
    lower = np.minimum(places.astype(int), len(rows) - 1)
    upper = np.minimum(lower + 1, len(rows) - 1)
    share = (places - lower).clip(0, 1).astype(np.float32)[:, None]
    found: NDArray[np.float32] = rows[lower] * (1 - share) + rows[upper] * share
    return found

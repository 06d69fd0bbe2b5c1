"""Deltas: slope and curvature of each number over neighbouring frames, by a polynomial fitted to nine, as librosa's.

Savitzky and Golay (Analytical Chemistry 1964). The four frames at either end take what their nearest neighbour has; a
sound of fewer than nine frames is continued with its first and last one (librosa's mode="nearest").
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

WIDTH = 9
REACH = WIDTH // 2


def with_deltas(rows: NDArray[np.float32], orders: int) -> NDArray[np.float32]:
    """Return (frames, d) and its deltas of order 1 to `orders` beside it, (frames, d * (1 + orders))."""
    if not orders:
        return rows
    count = len(rows)
    inside = rows if count >= WIDTH else _repeat_ends(rows)
    windows = np.lib.stride_tricks.sliding_window_view(inside, WIDTH, axis=0)
    # (frames, d, orders) to orders beside each other
    deltas = (windows @ _weights(orders)).transpose(0, 2, 1).reshape(len(windows), -1)
    return np.concatenate([rows, deltas if count < WIDTH else _repeat_ends(deltas)], axis=1)


def _repeat_ends(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(rows, ((REACH, REACH), (0, 0)), "edge")


@cache
def _weights(orders: int) -> NDArray[np.float32]:
    """Return what nine values weigh in the slope of the line, and the curvature of the parabola, through them."""
    slope = np.arange(WIDTH) - REACH
    curve = slope**2 - np.mean(slope**2)
    # least squares: neither depends on the other, nor on the mean
    weights = np.stack([slope / (slope @ slope), 2 * curve / (curve @ curve)], axis=1)
    return weights[:, :orders].astype(np.float32)

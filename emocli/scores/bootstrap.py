"""Bootstrap intervals, for all figures of one set of rows at once.

Written in numpy, as a thousand draws need each figure for all draws at once. Every draw is a vector of counts, how
often each row was drawn, so that no row is copied.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Figure = Callable[[Floats], Floats]
"""From weights of the rows, (draws, n), to the figure for each draw, NaN where it is not defined."""
_BLOCK_BYTES = 1 << 20
"""Memory for one block of draws."""


def intervals(
    figures: Mapping[str, Figure], rows: int, *, samples: int, seed: int = 0
) -> dict[str, dict[str, Any] | None]:
    """Return {"value", "low", "high", "n"} by name: the figure of all rows and the 2.5 to 97.5 percentile of the draws.

    The same seed draws the same rows. None stands for a figure that is not defined for these rows, or in no draw.
    """
    found: dict[str, list[Floats]] = {name: [] for name in figures}
    for weights in _draws(rows, samples, seed):
        for name, figure in figures.items():
            found[name].append(figure(weights))
    whole = np.ones((1, rows))
    return {name: _interval(float(figure(whole)[0]), found[name], rows) for name, figure in figures.items()}


def _draws(rows: int, samples: int, seed: int) -> Iterator[Floats]:
    """Yield the bootstrap's draws in blocks that fit the cache: (draws, rows), how often each row was drawn."""
    random = np.random.default_rng(seed)
    most = max(1, _BLOCK_BYTES // (8 * rows))
    for start in range(0, samples, most):
        size = min(most, samples - start)
        # row numbers of their own for each draw, so that one bincount counts all of the block
        picks = random.integers(0, rows, (size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(picks.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def _interval(value: float, found: list[Floats], rows: int) -> dict[str, Any] | None:
    if np.isnan(value):
        return None
    draws = np.concatenate(found)
    if np.isnan(draws).all():
        return {"value": value, "low": None, "high": None, "n": rows}
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return {"value": value, "low": float(low), "high": float(high), "n": rows}

"""The mean of repeated runs with Student's 95 % interval."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special


def over_runs(values: Sequence[float], *, bounds: tuple[float, float] = (-math.inf, math.inf)) -> dict[str, Any]:
    """Return {"value", "low", "high", "n"} of the mean of n runs, by the t distribution; the interval of one is None.

    The interval says where the mean over all seeds lies, not how well one run's accuracy is known; it is cut at
    `bounds`, 0 and 1 for an accuracy.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return {"value": mean, "low": None, "high": None, "n": n}
    reach = float(special.stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / math.sqrt(n))
    return {"value": mean, "low": max(bounds[0], mean - reach), "high": min(bounds[1], mean + reach), "n": n}

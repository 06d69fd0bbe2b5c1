"""A share of rows with its 95 % interval, where a bootstrap of few rows or of rows that are all alike has no width."""

import math

_Z = 1.959964
"""97.5th percentile of the normal distribution."""


def of(hits: int, n: int) -> dict[str, float | int]:
    """Return {"value", "low", "high", "n"} of hits among n rows: Wilson's score interval (1927).

    Of no row nothing is known: a value of 0 from 0 to 1.
    """
    if n == 0:
        return {"value": 0.0, "low": 0.0, "high": 1.0, "n": 0}
    share = hits / n
    middle, width = share + _Z**2 / (2 * n), _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low, high = ((middle + sign * width) / (1 + _Z**2 / n) for sign in (-1, 1))
    return {"value": share, "low": max(0.0, low), "high": min(1.0, high), "n": n}


def told(share: float, n: int) -> str:
    """Return a share of n rows in words, with its interval."""
    found = of(round(share * n), n)
    return f"{share:.2%} [{found['low']:.1%}, {found['high']:.1%}]"

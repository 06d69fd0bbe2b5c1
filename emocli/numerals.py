"""Numbers as users write them."""

import math


def number(text: str) -> float:
    """Return the number that a text is, NaN for none: that lies within no bounds, so what checks them refuses both."""
    try:
        return float(text)
    except ValueError:
        return math.nan

"""The trend of what was measured: how much it rises a minute."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def a_minute(values: Floats, seconds: Floats) -> float:
    """Return the slope of the line of least squares through values (n,) at seconds (n,); 0 for less than two."""
    since = seconds - seconds.mean() if len(seconds) else seconds
    # no product of BLAS, which sums in another order on more cores
    power = (since**2).sum()
    return float(60 * (since * values).sum() / power) if power > 0 else 0.0

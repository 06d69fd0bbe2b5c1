"""What a model says of one sample, as it is printed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DIGITS = 5
"""Decimals of a printed probability."""


def verdict(chances: NDArray[np.float64], labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the likeliest of the labels, its probability and those of all; `chances` is (classes,)."""
    probabilities = {label: round(float(chance), DIGITS) for label, chance in zip(labels, chances, strict=True)}
    best = labels[int(chances.argmax())]
    return {"label": best, "probability": probabilities[best], "probabilities": probabilities}

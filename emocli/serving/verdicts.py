"""What a model says of one sample, as it is printed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

DIGITS = 5
"""Decimals of a printed probability."""


def verdict(chances: NDArray[np.float64], labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the likeliest of the labels, its probability and those of all; `chances` is (classes,).

    Raises EmoError when there are more chances than labels, or less.
    """
    if chances.shape != (len(labels),):
        raise EmoError(f"the model gives logits {chances.shape} for {len(labels)} labels; make it again")
    return of(dict(zip(labels, chances.tolist(), strict=True)))


def of(chances: dict[str, float]) -> dict[str, Any]:
    """Return the same of chances by label."""
    label = max(chances, key=lambda name: chances[name])
    probabilities = {name: round(chance, DIGITS) for name, chance in chances.items()}
    return {"label": label, "probability": probabilities[label], "probabilities": probabilities}

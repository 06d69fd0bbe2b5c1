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
    probabilities = {label: round(float(chance), DIGITS) for label, chance in zip(labels, chances, strict=True)}
    return _of(labels[int(chances.argmax())], probabilities)


def of_printed(probabilities: dict[str, float]) -> dict[str, Any]:
    """Return the same of probabilities by label that are printed already, such as smoothed ones."""
    return _of(max(probabilities, key=lambda name: probabilities[name]), probabilities)


def _of(label: str, probabilities: dict[str, float]) -> dict[str, Any]:
    return {"label": label, "probability": probabilities[label], "probabilities": probabilities}

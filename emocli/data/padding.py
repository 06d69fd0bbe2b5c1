"""Sequences of different length as one batch: what is not there is NaN."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pad(sequences: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return (n, longest, d) float32 of n arrays (frames, d); the frames after a sequence's end are NaN.

    Features never hold NaN, so a model knows the padding without a second input.
    """
    longest, width = max(len(each) for each in sequences), sequences[0].shape[1]
    padded = np.full((len(sequences), longest, width), np.nan, np.float32)
    for row, each in zip(padded, sequences, strict=True):
        row[: len(each)] = each
    return padded


def first(x: NDArray[Any]) -> NDArray[Any]:
    """Return a batch of the first row alone; a sequence without its padding."""
    row = x[:1]
    return row[:, ~np.isnan(row[0, :, 0])] if row.ndim == 3 else row


def batch(features: NDArray[Any] | list[NDArray[np.float32]]) -> NDArray[Any]:
    """Return what a model takes of an extractor's features: sequences padded, arrays as they are."""
    return pad(features) if isinstance(features, list) else features

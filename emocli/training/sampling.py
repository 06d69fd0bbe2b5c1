"""The order in which an epoch shows the rows: each once, or each class as often as any other."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator


def order(labels: NDArray[np.int64], generator: Generator, *, oversample: bool = False) -> NDArray[np.int64]:
    """Return (n,) places of rows in an order of chance; `labels` are their (n,) class indices.

    With `oversample` the classes that occur share the n places evenly. A class of few rows shows all of them before
    any again; a class of many shows some, others in each epoch.
    """
    if not oversample:
        return _shuffled(len(labels), generator)
    present = np.unique(labels)
    quotas = np.full(len(present), len(labels) // len(present))
    quotas[_shuffled(len(present), generator)[: len(labels) % len(present)]] += 1
    drawn = [
        _repeated(np.flatnonzero(labels == label), int(quota), generator)
        for label, quota in zip(present, quotas, strict=True)
    ]
    return np.concatenate(drawn)[_shuffled(len(labels), generator)]


def _repeated(places: NDArray[np.int64], quota: int, generator: Generator) -> NDArray[np.int64]:
    """Return `quota` of the places, shuffled anew each time all were taken."""
    rounds = -(-quota // len(places))
    return np.concatenate([places[_shuffled(len(places), generator)] for _ in range(rounds)] or [places])[:quota]


def _shuffled(count: int, generator: Generator) -> NDArray[np.int64]:
    places: NDArray[np.int64] = torch.randperm(count, generator=generator).numpy()
    return places

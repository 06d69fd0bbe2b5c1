"""The order in which an epoch shows the rows: each once or each class as often; sequences among others as long."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

_TOGETHER = 16
"""Batches whose sequences are sorted by length together."""


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


def by_length(
    order: NDArray[np.int64], lengths: NDArray[np.int64], size: int, generator: Generator
) -> NDArray[np.int64]:
    """Return the (n,) places so that batches of `size` hold sequences of similar `lengths`, in an order of chance.

    Only the places of a few neighbouring batches are sorted together, so that batches are others in each epoch.
    """
    whole = len(order) // size * size
    batches: list[NDArray[np.int64]] = []
    for start in range(0, whole, _TOGETHER * size):
        some = order[start : min(start + _TOGETHER * size, whole)]
        batches += np.split(some[np.argsort(lengths[some], kind="stable")], len(some) // size)
    shuffled = [batches[place] for place in _shuffled(len(batches), generator)]
    return np.concatenate([*shuffled, order[whole:]])


def _repeated(places: NDArray[np.int64], quota: int, generator: Generator) -> NDArray[np.int64]:
    """Return `quota` of the places, shuffled anew each time all were taken."""
    rounds = -(-quota // len(places))
    return np.concatenate([places[_shuffled(len(places), generator)] for _ in range(rounds)] or [places])[:quota]


def _shuffled(count: int, generator: Generator) -> NDArray[np.int64]:
    places: NDArray[np.int64] = torch.randperm(count, generator=generator).numpy()
    return places

"""What a trained net says of each class on average: what `emo personalize` compares a person with."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emocli.data.hdf5 import Data
from emocli.training.rows import unit

_ROWS = 100
"""Of a class, evenly through the train part: enough for a mean, and no time beside a training run."""
_BATCH = 25


def measure(net: nn.Module, data: Data, left_out: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Return (classes, classes): for each class the mean logits of its train rows, NaN for a class without any.

    The net is in eval mode on the CPU. Augmented copies and rows `left_out` do not count, and of many rows a sample is
    taken.
    """
    rows = data.scored("train", left_out)
    targets = data.targets()[rows]
    return np.stack([_mean(net, data, rows[targets == label]) for label in range(len(data.labels))])


def _mean(net: nn.Module, data: Data, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(rows):
        return np.full(len(data.labels), np.nan)
    if len(rows) > _ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _ROWS).astype(int)]
    parts = np.split(rows, range(_BATCH, len(rows), _BATCH))
    with torch.inference_mode():
        logits = torch.cat([net(unit(torch.from_numpy(data.take(part)))) for part in parts])
    mean: NDArray[np.float64] = logits.double().mean(0).numpy()
    return mean

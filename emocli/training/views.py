"""How pictures look to a net in training: the very batches that a step prepares."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from emocli.training import step
from emocli.training.augment import strengths
from emocli.training.recipe import Recipe


def views(pictures: NDArray[np.uint8], recipe: Recipe, count: int, seed: int) -> NDArray[np.uint8]:
    """Return (n, channels, h, w) pictures as `count` batches of a training show them, (count, n, channels, h, w)."""
    # in an odd batch the one in the middle would be mixed with itself: once more at the end, it is the first one's pair
    middle = len(pictures) // 2
    even = np.concatenate([pictures, pictures[middle : middle + len(pictures) % 2]])
    x, y = torch.from_numpy(even), torch.ones(len(even), 1)
    changes, generator = strengths(recipe), Generator().manual_seed(seed)
    shown = torch.stack([step.prepare(x, y, recipe, changes, generator)[0] for _ in range(count)])
    return (shown[:, : len(pictures)] * 255).round().to(torch.uint8).numpy()

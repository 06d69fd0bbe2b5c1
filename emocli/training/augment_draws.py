"""Random numbers for each image of a batch, and where things lie in it; drawn on the CPU, so a GPU sees the same."""

import torch
from torch import Generator, Tensor


def uniform(images: Tensor, reach: float, generator: Generator) -> Tensor:
    """Draw (n,) numbers from -reach to reach, one an image."""
    return ((torch.rand(len(images), generator=generator) * 2 - 1) * reach).to(images.device)


def rectangles(images: Tensor, top: Tensor, left: Tensor, tall: Tensor, wide: Tensor) -> Tensor:
    """Return which pixels lie in each image's rectangle, (n, 1, h, w); all are (n,) shares of the side."""
    height, width = images.shape[2:]
    rows = _inside(torch.arange(height, device=images.device) / height, top, tall)
    columns = _inside(torch.arange(width, device=images.device) / width, left, wide)
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def _inside(places: Tensor, start: Tensor, extent: Tensor) -> Tensor:
    return (places[None] >= start[:, None]) & (places[None] < (start + extent)[:, None])

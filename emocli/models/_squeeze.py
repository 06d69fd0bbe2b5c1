"""Squeeze-and-excitation, as several architectures have it."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate in 0..1 computed from the mean of all channels; the FCs are 1x1 convolutions.

    As published by Hu et al. 2018 (arXiv 1709.01507); EfficientNet has SiLU inside instead of ReLU.
    """

    def __init__(self, channels: int, reduction: int, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.activation = activation()
        self.expand = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, mean = _pooled(x) if self.training else (x, self.pool(x))
        gate: Tensor = self.expand(self.activation(self.reduce(mean)))
        return x * torch.sigmoid(gate)


class _Pooled(torch.autograd.Function):
    """x itself and its mean over height and width.

    Both gradients of x come back at once and are added in one pass over the maps. Left to autograd, the mean's is
    written out as large as the maps first: 5 % of the time of a training step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        # the mean of bf16 maps is taken of a float copy of them, this pool is not
        return x.view_as(x), F.avg_pool2d(x, x.shape[2:])

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Tensor:
        maps, mean = gradients
        return torch.add(maps, mean, alpha=1 / (maps.shape[2] * maps.shape[3]))


def _pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    pair: tuple[Tensor, Tensor] = _Pooled.apply(x)  # type: ignore[no-untyped-call]
    return pair

"""Squeeze-and-excitation, as several architectures have it."""

import torch
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
        gate: Tensor = self.expand(self.activation(self.reduce(self.pool(x))))
        return x * torch.sigmoid(gate)

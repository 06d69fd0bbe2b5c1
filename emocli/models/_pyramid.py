"""Feature pyramid: the maps of every stage, each merged with the coarser ones, pooled to one embedding."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emocli.models._layers import conv_norm


class Pyramid(nn.Module):
    """Stages one after the other and, on their maps, a feature pyramid: the embedding is (n, stages times width).

    Lateral 1x1 convolutions, nearest upsampling, sum and a 3x3 convolution as published by Lin et al. 2017 (arXiv
    1612.03144). There detectors read the maps; here each is averaged. BatchNorm and ReLU follow the 3x3 convolutions,
    because without ReLU the average of the pyramid would be a linear map of the averages of the stages.
    """

    def __init__(self, stages: Sequence[nn.Module], widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(conv_norm(inputs, width, 1, activation=None) for inputs in widths)
        self.smooth = nn.ModuleList(conv_norm(width, width, 3) for _ in widths)

    def forward(self, x: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            maps.append(lateral(x))
        for place in reversed(range(len(maps) - 1)):
            maps[place] = maps[place] + _doubled(maps[place + 1], maps[place])
        pooled = [smooth(merged).mean((2, 3)) for smooth, merged in zip(self.smooth, maps, strict=True)]
        return torch.cat(pooled, 1)


def _doubled(coarse: Tensor, fine: Tensor) -> Tensor:
    """Return the coarse maps at twice their size, less the last row and column where those of `fine` are odd."""
    # a factor, not a size: the exporter would read the batch from the input for the latter
    large = F.interpolate(coarse, scale_factor=2.0, mode="nearest")
    return large if large.shape[2:] == fine.shape[2:] else large[:, :, : fine.shape[2], : fine.shape[3]]

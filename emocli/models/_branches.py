"""A 3x3 convolution that trains as three branches and serves as one (RepVGG)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emocli.models._layers import conv_norm


class Branched(nn.Module):
    """3x3 and 1x1 convolution and, where the shape stays, the input, each with BatchNorm: their sum, then ReLU.

    Source: Ding et al. 2021 (RepVGG, arXiv 2101.03697).
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, relu: bool = True) -> None:
        super().__init__()
        self.stride = stride
        self.dense = conv_norm(inputs, outputs, 3, stride=stride, activation=None)
        self.point = conv_norm(inputs, outputs, 1, stride=stride, activation=None)
        self.same = nn.BatchNorm2d(inputs) if stride == 1 and inputs == outputs else None
        self.relu = nn.ReLU(inplace=True) if relu else None

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(x) + self.point(x)
        if self.same is not None:
            y = y + self.same(x)
        return y if self.relu is None else self.relu(y)

    @torch.no_grad()
    def fused(self) -> nn.Sequential:
        """Return the one convolution, with bias, that gives what the branches give in eval mode; then ReLU."""
        dense, point = _first(self.dense), _first(self.point)
        parts = [
            _scaled(dense.weight, _last(self.dense)),
            _scaled(F.pad(point.weight, (1, 1, 1, 1)), _last(self.point)),
        ]
        if self.same is not None:
            identity = torch.eye(dense.in_channels, device=dense.weight.device)[:, :, None, None]
            parts.append(_scaled(F.pad(identity, (1, 1, 1, 1)), self.same))
        # meta: random weights, which are replaced at once, would move the global generator
        conv = nn.Conv2d(dense.in_channels, dense.out_channels, 3, stride=self.stride, padding=1, device="meta")
        conv.weight = nn.Parameter(torch.stack([kernel for kernel, _ in parts]).sum(0).float())
        conv.bias = nn.Parameter(torch.stack([bias for _, bias in parts]).sum(0).float())
        return nn.Sequential(conv, *([] if self.relu is None else [nn.ReLU(inplace=True)]))


def _first(branch: nn.Sequential) -> nn.Conv2d:
    conv = branch[0]
    assert isinstance(conv, nn.Conv2d)
    return conv


def _last(branch: nn.Sequential) -> nn.BatchNorm2d:
    norm = branch[1]
    assert isinstance(norm, nn.BatchNorm2d)
    return norm


def _scaled(kernel: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return kernel and bias, in float64, of a convolution followed by a BatchNorm in eval mode."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    return kernel.double() * scale[:, None, None, None], norm.bias.double() - norm.running_mean.double() * scale

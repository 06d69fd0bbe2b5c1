"""Residual net on log-mel spectrograms of any length, with attentive statistics pooling and optional SE gates.

Blocks as in He et al. 2016 (arXiv 1512.03385), SE over the real frames as in Hu et al. 2018 (arXiv 1709.01507),
pooling over time of Okabe et al. 2018 (arXiv 1803.10963).

Options:
    width: channels of the first of the stages; each next stage has twice as many at half of the frames and bands
    stages: number of stages
    blocks: residual blocks a stage
    stride: frames that the stem makes one of
    reduction: divisor of the channels inside SE; 0 leaves SE out
    embedding: values that are pooled over time, half as many as the embedding has
    attention: hidden units of the attention
    dropout: share of the embedding dropped in training
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._convolution import Convolution
from emocli.models._layers import Classifier
from emocli.models._sequence import FrameNorm, Standardize, StatisticsPool, along, every, expect_frames, hushed, stacked

MODALITY = "speech"


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: int = 24,
    stages: int = 3,
    blocks: int = 1,
    stride: int = 2,
    reduction: int = 0,
    embedding: int = 128,
    attention: int = 64,
    dropout: float = 0.3,
) -> nn.Module:
    """Return the net for sequences of `shape` (-1, bands); raises EmoError for too few bands."""
    bands = expect_frames("speech-resnet", shape, stages=stages, blocks=blocks)
    if bands < 2**stages:
        raise EmoError(f"speech-resnet halves {bands} bands {stages} times; use -p stages=1, or --arch lstm")
    net = _Net(bands, width, stages, blocks, stride, reduction, embedding, attention)
    return Classifier(net, 2 * embedding, classes, dropout=dropout, pool=False)


class _Conv(nn.Module):
    """Convolution over frames and bands, then the norm of the real frames."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.conv = Convolution(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = FrameNorm(outputs)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        normed: Tensor = self.norm(self.conv(x), real)
        return normed


class _Gate(nn.Module):
    """Squeeze-and-excitation whose mean leaves padding out."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.reduce, self.expand = nn.Linear(channels, hidden), nn.Linear(hidden, channels)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        mean = (x * along(real, x)).mean(3).sum(2) / real.sum(1, keepdim=True).clamp(min=1)
        return x * torch.sigmoid(self.expand(torch.relu(self.reduce(mean)))).unsqueeze(2).unsqueeze(3)


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, reduction: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = _Conv(inputs, outputs, 3, (stride, stride))
        self.second = _Conv(outputs, outputs, 3)
        self.gate = _Gate(outputs, reduction) if reduction else None
        self.shortcut = None if inputs == outputs and stride == 1 else _Conv(inputs, outputs, 1, (stride, stride))

    def forward(self, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        left = every(real, self.stride)
        branch = torch.relu(self.first(x, left))
        branch = self.second(hushed(branch, left, self.first.norm), left)
        branch = branch if self.gate is None else self.gate(branch, left)
        x = torch.relu(branch + (x if self.shortcut is None else self.shortcut(x, left)))
        norms = [conv.norm for conv in (self.second, self.shortcut) if conv is not None]
        return hushed(x, left, *norms), left


class _Net(nn.Module):
    def __init__(
        self,
        bands: int,
        width: int,
        stages: int,
        blocks: int,
        stride: int,
        reduction: int,
        embedding: int,
        attention: int,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.standardize = Standardize(bands)
        self.stem = _Conv(2 * stride, width, 3)
        widths = [width, *(width * 2**stage for stage in range(stages))]
        self.blocks = nn.ModuleList(
            _Block(widths[stage + bool(block)], widths[stage + 1], 1 + (stage > 0 and not block), reduction)
            for stage in range(stages)
            for block in range(blocks)
        )
        for _ in range(stages):
            bands = -(-bands // 2)
        self.project = nn.Conv1d(widths[-1] * bands, embedding, 1, bias=False)
        self.norm = FrameNorm(embedding)
        self.pool = StatisticsPool(embedding, attention)

    def forward(self, x: Tensor) -> Tensor:
        x, real = self.standardize(x)
        x, real = _folded(x, real, self.stride)
        x = torch.relu(self.stem(x, real))
        x = hushed(x, real, self.stem.norm)
        for block in self.blocks:
            x, real = block(x, real)
        x = torch.relu(self.norm(self.project(x.transpose(2, 3).flatten(1, 2)), real))
        pooled: Tensor = self.pool(x.transpose(1, 2), real)
        return pooled


def _folded(x: Tensor, real: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Return (n, 2 frames, n_frames / frames, bands / 2): space-to-depth, cheaper than a convolution of one map.

    x is (n, bands, n_frames) with 0 for padding.
    """
    x, real = stacked(F.pad(x, (0, 0, 0, x.shape[1] % 2)), real, frames)
    return torch.unflatten(x, 1, (-1, 2 * frames)).permute(0, 2, 3, 1), real

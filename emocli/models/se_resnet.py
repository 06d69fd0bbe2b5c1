"""Residual net with squeeze-and-excitation: dense 3x3 convolutions, for accuracy and for INT8.

Blocks as in He et al. 2016 (arXiv 1512.03385), SE as published by Hu et al. 2018 (arXiv 1709.01507): global average
pool, FC, ReLU, FC, sigmoid, scale of the residual branch before the addition. The stem for small faces is
space-to-depth instead of a convolution over one channel, which is slow in INT8.

Options:
    depth: 10, 18, 34 (two 3x3 convolutions a block) or 50 (bottleneck)
    width: channels of the first of four stages; each next stage has twice as many
    reduction: divisor of the channels inside SE
    stem: s2d2, s2d4 (space-to-depth by 2 or 4, then 3x3) or conv7 (7x7 and max pool, for 112 pixels and more)
    dropout: share of the embedding dropped in training
"""

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier, Normalize, conv_norm, expect_images
from emocli.models._squeeze import SqueezeExcite

_BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
_FACTORS = {"s2d2": 2, "s2d4": 4}


class Block(nn.Module):
    """A residual block: two 3x3 convolutions or a bottleneck, SE on them, plus the shortcut, then ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int, reduction: int, bottleneck: bool) -> None:
        super().__init__()
        inner = outputs // 4 if bottleneck else outputs
        if bottleneck:
            layers = [conv_norm(inputs, inner, 1), conv_norm(inner, inner, 3, stride=stride)]
        else:
            layers = [conv_norm(inputs, inner, 3, stride=stride)]
        kernel = 1 if bottleneck else 3
        last = nn.Conv2d(inner, outputs, kernel, padding=kernel // 2, bias=False)
        norm = nn.BatchNorm2d(outputs)
        self.branch = nn.Sequential(*layers, last, norm)
        self.se = SqueezeExcite(outputs, reduction)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_norm(inputs, outputs, 1, stride=stride, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.se(self.branch(x)) + self.shortcut(x))


def _stem(channels: int, width: int, kind: str) -> nn.Sequential:
    if kind == "conv7":
        return nn.Sequential(conv_norm(channels, width, 7, stride=2), nn.MaxPool2d(3, stride=2, padding=1))
    if kind not in _FACTORS:
        raise EmoError(f"se-resnet has no stem {kind!r}; use s2d2, s2d4 or conv7")
    factor = _FACTORS[kind]
    return nn.Sequential(nn.PixelUnshuffle(factor), conv_norm(channels * factor**2, width, 3))


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    depth: int = 10,
    width: int = 32,
    reduction: int = 16,
    stem: str = "s2d2",
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    channels, *_ = expect_images("se-resnet", shape, multiple=_FACTORS.get(stem, 1))
    if depth not in _BLOCKS:
        raise EmoError(f"se-resnet has no depth {depth}; use {', '.join(map(str, _BLOCKS))}")
    bottleneck = depth == 50
    features: list[nn.Module] = [Normalize(), _stem(channels, width, stem)]
    inputs = width
    for stage, count in enumerate(_BLOCKS[depth]):
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            outputs = width * 2**stage * (4 if bottleneck else 1)
            features.append(Block(inputs, outputs, stride, reduction, bottleneck))
            inputs = outputs
    return Classifier(nn.Sequential(*features), inputs, classes, dropout=dropout)

"""Residual nets, with squeeze-and-excitation or without: block, stem and the whole net."""

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._convolution import Convolution
from emocli.models._layers import Classifier, Normalize, conv_norm, expect_images
from emocli.models._pyramid import Pyramid
from emocli.models._squeeze import SqueezeExcite

_BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
_FACTORS = {"s2d2": 2, "s2d4": 4}


class Block(nn.Module):
    """A residual block: two 3x3 convolutions or a bottleneck, SE on them, plus the shortcut, then ReLU.

    A `reduction` of 0 leaves SE out.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, reduction: int, bottleneck: bool) -> None:
        super().__init__()
        inner = outputs // 4 if bottleneck else outputs
        if bottleneck:
            layers = [conv_norm(inputs, inner, 1), conv_norm(inner, inner, 3, stride=stride)]
        else:
            layers = [conv_norm(inputs, inner, 3, stride=stride)]
        kernel = 1 if bottleneck else 3
        last = Convolution(inner, outputs, kernel, padding=kernel // 2, bias=False)
        norm = nn.BatchNorm2d(outputs)
        self.branch = nn.Sequential(*layers, last, norm)
        self.se = SqueezeExcite(outputs, reduction) if reduction else nn.Identity()
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_norm(inputs, outputs, 1, stride=stride, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.se(self.branch(x)) + self.shortcut(x))


def residual_net(
    name: str,
    shape: tuple[int, ...],
    classes: int,
    *,
    depth: int,
    width: int,
    reduction: int,
    stem: str,
    neck: str,
    dropout: float,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    channels, *_ = expect_images(name, shape, multiple=_FACTORS.get(stem, 1))
    if depth not in _BLOCKS:
        raise EmoError(f"{name} has no depth {depth}; use {', '.join(map(str, _BLOCKS))}")
    if neck not in ("none", "fpn"):
        raise EmoError(f"{name} has no neck {neck!r}; use none or fpn")
    begin: list[nn.Module] = [Normalize(), _stem(name, channels, width, stem)]
    bottleneck = depth == 50
    widths = [width * 2**stage * (4 if bottleneck else 1) for stage in range(len(_BLOCKS[depth]))]
    stages = [
        [
            Block(outputs if index else inputs, outputs, 2 if stage and not index else 1, reduction, bottleneck)
            for index in range(count)
        ]
        for stage, (inputs, outputs, count) in enumerate(zip([width, *widths], widths, _BLOCKS[depth], strict=False))
    ]
    if neck == "fpn":
        pyramid = Pyramid([nn.Sequential(*blocks) for blocks in stages], widths, width)
        return Classifier(nn.Sequential(*begin, pyramid), width * len(widths), classes, dropout=dropout, pool=False)
    features = nn.Sequential(*begin, *(block for blocks in stages for block in blocks))
    return Classifier(features, widths[-1], classes, dropout=dropout)


def _stem(name: str, channels: int, width: int, kind: str) -> nn.Sequential:
    if kind == "conv7":
        return nn.Sequential(conv_norm(channels, width, 7, stride=2), nn.MaxPool2d(3, stride=2, padding=1))
    if kind not in _FACTORS:
        raise EmoError(f"{name} has no stem {kind!r}; use s2d2, s2d4 or conv7")
    factor = _FACTORS[kind]
    return nn.Sequential(nn.PixelUnshuffle(factor), conv_norm(channels * factor**2, width, 3))

"""Nets of inverted residuals: MobileNetV2 and EfficientNet differ in a table, the activation and the gates."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from emocli.models._layers import Classifier, Normalize, conv_norm, expect_halvings, expect_images, halving_stem
from emocli.models._squeeze import SqueezeExcite


class Stage(NamedTuple):
    """A row of the table that a paper gives for its net; `halves` says that the first block has stride 2."""

    expansion: int
    channels: int
    blocks: int
    halves: bool
    kernel: int = 3


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by itself, project by 1x1 without activation; plus the input where it fits.

    `squeeze` puts a gate after the filter, its inner width a quarter of the block's input.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, stage: Stage, *, activation: type[nn.Module], squeeze: bool
    ) -> None:
        super().__init__()
        hidden = inputs * stage.expansion
        layers: list[nn.Module] = []
        if stage.expansion > 1:
            layers.append(conv_norm(inputs, hidden, 1, activation=activation))
        layers.append(conv_norm(hidden, hidden, stage.kernel, stride=stride, groups=hidden, activation=activation))
        if squeeze:
            layers.append(SqueezeExcite(hidden, 4 * stage.expansion, activation))
        layers.append(conv_norm(hidden, outputs, 1, activation=None))
        self.branch = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.branch(x)
        return x + y if self.residual else y


def rounded(channels: float) -> int:
    """Round to a multiple of 8, never down by more than a tenth, as the published nets do."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def inverted_net(
    name: str,
    shape: tuple[int, ...],
    classes: int,
    stages: Sequence[Stage],
    *,
    width: float,
    depth: float = 1.0,
    halvings: int,
    stem: str,
    activation: type[nn.Module] = nn.ReLU,
    squeeze: bool = False,
    dropout: float,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for a shape it can't take.

    `width` and `depth` are factors on the published numbers of channels and blocks. The published nets halve their
    input five times, in the stem and in four of the stages; with fewer `halvings` the first stages don't.
    """
    channels, *_ = expect_images(name, shape, multiple=2 if stem == "s2d" else 1)
    expect_halvings(name, halvings)
    inputs = rounded(32 * width)
    layers: list[nn.Module] = [Normalize(), halving_stem(name, stem, channels, inputs, activation)]
    skipped = 5 - halvings
    for stage in stages:
        outputs = rounded(stage.channels * width)
        for index in range(math.ceil(stage.blocks * depth)):
            stride = 2 if stage.halves and index == 0 and skipped <= 0 else 1
            layers.append(InvertedResidual(inputs, outputs, stride, stage, activation=activation, squeeze=squeeze))
            inputs = outputs
        skipped -= stage.halves
    last = rounded(1280 * max(width, 0.5))
    layers.append(conv_norm(inputs, last, 1, activation=activation))
    return Classifier(nn.Sequential(*layers), last, classes, dropout=dropout)

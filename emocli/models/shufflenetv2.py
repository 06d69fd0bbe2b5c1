"""ShuffleNetV2 (Ma et al. 2018, arXiv 1807.11164) for small faces: half of the channels pass each unit untouched.

The published net halves its input five times, which leaves little of a 48-pixel face; here it does so `halvings`
times: the max pool after the stem is left out first, then the stride of the first stage.

Options:
    width: the published net of this name: 0.5, 1.0, 1.5 or 2.0
    halvings: how often the image is halved, 3 to 5
    stem: conv (3x3 with stride 2, as published) or s2d (space-to-depth, then 3x3: quicker in INT8 on one channel)
    dropout: share of the embedding dropped in training
"""

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier, Normalize, conv_norm, expect_halvings, expect_images, halving_stem

_STEM = 24
_WIDTHS = {
    0.5: (48, 96, 192, 1024),
    1.0: (116, 232, 464, 1024),
    1.5: (176, 352, 704, 1024),
    2.0: (244, 488, 976, 2048),
}
"""Channels of the three stages and of the last convolution (table 5 of the paper)."""
_UNITS = (4, 8, 4)


class Unit(nn.Module):
    """Half of the channels through three convolutions, the other half beside them, both joined and shuffled.

    Where the number of channels changes, both halves are made from all of the input.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        half = outputs // 2
        self.splits = inputs == outputs
        self.shortcut = nn.Identity() if self.splits else nn.Sequential(
            conv_norm(inputs, inputs, 3, stride=stride, groups=inputs, activation=None), conv_norm(inputs, half, 1)
        )  # fmt: skip
        self.branch = nn.Sequential(
            conv_norm(half if self.splits else inputs, half, 1),
            conv_norm(half, half, 3, stride=stride, groups=half, activation=None),
            conv_norm(half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        half = x.shape[1] // 2
        beside, through = (x[:, :half], x[:, half:]) if self.splits else (x, x)
        # beside each other along a new axis, so that dropping the axis shuffles them
        return torch.stack((self.shortcut(beside), self.branch(through)), 2).flatten(1, 2)


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: float = 1.0,
    halvings: int = 4,
    stem: str = "conv",
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    channels, *_ = expect_images("shufflenetv2", shape, multiple=2 if stem == "s2d" else 1)
    if width not in _WIDTHS:
        raise EmoError(f"shufflenetv2 has no width {width}; use {', '.join(map(str, _WIDTHS))}")
    expect_halvings("shufflenetv2", halvings)
    layers: list[nn.Module] = [Normalize(), halving_stem("shufflenetv2", stem, channels, _STEM, nn.ReLU)]
    if halvings == 5:
        layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    *stages, last = _WIDTHS[width]
    inputs = _STEM
    for stage, (outputs, units) in enumerate(zip(stages, _UNITS, strict=True)):
        stride = 1 if stage == 0 and halvings == 3 else 2
        layers.append(Unit(inputs, outputs, stride))
        layers += [Unit(outputs, outputs, 1) for _ in range(units - 1)]
        inputs = outputs
    layers.append(conv_norm(inputs, last, 1))
    return Classifier(nn.Sequential(*layers), last, classes, dropout=dropout)

"""Small separable net of Arriaga et al. 2017 (arXiv 1710.07557), layer for layer as published: 58,423 parameters.

Options:
    width: channels of the two first convolutions; the four modules have 2, 4, 8 and 16 times as many
    dropout: share of the features dropped in training before the last convolution; the published net has none
"""

import torch.nn.functional as F
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Normalize, expect_images

_EPS, _MOMENTUM = 1e-3, 0.01
"""Keras's BatchNormalization: epsilon 1e-3, and a moving average that keeps 99 % a step."""


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPS, momentum=_MOMENTUM)


def _separable(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        _norm(outputs),
    ]


class Module(nn.Module):
    """Two separable convolutions and a max pool, plus a strided 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*_separable(inputs, outputs), nn.ReLU(), *_separable(outputs, outputs))
        self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), _norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        shortcut: Tensor = self.shortcut(x)
        return _pool_same(self.branch(x)) + shortcut


def _pool_same(x: Tensor) -> Tensor:
    """Max pool 3x3 by 2 with TensorFlow's 'same' padding: none before an even side, one before an odd one."""
    odd = x.shape[-1] % 2
    return F.max_pool2d(x, 3, stride=2, padding=odd, ceil_mode=not odd)


class MiniXception(nn.Module):
    """The net; its head is a convolution that is averaged, so the embedding is the average of what enters it."""

    def __init__(self, channels: int, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Normalize(),
            nn.Conv2d(channels, width, 3, bias=False), _norm(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, bias=False), _norm(width), nn.ReLU(),
            *(Module(width * 2**i, width * 2 ** (i + 1)) for i in range(4)),
        )  # fmt: skip
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(16 * width, classes, 3, padding=1)

    def embed(self, x: Tensor) -> Tensor:
        """Return the (n, 16 width) embedding."""
        return self.outputs(x)[1]

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, classes) logits and the embedding from one pass."""
        maps = self.features(x)
        scores: Tensor = self.head(self.dropout(maps))
        return scores.mean((2, 3)), maps.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(x)[0]


def build(shape: tuple[int, ...], classes: int, *, width: int = 8, dropout: float = 0.0) -> nn.Module:
    """Return the net for square images of `shape` (channels, height, width); raises EmoError for another shape."""
    channels, rows, columns = expect_images("mini-xception", shape, least=1)
    if rows != columns:
        raise EmoError(f"mini-xception takes square images, not {rows}x{columns}; extract with: -p size=64")
    return MiniXception(channels, classes, width, dropout)

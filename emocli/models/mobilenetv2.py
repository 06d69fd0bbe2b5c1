"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) for small faces: inverted residuals, few multiply-adds.

ReLU stands for the published ReLU6, which INT8 runtimes don't fuse. The published net halves its input five times,
which leaves little of a 48-pixel face; here it does so `halvings` times, after the stem the first ones are left out.

Options:
    width: factor on the published numbers of channels; half of them train twice as fast and lose little on 48 pixels
    halvings: how often the image is halved, 3 to 5
    dropout: share of the embedding dropped in training
"""

from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier, Normalize, conv_norm, expect_images

_STAGES = (
    (1, 16, 1, False),
    (6, 24, 2, True),
    (6, 32, 3, True),
    (6, 64, 4, True),
    (6, 96, 3, False),
    (6, 160, 3, True),
    (6, 320, 1, False),
)
"""Expansion, channels, blocks and whether the first block halves, of each stage (table 2 of the paper)."""


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, project by 1x1 without activation; plus the input where it fits."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers = [conv_norm(inputs, hidden, 1)] if expansion > 1 else []
        layers += [
            conv_norm(hidden, hidden, 3, stride=stride, groups=hidden),
            conv_norm(hidden, outputs, 1, relu=False),
        ]
        self.branch = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.branch(x)
        return x + y if self.residual else y


def _rounded(channels: float) -> int:
    """Round to a multiple of 8, never down by more than a tenth, as the published net does."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def build(
    shape: tuple[int, ...], classes: int, *, width: float = 0.5, halvings: int = 4, dropout: float = 0.2
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for a shape it can't take."""
    channels, *_ = expect_images("mobilenetv2", shape)
    if not 3 <= halvings <= 5:
        raise EmoError(f"mobilenetv2 halves its input 3 to 5 times, not {halvings}; use -p halvings=4")
    inputs = _rounded(32 * width)
    layers: list[nn.Module] = [Normalize(), conv_norm(channels, inputs, 3, stride=2)]
    skipped = 5 - halvings
    for expansion, base, blocks, halves in _STAGES:
        outputs = _rounded(base * width)
        for index in range(blocks):
            stride = 2 if halves and index == 0 and skipped <= 0 else 1
            layers.append(InvertedResidual(inputs, outputs, stride, expansion))
            inputs = outputs
        skipped -= halves
    last = _rounded(1280 * max(width, 0.5))
    layers.append(conv_norm(inputs, last, 1))
    return Classifier(nn.Sequential(*layers), last, classes, dropout=dropout)

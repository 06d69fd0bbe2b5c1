"""This project's student: a small plain net of dense 3x3 convolutions with ReLU, quick to train and in INT8.

Space-to-depth, then stages of 3x3 convolutions, each with BatchNorm and ReLU; every stage after the first begins with
stride 2. Nothing in it that INT8 runtimes don't gain from: no depthwise convolution, no one-channel stem, no max pool.

Options:
    widths: channels of each stage
    blocks: 3x3 convolutions of each stage
    stem: factor of the space-to-depth, 1 (none), 2 or 4
    branches: RepVGG (Ding et al. 2021, arXiv 2101.03697): 1x1 and identity beside each 3x3 in training, fused on export
    residual: after the first convolution of a stage, add the input of every two to their output
    se: a squeeze-and-excitation gate (Hu et al. 2018, arXiv 1709.01507) at the end of each stage
    dropout: share of the embedding dropped in training
"""

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._branches import Branched
from emocli.models._layers import Classifier, Normalize, conv_norm, expect_images
from emocli.models._squeeze import SqueezeExcite

_REDUCTION = 16


class Pair(nn.Module):
    """Two convolutions plus their input, then ReLU."""

    def __init__(self, width: int, branches: bool) -> None:
        super().__init__()
        self.branch = nn.Sequential(_conv(width, width, branches), _conv(width, width, branches, relu=False))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.branch(x) + x)


def _conv(inputs: int, outputs: int, branches: bool, *, stride: int = 1, relu: bool = True) -> nn.Module:
    if branches:
        return Branched(inputs, outputs, stride=stride, relu=relu)
    return conv_norm(inputs, outputs, 3, stride=stride, activation=nn.ReLU if relu else None)


def _stage(
    inputs: int, outputs: int, count: int, stride: int, *, branches: bool, residual: bool, se: bool
) -> nn.Sequential:
    layers = [_conv(inputs, outputs, branches, stride=stride)]
    pairs, single = divmod(count - 1, 2) if residual else (0, count - 1)
    layers += [Pair(outputs, branches) for _ in range(pairs)]
    layers += [_conv(outputs, outputs, branches) for _ in range(single)]
    if se:
        layers.append(SqueezeExcite(outputs, _REDUCTION))
    return nn.Sequential(*layers)


def _numbers(option: str, text: str) -> list[int]:
    parts = text.split("-")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise EmoError(f"student has no {option} {text!r}; give a whole number above 0 for each stage, as in 2-2-4")
    return [int(part) for part in parts]


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    widths: str = "32-64-128",
    blocks: str = "2-2-4",
    stem: int = 2,
    branches: bool = False,
    residual: bool = False,
    se: bool = False,
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    outputs, counts = _numbers("widths", widths), _numbers("blocks", blocks)
    if len(outputs) != len(counts):
        raise EmoError(
            f"student has {len(outputs)} widths ({widths}) and {len(counts)} blocks ({blocks}); give as many"
        )
    if stem not in (1, 2, 4):
        raise EmoError(f"student has no stem {stem}; use 1, 2 or 4")
    channels, *_ = expect_images("student", shape, multiple=stem)
    features: list[nn.Module] = [Normalize(), *([nn.PixelUnshuffle(stem)] if stem > 1 else [])]
    inputs = channels * stem**2
    for stage, (width, count) in enumerate(zip(outputs, counts, strict=True)):
        stride = 2 if stage else 1
        features.append(_stage(inputs, width, count, stride, branches=branches, residual=residual, se=se))
        inputs = width
    return Classifier(nn.Sequential(*features), inputs, classes, dropout=dropout)

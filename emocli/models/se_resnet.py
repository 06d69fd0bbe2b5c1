"""Residual net with squeeze-and-excitation: dense 3x3 convolutions, for accuracy and for INT8.

Blocks as in He et al. 2016 (arXiv 1512.03385), SE as published by Hu et al. 2018 (arXiv 1709.01507): global average
pool, FC, ReLU, FC, sigmoid, scale of the residual branch before the addition. The stem for small faces is
space-to-depth instead of a convolution over one channel, which is slow in INT8.

Options:
    depth: 10, 18, 34 (two 3x3 convolutions a block) or 50 (bottleneck)
    width: channels of the first of four stages; each next stage has twice as many
    reduction: divisor of the channels inside SE
    stem: s2d2, s2d4 (space-to-depth by 2 or 4, then 3x3) or conv7 (7x7 and max pool, for 112 pixels and more)
    neck: none, or fpn (Lin et al. 2017, arXiv 1612.03144): the embedding is pooled from the merged maps of all stages
    dropout: share of the embedding dropped in training
"""

from torch import nn

from emocli.errors import EmoError
from emocli.models._residual import residual_net


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    depth: int = 10,
    width: int = 48,
    reduction: int = 16,
    stem: str = "s2d2",
    neck: str = "none",
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    if reduction < 1:
        raise EmoError(f"se-resnet has no reduction {reduction}; use 16, or --arch resnet for a net without gates")
    return residual_net(
        "se-resnet",
        shape,
        classes,
        depth=depth,
        width=width,
        reduction=reduction,
        stem=stem,
        neck=neck,
        dropout=dropout,
    )

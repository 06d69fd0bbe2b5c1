"""Texts: a bottleneck on each word's projection, convolutions over neighbouring words, maximum and attention over all.

Projections in place of an embedding table as in PRADO (Kaliamoorthi et al. 2019, EMNLP), convolutions whose maximum
over time is kept as in Kim 2014 (arXiv 1408.5882).

Options:
    bottleneck: values that each word becomes by itself
    width: channels of the convolutions over words
    layers: number of these convolutions
    kernel: words that each of them sees, an odd number
    attention: hidden units of the attention
    dropout: share dropped of words' values and of the embedding in training
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier
from emocli.models._sequence import AttentionPool, FrameNorm, Standardize, expect_frames, hushed

MODALITY = "text"


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    bottleneck: int = 128,
    width: int = 128,
    layers: int = 2,
    kernel: int = 3,
    attention: int = 64,
    dropout: float = 0.1,
) -> nn.Module:
    """Return the net for sequences of `shape` (-1, d)."""
    inputs = expect_frames("text-cnn", shape, layers=layers)
    if kernel % 2 == 0:
        raise EmoError(f"text-cnn centres its kernel on a word; {kernel} is even, use {kernel + 1}")
    widths = [bottleneck, *[width] * layers]
    net = _Net(inputs, widths, kernel, attention, dropout)
    return Classifier(net, 2 * width, classes, dropout=dropout, pool=False)


class _Conv(nn.Module):
    """Convolution over words, the norm of the real ones, and what came in added where it is as wide."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        # maps one wide: one dimension has no integer kernel that is fast
        self.conv = nn.Conv2d(inputs, outputs, (kernel, 1), padding=(kernel // 2, 0), bias=False)
        self.norm = FrameNorm(outputs)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Return (n, outputs, words, 1) with 0 for padding."""
        normed = self.norm(self.conv(x), real)
        return hushed(torch.relu(x + normed if x.shape[1] == normed.shape[1] else normed), real, self.norm)


class _Net(nn.Module):
    def __init__(self, inputs: int, widths: list[int], kernel: int, attention: int, dropout: float) -> None:
        super().__init__()
        self.standardize = Standardize(inputs)
        self.bottleneck = _Conv(inputs, widths[0], 1)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_Conv(*pair, kernel) for pair in pairwise(widths))
        self.pool = AttentionPool(widths[-1], attention)

    def forward(self, x: Tensor) -> Tensor:
        x, real = self.standardize(x)
        x = self.dropout(self.bottleneck(x.unsqueeze(3), real))
        for layer in self.layers:
            x = self.dropout(layer(x, real))
        x = x.squeeze(3)
        # nothing is below 0, which padding is
        return torch.cat([x.amax(2), self.pool(x.transpose(1, 2), real)], 1)

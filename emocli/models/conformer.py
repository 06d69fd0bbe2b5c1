"""Small Conformer: attention for what is far apart in a clip, convolution for what is near (Gulati et al. 2020).

Source: arXiv 2005.08100, half-step feed-forward layers around both, without relative positions: the convolutions tell
frames apart.

Options:
    width: size of every frame's vector
    layers: number of blocks
    heads: attention heads
    kernel: frames that a convolution sees, an odd number
    stride: frames that are read as one
    attention: hidden units of the attention that pools
    dropout: share dropped in training
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier
from emocli.models._sequence import FrameNorm, Standardize, StatisticsPool, expect_frames, stacked

MODALITY = "speech"


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: int = 96,
    layers: int = 3,
    heads: int = 4,
    kernel: int = 15,
    stride: int = 4,
    attention: int = 64,
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for sequences of `shape` (-1, d); raises EmoError for sizes that don't fit each other."""
    inputs = expect_frames("conformer", shape, layers=layers, heads=heads)
    if width % heads:
        raise EmoError(f"conformer shares its width between heads: {width} is no multiple of {heads}")
    if kernel % 2 == 0:
        raise EmoError(f"conformer centres its kernel on a frame; {kernel} is even, use {kernel + 1}")
    blocks = [_Block(width, heads, kernel, dropout) for _ in range(layers)]
    return Classifier(_Net(inputs, width, stride, blocks, attention), 2 * width, classes, dropout=dropout, pool=False)


class _Net(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int, blocks: list["_Block"], attention: int) -> None:
        super().__init__()
        self.stride = stride
        self.standardize = Standardize(inputs)
        self.project = nn.Linear(inputs * stride, width)
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)
        self.pool = StatisticsPool(width, attention)

    def forward(self, x: Tensor) -> Tensor:
        x, real = self.standardize(x)
        x, real = stacked(x, real, self.stride)
        x = self.project(x.transpose(1, 2))
        for block in self.blocks:
            x = block(x, real)
        pooled: Tensor = self.pool(self.norm(x), real)
        return pooled


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.before, self.after = _feed_forward(width, dropout), _feed_forward(width, dropout)
        self.attention = _SelfAttention(width, heads)
        self.convolution = _Convolution(width, kernel)
        self.dropout = nn.Dropout(dropout)

    def in_order(self) -> list[nn.Module]:
        """Return the parts as a clip passes through them."""
        return [self.before, self.attention, self.convolution, self.after]

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        x = x + 0.5 * self.before(x)
        x = x + self.dropout(self.attention(x, real))
        x = x + self.dropout(self.convolution(x, real))
        return x + 0.5 * self.after(x)  # type: ignore[no-any-return]


def _feed_forward(width: int, dropout: float) -> nn.Sequential:
    layers = (nn.Linear(width, 2 * width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(2 * width, width))
    return nn.Sequential(nn.LayerNorm(width), *layers, nn.Dropout(dropout))


class _SelfAttention(nn.Module):
    """Scaled dot products of all real frames (Vaswani et al. 2017, arXiv 1706.03762)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.queries, self.keys, self.values = (nn.Linear(width, width) for _ in range(3))
        self.merge = nn.Linear(width, width)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        x = self.norm(x)
        queries, keys, values = (self._split(layer(x)) for layer in (self.queries, self.keys, self.values))
        scores = queries @ keys.transpose(2, 3) / queries.shape[3] ** 0.5
        weights = F.softmax(scores.masked_fill(real.unsqueeze(1).unsqueeze(1) == 0, -1e9), 3)
        merged: Tensor = self.merge((weights @ values).transpose(1, 2).flatten(2))
        return merged

    def _split(self, x: Tensor) -> Tensor:
        """(n, frames, width) to (n, heads, frames, width / heads)."""
        heads: Tensor = torch.unflatten(x, 2, (self.heads, -1)).transpose(1, 2)
        return heads


class _Convolution(nn.Module):
    """A gate, then each channel's own convolution over time."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.batch_norm = FrameNorm(width)
        self.merge = nn.Linear(width, width)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        x = F.glu(self.widen(self.norm(x)), 2) * real.unsqueeze(2)
        x = F.silu(self.batch_norm(self.depthwise(x.transpose(1, 2)), real))
        merged: Tensor = self.merge(x.transpose(1, 2))
        return merged

"""Sequences of frames padded with NaN: which frames are real, statistics of those only, and pooling over time.

A clip's embedding is the same alone or padded in a batch. So padding is 0 before every layer that looks at neighbours,
and weighs nothing wherever frames are averaged.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emocli.errors import EmoError


def expect_frames(name: str, shape: tuple[int, ...], **counts: int) -> int:
    """Return d of sequences of `shape` (-1, d); raises EmoError for features that are none, and for counts below 1."""
    for option, count in counts.items():
        if count < 1:
            raise EmoError(f"{name} has at least one of its {option}, not {option}={count}")
    if len(shape) == 2 and shape[0] == -1:
        return shape[1]
    use = "se-resnet for images" if len(shape) == 3 else "mlp, svm or logistic for vectors"
    raise EmoError(
        f"{name} takes sequences of frames (logmel, mfcc, projection), not features of shape {shape}; use --arch {use}"
    )


def unpad(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return (n, frames, d) with 0 for NaN, and which frames are real, (n, frames) of 0 and 1."""
    real = ~torch.isnan(x.select(2, 0))
    return torch.where(real.unsqueeze(2), x, 0.0), real.to(x.dtype)


def every(real: Tensor, stride: int) -> Tensor:
    """Return which frames are real after a layer with this stride that pads by half of its kernel: ceil(n / stride)."""
    return real[:, ::stride] if stride > 1 else real


def along(real: Tensor, x: Tensor) -> Tensor:
    """Return `real` (n, frames) with the axes that let it multiply x (n, channels, frames, ...)."""
    real = real.unsqueeze(1).to(x.dtype)
    return real.unsqueeze(3) if x.ndim == 4 else real


def hushed(x: Tensor, real: Tensor, *norms: nn.Module) -> Tensor:
    """Return x (n, channels, frames, ...), which comes of `norms`, with 0 for padding: as they leave it in training."""
    return x if all(norm.training for norm in norms) else x * along(real, x)


def stacked(x: Tensor, real: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return (n, count d, frames / count) with each `count` frames put behind each other, and which of them are real.

    x is (n, d, frames) with 0 for padding; a last one that is not full is filled with 0.
    """
    if count == 1:
        return x, real
    x = F.pad(x, (0, count - 1))
    length = x.shape[2] // count
    x = torch.unflatten(x[:, :, : length * count], 2, (length, count))
    return x.transpose(2, 3).flatten(1, 2), every(real, count)


class FrameNorm(nn.BatchNorm1d):
    """BatchNorm of (n, channels, frames, ...) over the real frames; in training padding comes out as 0."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes may follow the frames."""

    def forward(self, x: Tensor, real: Tensor) -> Tensor:  # type: ignore[override]
        if not self.training or bool(real.all()):
            return super().forward(x)
        # only real frames reach the norm: no statistics of its own making, and torch's are the fastest
        rows = x.movedim(1, -1)
        places = real.flatten().nonzero().squeeze(1)
        kept = rows.flatten(0, 1).index_select(0, places)
        normed = super().forward(kept.reshape(-1, x.shape[1])).view(kept.shape)
        whole = torch.zeros_like(rows, dtype=normed.dtype).flatten(0, 1).index_copy(0, places, normed)
        return whole.view(rows.shape).movedim(-1, 1)


class Standardize(nn.Module):
    """Each feature with the mean 0 and deviation 1 over the frames of the train part: the first layer of these nets."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = FrameNorm(features, affine=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, d, frames) with 0 for padding, and which frames are real."""
        x, real = unpad(x)
        x = self.norm(x.transpose(1, 2), real)
        return hushed(x, real, self.norm), real


class Attention(nn.Module):
    """How much each frame counts: additive attention (Bahdanau et al. 2015, arXiv 1409.0473)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Return (n, frames) weights that sum to 1 over the real frames; x is (n, frames, width)."""
        scores = self.score(torch.tanh(self.hidden(x))).squeeze(2).float()
        return F.softmax(scores.masked_fill(real == 0, -1e9), 1)


class AttentionPool(Attention):
    """The mean of the frames, (n, frames, width) to (n, width), each weighed by attention."""

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        weights = super().forward(x, real)
        return (weights.unsqueeze(2) * x).sum(1)


class StatisticsPool(Attention):
    """Mean and deviation of the frames, (n, frames, width) to (n, 2 width), each weighed by attention.

    Attentive statistics pooling (Okabe et al. 2018, arXiv 1803.10963).
    """

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        weights = super().forward(x, real).unsqueeze(2)
        x = x.float()
        mean = (weights * x).sum(1)
        # about the mean: as a difference of squares it loses its digits
        variance = (weights * (x - mean.unsqueeze(1)) ** 2).sum(1)
        return torch.cat([mean, (variance + 1e-6).sqrt()], 1)


def mean_pool(x: Tensor, real: Tensor) -> Tensor:
    """Return the mean of the real frames, (n, frames, width) to (n, width)."""
    weights = real / real.sum(1, keepdim=True).clamp(min=1)
    return (weights.unsqueeze(2) * x).sum(1)

"""Augmentation of batches of sequences: speed and pitch in one resampling, then masks over time and over bands.

A batch is (n, frames, d) float32, NaN after the end of a clip; every clip draws numbers of its own. Only the speeds of
clips that can become equally long do so, to a length of chance: nothing is computed for padding then.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from emocli.training.augment_draws import uniform


@dataclass(frozen=True, slots=True)
class FrameStrengths:
    """How far a batch of sequences is changed; 0 is off."""

    speed: float = 0.0
    """Change of speed; 0.1 is 1/1.1 to 1.1 times as fast."""
    pitch: float = 0.0
    """Stretch of the bands' axis, which moves pitch and formants; 0.1 is 1/1.1 to 1.1."""
    level: float = 0.0
    """Largest offset of all values of a clip: for logarithms, its loudness."""
    time_mask: float = 0.0
    """Longest mask over time, share of the clip; two are drawn."""
    band_mask: float = 0.0
    """Widest mask over features, share of d; two are drawn."""


def lengths(x: Tensor) -> Tensor:
    """Return (n,) frames of each clip."""
    return (~torch.isnan(x[:, :, 0])).sum(1)


def augment_frames(x: Tensor, strengths: FrameStrengths, generator: Generator) -> Tensor:
    """Return changed sequences; the longest may be of another length. What is off draws no random numbers."""
    if strengths.speed or strengths.pitch:
        x = _resampled(x, strengths, generator)
    if strengths.level:
        x = x + uniform(x, strengths.level, generator)[:, None, None]
    if strengths.time_mask or strengths.band_mask:
        x = _masked(x, strengths, generator)
    return x


def mix_frames(x: Tensor, share: float) -> Tensor:
    """Blend each clip with the one opposite in the batch, which is repeated up to its length; share is that of x."""
    ends = lengths(x)
    frames = torch.arange(x.shape[1], device=x.device)[None] % ends.flip(0)[:, None]
    other = torch.gather(x.flip(0), 1, frames[:, :, None].expand_as(x))
    return torch.lerp(other, x, share)


def _resampled(x: Tensor, strengths: FrameStrengths, generator: Generator) -> Tensor:
    """Read each clip at other times and bands, between which values are interpolated linearly."""
    frames, bands = x.shape[1:]
    faster, shorter = _speeds(lengths(x), 1 + strengths.speed, uniform(x, 1.0, generator))
    higher = (1 + strengths.pitch) ** uniform(x, 1.0, generator)
    times = torch.arange(int(shorter.max()), device=x.device)[None] * faster[:, None]
    places = torch.arange(bands, device=x.device)[None] / higher[:, None]
    size = (len(x), times.shape[1], bands)
    across, down = _unit(places, bands)[:, None, :].expand(size), _unit(times, frames)[:, :, None].expand(size)
    at = torch.stack([across, down], 3)
    read = F.grid_sample(x.nan_to_num(0.0)[:, None], at, padding_mode="border", align_corners=True)[:, 0]
    beyond = torch.arange(read.shape[1], device=x.device)[None] >= shorter[:, None]
    return read.masked_fill(beyond[:, :, None], torch.nan)


def _speeds(ends: Tensor, most: float, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many times as fast each clip of `ends` frames gets, up to `most`, and its frames then, (n,) both.

    `drawn` are numbers from -1 to 1. Where one length is within reach of all clips, the first of them says which.
    """
    last = ends - 1
    shortest, longest = math.ceil(int(last.max()) / most), math.floor(int(last.min()) * most)
    if 0 < shortest <= longest:
        common = round(longest * (shortest / longest) ** float((drawn[0] + 1) / 2))
        return last / common, torch.full_like(ends, common + 1)
    faster = most**drawn
    return faster, (last / faster).floor().long() + 1


def _unit(places: Tensor, count: int) -> Tensor:
    """0 to count - 1 as grid_sample counts: -1 to 1."""
    return places * (2 / max(count - 1, 1)) - 1


def _masked(x: Tensor, strengths: FrameStrengths, generator: Generator) -> Tensor:
    """Put a clip's mean where two stretches of time and two ranges of features are (SpecAugment, Park et al. 2019)."""
    mean = torch.nanmean(x, 1, keepdim=True)
    hidden = torch.zeros_like(x, dtype=torch.bool)
    for axis, strength, extent in ((1, strengths.time_mask, lengths(x)), (2, strengths.band_mask, None)):
        for _ in range(2 if strength else 0):
            hidden |= _stretch(x, axis, strength, extent, generator)
    return torch.where(hidden & ~torch.isnan(x), mean, x)


def _stretch(x: Tensor, axis: int, strength: float, extent: Tensor | None, generator: Generator) -> Tensor:
    """Return which places lie in a stretch of chance along an axis, of at most `strength` of its extent."""
    width, start = torch.rand(2, len(x), 1, generator=generator).to(x.device).unbind()
    whole = torch.full_like(width, x.shape[axis]) if extent is None else extent[:, None].float()
    width = width * strength * whole
    places = torch.arange(x.shape[axis], device=x.device)[None]
    begin = start * (whole - width)
    inside = (places >= begin) & (places < begin + width)
    return inside[:, :, None] if axis == 1 else inside[:, None, :]

"""Augmentation of whole batches: one resampling for every geometric change, then light, then erasing, then mixup."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from emocli.errors import EmoError
from emocli.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Strengths:
    """How far each change may go; 0 switches it off. Each image draws its own values, uniformly."""

    flip: float = 0.0
    """Probability of a mirror image."""
    rotate: float = 0.0
    """Degrees to either side."""
    scale: float = 0.0
    """0.1 gives 0.9 to 1.1."""
    shift: float = 0.0
    """Share of the side, each way."""
    elastic: float = 0.0
    """Largest displacement of a coarse random field, as a share of the side (Simard et al. 2003)."""
    brightness: float = 0.0
    contrast: float = 0.0
    erase: float = 0.0
    """Probability that a rectangle of 2 to 20 % of the area is painted over (Zhong et al. 2020)."""

    @property
    def geometric(self) -> bool:
        return any((self.flip, self.rotate, self.scale, self.shift, self.elastic))


def strengths(recipe: Recipe) -> Strengths:
    """Return what a recipe asks for; raises EmoError for an unknown --augment."""
    if recipe.augment not in ("none", "light", "full"):
        raise EmoError(f"--augment {recipe.augment} is none of none, light, full")
    if recipe.augment == "none":
        return Strengths()
    light = {"flip": recipe.flip, "shift": recipe.shift, "brightness": recipe.brightness, "contrast": recipe.contrast}
    if recipe.augment == "light":
        return Strengths(**light)
    return Strengths(**light, rotate=recipe.rotate, scale=recipe.scale, erase=recipe.erase, elastic=recipe.elastic)


def augment(x: Tensor, strengths: Strengths, generator: Generator) -> Tensor:
    """Return changed images, float32 in 0..1; x is (n, channels, h, w) uint8."""
    images = x.to(torch.float32).div_(255)
    if strengths.geometric:
        images = _resample(images, strengths, generator)
    if strengths.brightness or strengths.contrast:
        images = _light(images, strengths, generator)
    if strengths.erase:
        images = _erase(images, strengths.erase, generator)
    return images


def mixup(x: Tensor, targets: Tensor, strength: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Blend each row with the one opposite in the batch (Zhang et al. 2018); targets are (n, classes) probabilities.

    The share of the first is drawn once a batch from Beta(strength, strength); 0 switches it off.
    """
    if strength <= 0 or len(x) < 2:
        return x, targets
    share = _beta(strength, generator)
    return torch.lerp(x.flip(0), x, share), torch.lerp(targets.flip(0), targets, share)


def _beta(a: float, generator: Generator) -> float:
    """Draw from Beta(a, a) by Joehnk's method; torch's own Beta takes no generator."""
    while True:
        u, v = (torch.rand(2, generator=generator, dtype=torch.float64) ** (1 / a)).tolist()
        if 0 < u + v <= 1:
            return float(u / (u + v))


def _uniform(images: Tensor, reach: float, generator: Generator) -> Tensor:
    """Draw (n,) numbers from -reach to reach, one an image; drawn on the CPU, so a GPU sees the same ones."""
    return ((torch.rand(len(images), generator=generator) * 2 - 1) * reach).to(images.device)


def _resample(images: Tensor, strengths: Strengths, generator: Generator) -> Tensor:
    """Rotate, scale, shift, mirror and bend in one bilinear pass; what comes from outside repeats the border."""
    n, _, height, width = images.shape
    angle = _uniform(images, math.radians(strengths.rotate), generator)
    zoom = 1 / (1 + _uniform(images, strengths.scale, generator))
    mirror = torch.sign(_uniform(images, 0.5, generator) + 0.5 - strengths.flip)
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    # The grid counts from -1 to 1, so a share of the side is twice that here.
    across, down = _uniform(images, 2 * strengths.shift, generator), _uniform(images, 2 * strengths.shift, generator)
    theta = torch.stack([torch.stack([cos * mirror, -sin, across], 1), torch.stack([sin * mirror, cos, down], 1)], 1)
    grid = F.affine_grid(theta, [n, 1, height, width], align_corners=False)
    if strengths.elastic:
        coarse = ((torch.rand(n, 2, 6, 6, generator=generator) * 4 - 2) * strengths.elastic).to(images.device)
        grid = grid + F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True).permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _light(images: Tensor, strengths: Strengths, generator: Generator) -> Tensor:
    n = len(images)
    gain = (1 + _uniform(images, strengths.contrast, generator)).view(n, 1, 1, 1)
    offset = _uniform(images, strengths.brightness, generator).view(n, 1, 1, 1)
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.addcmul(mean * (1 - gain) + offset, images, gain).clamp_(0, 1)


def _erase(images: Tensor, probability: float, generator: Generator) -> Tensor:
    n, _, height, width = images.shape
    chosen, area, ratio, top, left, shade = torch.rand(6, n, generator=generator).to(images.device).unbind()
    area, ratio = 0.02 + 0.18 * area, torch.exp((2 * ratio - 1) * math.log(2))
    tall, wide = torch.sqrt(area * ratio).clamp_(max=1), torch.sqrt(area / ratio).clamp_(max=1)
    rows = _inside(torch.arange(height, device=images.device) / height, top * (1 - tall), tall)
    columns = _inside(torch.arange(width, device=images.device) / width, left * (1 - wide), wide)
    mask = (rows[:, :, None] & columns[:, None, :] & (chosen < probability)[:, None, None])[:, None]
    return torch.where(mask, shade[:, None, None, None], images)


def _inside(places: Tensor, start: Tensor, extent: Tensor) -> Tensor:
    return (places[None] >= start[:, None]) & (places[None] < (start + extent)[:, None])

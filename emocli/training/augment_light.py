"""Changes of light and of sharpness, (n, channels, h, w) float32 in 0..1 to the same."""

import math

import torch
from torch import Generator, Tensor

from emocli.training.augment_draws import uniform
from emocli.training.augment_strengths import Strengths


def light(images: Tensor, strengths: Strengths, generator: Generator) -> Tensor:
    """Change contrast about each image's mean, and brightness."""
    n = len(images)
    gain = (1 + uniform(images, strengths.contrast, generator)).view(n, 1, 1, 1)
    offset = uniform(images, strengths.brightness, generator).view(n, 1, 1, 1)
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.addcmul(mean * (1 - gain) + offset, images, gain).clamp_(0, 1)


def gamma(images: Tensor, reach: float, generator: Generator) -> Tensor:
    """Raise pixels to a power from 1 / (1 + reach) to 1 + reach."""
    power = torch.exp(uniform(images, math.log1p(reach), generator))
    return images.pow(power.view(-1, 1, 1, 1))


def blur(images: Tensor, reach: float, generator: Generator) -> Tensor:
    """Blur by a Gaussian whose standard deviation is at most `reach`, a share of the longer side."""
    height, width = images.shape[2:]
    pixels = uniform(images, reach * max(height, width), generator).abs()
    # one matrix an image and axis: batched products blur each by its own width, and no kernel has to be cut off
    return _weights(height, pixels) @ images @ _weights(width, pixels).mT


def noise(images: Tensor, reach: float, generator: Generator) -> Tensor:
    """Add Gaussian noise, of its own to each pixel and channel; its standard deviation is at most `reach`."""
    deviation = uniform(images, reach, generator).abs().view(-1, 1, 1, 1)
    drawn = torch.randn(images.shape, generator=generator).to(images.device)
    return torch.addcmul(images, drawn, deviation).clamp_(0, 1)


def _weights(side: int, pixels: Tensor) -> Tensor:
    """Return the share of each pixel of a line (last axis) in each blurred one, (n, 1, side, side)."""
    places = torch.arange(side, device=pixels.device)
    # a sharp image keeps its pixels: exp(-1 / (2 * 0.05 ** 2)) is 0 in float32
    bell = torch.exp(-places.square() / (2 * pixels.clamp(min=0.05).square()[:, None]))
    shares = bell[:, (places[:, None] - places).abs()]
    return (shares / shares.sum(2, keepdim=True))[:, None]

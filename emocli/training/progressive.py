"""Progressive resizing: small images at first, which train faster, and the whole side for the end of the run.

Source: Howard's fast ImageNet training (DAWNBench 2018) and Tan and Le 2021 (arXiv 2104.00298).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_WHOLE_FROM = 0.7
"""Share of the run after which images have their whole side: the weights end on what they will be used on."""
_STEP = 8
_LEAST = 32
"""Pixels: nets here halve the side up to five times."""


def side(whole: int, begin: float, share: float) -> int:
    """Return the side at a share (0..1) of the run; it grows from about `begin` times the whole, by 8 pixels a step."""
    small = max(_STEP * round(begin * whole / _STEP), _LEAST)
    if begin <= 0 or share >= _WHOLE_FROM or small >= whole:
        return whole
    return small + _STEP * int((whole - small) / _STEP * share / _WHOLE_FROM)


def is_whole(share: float) -> bool:
    """Tell whether images have their whole side at a share (0..1) of the run, whatever they began with."""
    return share >= _WHOLE_FROM


def shrink(x: Tensor, begin: float, share: float) -> Tensor:
    """Return (n, channels, h, w) images with the longer of h, w at its side for the share; vectors as they are."""
    return _resized(x, side(max(x.shape[2:]), begin, share)) if x.ndim == 4 else x


def possible(net: nn.Module, shape: tuple[int, ...], begin: float) -> bool:
    """Say whether the net takes features of `shape` at every side that `side` gives; vectors have none."""
    sample = torch.zeros(1, *shape)
    sides = {side(max(shape[1:]), begin, percent / 100) for percent in range(100)} if len(shape) == 3 else set()
    training = net.training
    net.eval()
    try:
        with torch.inference_mode():
            for each in sides:
                net(_resized(sample, each))
    except (RuntimeError, AssertionError, ValueError):  # what torch and timm raise for another size
        return False
    finally:
        net.train(training)
    return True


def _resized(images: Tensor, now: int) -> Tensor:
    height, width = images.shape[2:]
    whole = max(height, width)
    if now == whole:
        return images
    size = (round(height * now / whole), round(width * now / whole))
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)

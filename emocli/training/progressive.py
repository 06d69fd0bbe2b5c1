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


def shrink(x: Tensor, begin: float, share: float) -> Tensor:
    """Return (n, channels, h, w) images with the longer of h, w at its side for the share; vectors as they are."""
    if x.ndim != 4:
        return x
    height, width = x.shape[2:]
    whole = max(height, width)
    now = side(whole, begin, share)
    if now == whole:
        return x
    size = (round(height * now / whole), round(width * now / whole))
    return F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)


def possible(net: nn.Module, shape: tuple[int, ...], begin: float) -> bool:
    """Say whether the net takes images of `shape` (channels, h, w) at every side that `side` gives."""
    sample = torch.zeros(1, *shape)
    training = net.training
    net.eval()
    try:
        with torch.inference_mode():
            sizes = {shrink(sample, begin, step / 100).shape: step / 100 for step in range(101)}
            for share in sizes.values():
                net(shrink(sample, begin, share))
    except (RuntimeError, AssertionError, ValueError):  # what torch and timm raise for another size
        return False
    finally:
        net.train(training)
    return True

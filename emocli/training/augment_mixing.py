"""Mixing of pairs: two pictures in one, blended or cut together, and their targets by the same shares."""

import numpy as np
import torch
from torch import Generator, Tensor

from emocli.errors import EmoError
from emocli.training.augment_draws import rectangles
from emocli.training.augment_frames import mix_frames


def mix(x: Tensor, targets: Tensor, blend: float, cut: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Apply `mixup` of strength `blend` or `cutmix` of strength `cut`; with both, each batch draws one of the two."""
    if blend > 0 and cut > 0:
        blend, cut = (blend, 0.0) if torch.rand(1, generator=generator) < 0.5 else (0.0, cut)
    if cut > 0:
        return cutmix(x, targets, cut, generator)
    return mixup(x, targets, blend, generator)


def mixup(x: Tensor, targets: Tensor, strength: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Blend each row with the one opposite in the batch (Zhang et al. 2018); targets are (n, classes) probabilities.

    The share of the first is drawn once a batch from Beta(strength, strength); 0 switches it off.
    """
    if strength <= 0 or len(x) < 2:
        return x, targets
    share = _beta(strength, generator)
    mixed = mix_frames(x, share) if x.ndim == 3 else torch.lerp(x.flip(0), x, share)
    return mixed, torch.lerp(targets.flip(0), targets, share)


def cutmix(x: Tensor, targets: Tensor, strength: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of the image opposite in the batch (Yun et al. 2019, arXiv 1905.04899).

    x is (n, channels, h, w). The area is drawn once a batch from Beta(strength, strength), the centre for each image;
    targets (n, classes) are weighted by the pixels that are really there. Raises EmoError for vectors.
    """
    if x.ndim != 4:
        raise EmoError("--cutmix cuts pictures and these features are vectors; blend them with --mixup")
    if strength <= 0 or len(x) < 2:
        return x, targets
    side = torch.full((len(x),), (1 - _beta(strength, generator)) ** 0.5, device=x.device)
    down, across = torch.rand(2, len(x), generator=generator).to(x.device).unbind()
    pasted = rectangles(x, down - side / 2, across - side / 2, side, side)
    share = 1 - pasted.float().mean((2, 3))
    return torch.where(pasted, x.flip(0), x), torch.lerp(targets.flip(0), targets, share)


def _beta(a: float, generator: Generator) -> float:
    """Draw from Beta(a, a); torch's own takes no generator.

    By Joehnk's method, which takes four times as many tries with each 1 more of `a`, so above 1 by NumPy.
    """
    if a > 1:
        seed = int(torch.randint(1 << 62, (), generator=generator))
        return float(np.random.default_rng(seed).beta(a, a))
    while True:
        drawn = torch.rand(2, generator=generator, dtype=torch.float64)
        u, v = (drawn ** (1 / a)).tolist()
        if 0 < u + v <= 1:
            return float(u / (u + v))
        if u + v == 0:  # both too small for a number: the larger is nearly all
            return float(drawn[0] > drawn[1])

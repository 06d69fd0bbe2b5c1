"""What hides a part of the face: painted rectangles, face masks, glasses, hands."""

import math

import torch
from torch import Generator, Tensor

from emocli.training.augment_draws import rectangles
from emocli.training.augment_occluders import face_mask, glasses, hand
from emocli.training.augment_strengths import Strengths


def erase(images: Tensor, probability: float, generator: Generator) -> Tensor:
    """Paint a rectangle of 2 to 20 % of the area in one shade (Zhong et al. 2020, arXiv 1708.04896)."""
    n = len(images)
    chosen, area, ratio, top, left, shade = torch.rand(6, n, generator=generator).to(images.device).unbind()
    area, ratio = 0.02 + 0.18 * area, torch.exp((2 * ratio - 1) * math.log(2))
    tall, wide = torch.sqrt(area * ratio).clamp_(max=1), torch.sqrt(area / ratio).clamp_(max=1)
    mask = rectangles(images, top * (1 - tall), left * (1 - wide), tall, wide)
    return torch.where(mask & (chosen < probability)[:, None, None, None], shade[:, None, None, None], images)


def occlude(images: Tensor, strengths: Strengths, generator: Generator) -> Tensor:
    """Put glasses, a mask and a hand on the faces, each with its own probability, in this order."""
    for probability, painted in ((strengths.glasses, glasses), (strengths.mask, face_mask), (strengths.hand, hand)):
        if probability:
            # only what is chosen is drawn: at 10 % that is a tenth of the work
            rows = (torch.rand(len(images), generator=generator) < probability).nonzero()[:, 0]
            rows = rows.to(images.device)
            images = images.index_copy(0, rows, painted(images[rows], generator))
    return images

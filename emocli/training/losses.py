"""Losses on soft targets: cross-entropy with class weights, and distillation from a teacher."""

import torch
import torch.nn.functional as F
from torch import Tensor


def smooth(targets: Tensor, share: float) -> Tensor:
    """Return (n, classes) probabilities with `share` of each row spread over all classes (Szegedy et al. 2016)."""
    return targets * (1 - share) + share / targets.shape[1]


def balanced(targets: Tensor) -> Tensor:
    """Return (classes,) weights so that each class counts the same; targets are (n, classes). Absent classes get 0."""
    counts = targets.sum(0)
    present = counts > 0
    weights = torch.where(present, targets.sum() / counts.clamp(min=1e-9), 0.0)
    return weights / present.sum()


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy; logits and targets are (n, classes), each class's term times its weight."""
    terms = targets * F.log_softmax(logits, 1)
    return -(terms if weights is None else terms * weights).sum(1).mean()


def distillation(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T² KL(teacher || student), both softened by T, so that gradients keep their size (Hinton et al. 2015)."""
    student = F.log_softmax(logits / temperature, 1)
    wanted = F.log_softmax(teacher / temperature, 1)
    return F.kl_div(student, wanted, reduction="batchmean", log_target=True) * temperature**2

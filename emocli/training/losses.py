"""Losses on soft targets: cross-entropy, weighted, focal or adjusted, and distillation from a teacher, in two ways."""

import torch
import torch.nn.functional as F
from torch import Tensor


def smooth(targets: Tensor, share: float, spread: Tensor | None = None) -> Tensor:
    """Return (n, classes) probabilities with `share` of each row spread over all classes (Szegedy et al. 2016).

    Evenly, or as (classes,) probabilities say.
    """
    return targets * (1 - share) + share * (1 / targets.shape[1] if spread is None else spread)


def balanced(targets: Tensor) -> Tensor:
    """Return (classes,) weights so that each class counts the same; targets are (n, classes). Absent classes get 0."""
    counts = targets.sum(0)
    present = counts > 0
    weights = torch.where(present, targets.sum() / counts.clamp(min=1e-9), 0.0)
    return weights / present.sum()


def log_prior(targets: Tensor) -> Tensor:
    """Return (classes,) logs of the share of each class; targets are (n, classes). Absent classes count as one row.

    Times tau and added to the logits in training only, it takes the classes' frequencies out of what the net learns:
    logit adjustment (Menon et al. 2021, arXiv 2007.07314).
    """
    counts = targets.sum(0).clamp(min=1)
    return (counts / counts.sum()).log()


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None = None, focal: float = 0.0) -> Tensor:
    """Return the mean cross-entropy; logits and targets are (n, classes), each of the n rows times its weight.

    With `focal` each term is times (1 - p) ** focal as well (Lin et al. 2017, arXiv 1708.02002), which is theirs for
    targets of one class and its like for soft ones.
    """
    shares = F.log_softmax(logits, 1)
    terms = targets * shares
    if focal:
        # an exponent below 1 has no finite slope at 0
        terms = terms * (1 - shares.exp()).clamp(min=1e-6) ** focal
    rows = -terms.sum(1)
    return (rows if weights is None else rows * weights).mean()


def distillation(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Return T² KL(teacher || student), both softened by T, so that gradients keep their size (Hinton et al. 2015)."""
    student = F.log_softmax(logits / temperature, 1)
    wanted = F.log_softmax(teacher / temperature, 1)
    return F.kl_div(student, wanted, reduction="batchmean", log_target=True) * temperature**2


def relations(embedding: Tensor) -> Tensor:
    """Return the (n (n - 1) / 2,) distances between each two rows of an (n, d) embedding, as shares of their mean."""
    distances = F.pdist(embedding)
    return distances / distances.mean().clamp(min=1e-9)


def relational(embedding: Tensor, wanted: Tensor) -> Tensor:
    """Return how far the relations of an (n, d) embedding are from wanted ones: the mean Huber loss over pairs.

    Relational knowledge distillation by distances (Park et al. 2019, arXiv 1904.05068). Relations have no width, so
    that teachers and student may have embeddings of any, without a projection that would have to be learned.
    """
    return F.huber_loss(relations(embedding), wanted)

"""Center loss: embeddings are pulled to the centre of their class, which follows them (Wen et al. 2016, ECCV).

Targets may be soft (votes, mixup): a row then belongs to several classes, to each with its share.
"""

import torch
from torch import Tensor

from emocli.training import distributed


def start(targets: Tensor, embedding: Tensor) -> Tensor:
    """Return (classes, d) centres at the origin, for (n, classes) targets and an (n, d) embedding."""
    return embedding.new_zeros(targets.shape[1], embedding.shape[1])


def loss(embedding: Tensor, targets: Tensor, centers: Tensor) -> Tensor:
    """Return the mean over rows of half the squared distance from their centre, which gets no gradient."""
    squared = (embedding[:, None] - centers).square().sum(2)
    return 0.5 * (targets * squared).sum(1).mean()


@torch.no_grad()
def follow(centers: Tensor, embedding: Tensor, targets: Tensor, rate: float) -> None:
    """Move each centre by `rate` times sum(y (x - c)) / (1 + sum(y)) over the rows of a batch, on all processes."""
    counts, sums = distributed.total(targets.sum(0)[:, None]), distributed.total(targets.T @ embedding)
    centers += rate * (sums - counts * centers) / (1 + counts)

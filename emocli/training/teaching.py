"""What a student hears of a batch: one model, or several that answer as one."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.scores.views import Views
from emocli.training import losses
from emocli.training.recipe import Distillation


@dataclass(frozen=True, slots=True)
class Taught:
    """What is said of a batch of n pictures."""

    logits: Tensor
    """(n, classes)."""
    relations: Tensor | None = None
    """(n (n - 1) / 2,) distances between embeddings, of each two pictures, their mean being 1."""

    def to(self, device: torch.device) -> "Taught":
        """Return the same on a device."""
        relations = None if self.relations is None else self.relations.to(device)
        return Taught(self.logits.to(device), relations)


Teacher = Callable[[NDArray[Any]], Taught]
"""Takes a batch of features as stored: uint8 images or float32 vectors."""
Model = Callable[[NDArray[Any]], Mapping[str, NDArray[np.float32]]]
"""A running model: every output by its name, "logits" (n, classes) and mostly "embedding" (n, d)."""


def together(models: Sequence[Model], soft: Distillation, made: Header) -> Teacher:
    """Return models as one teacher: probabilities, softened by the temperature of `soft`, and relations are averaged.

    `made` is the header of the features. Relations are asked for with `soft.relational` only; EmoError for a model that
    has no embedding then. Views that the features don't have (`soft.teacher_views`, `soft.teacher_flip`) are an
    EmoError too.
    """

    views = Views(soft.teacher_views, soft.teacher_flip)

    def teach(x: NDArray[Any]) -> Taught:
        answers = [model(view) for view in views.of(x, made) for model in models]
        logits = torch.stack([torch.from_numpy(np.asarray(answer["logits"], np.float32)) for answer in answers])
        relations = torch.stack([*map(_relations, answers)]).mean(0) if soft.relational else None
        return Taught(_mean(logits, soft.temperature), relations)

    return teach


def _mean(logits: Tensor, temperature: float) -> Tensor:
    """Return (n, classes) logits whose softened probabilities are the mean of those of (k, n, classes) ones."""
    if len(logits) == 1:
        return logits[0]
    shares = (logits / temperature).log_softmax(2)
    return temperature * (shares.logsumexp(0) - math.log(len(logits)))


def _relations(answer: Mapping[str, NDArray[np.float32]]) -> Tensor:
    if "embedding" not in answer:
        raise EmoError("a teacher has no output named embedding; leave out --relational, or make it with this emo")
    return losses.relations(torch.from_numpy(np.asarray(answer["embedding"], np.float32)))

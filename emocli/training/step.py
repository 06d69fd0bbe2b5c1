"""One step of training, and validation: what happens to a batch."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from emocli.errors import EmoError
from emocli.training import average, losses, progressive, schedule
from emocli.training.augment import augment
from emocli.training.augment_mixing import mix
from emocli.training.augment_strengths import Strengths
from emocli.training.precision import Plan
from emocli.training.recipe import Distillation, Recipe
from emocli.training.rows import Rows
from emocli.training.run import Run

Teacher = Callable[[NDArray[Any]], NDArray[np.float32]]
"""From a batch of features as stored (uint8 images, float32 vectors) to logits (n, classes)."""
Criterion = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""From the student's logits, target probabilities and the teacher's logits, each (n, classes), to the loss."""


def criterion(rows: Rows, recipe: Recipe, soft: Distillation | None) -> Criterion:
    """Return the loss of a recipe; class weights are counted on `rows`. Raises EmoError for unknown --class-weights."""
    if recipe.class_weights not in ("none", "balanced"):
        raise EmoError(f"--class-weights {recipe.class_weights} is none of none, balanced")
    weights = losses.balanced(rows.y) if recipe.class_weights == "balanced" else None

    def loss(logits: Tensor, y: Tensor, taught: Tensor | None) -> Tensor:
        placed = None if weights is None else weights.to(logits.device)
        hard = losses.cross_entropy(logits, losses.smooth(y, recipe.label_smoothing), placed)
        if soft is None or taught is None:
            return hard
        return torch.lerp(hard, losses.distillation(logits, taught, soft.temperature), soft.alpha)

    return loss


def prepare(
    x: Tensor,
    y: Tensor,
    recipe: Recipe,
    strengths: Strengths,
    generator: Generator,
    teacher: Teacher | None = None,
    *,
    share: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return a batch as the net takes it, its targets, and what the teacher says of the very same pictures.

    `share` is how much of the run is done: early images are shown smaller, but whole to the teacher.
    """
    images = augment(x, strengths, generator) if x.dtype == torch.uint8 else x
    images, y = mix(images, y, recipe.mixup, recipe.cutmix, generator)
    shown = progressive.shrink(images, recipe.progressive, share)
    if teacher is None:
        return shown, y, None
    seen = (images * 255).round().to(torch.uint8) if x.dtype == torch.uint8 else images
    logits = np.asarray(teacher(seen.cpu().numpy()), np.float32)
    return shown, y, torch.from_numpy(logits).to(images.device)


def learn(state: Run, images: Tensor, y: Tensor, taught: Tensor | None, recipe: Recipe, loss_of: Criterion) -> float:
    """Make one step and return the loss; the weights stay as they are when it is not finite."""
    loss = loss_of(forward(state.net, images, state.plan), y, taught)
    value = float(loss.detach())
    if not math.isfinite(value):
        return value
    state.optimizer.zero_grad()
    torch.autograd.backward(loss)
    if recipe.clip:
        nn.utils.clip_grad_norm_(state.net.parameters(), recipe.clip)
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.lr * _rate(state.share * recipe.epochs, recipe)
    state.optimizer.step()
    if state.average is not state.net:
        average.follow(state.average, state.net, recipe.ema, state.steps)
    state.steps += 1
    return value


def evaluate(state: Run, rows: Rows, recipe: Recipe) -> float:
    """Return the share of rows that the averaged weights get right, in the precision and at the side of the run."""
    net = state.average
    right = 0
    net.eval()
    with torch.inference_mode():
        for start in range(0, len(rows), 512):
            places = np.arange(start, min(start + 512, len(rows)))
            x = rows.take(places)[0].to(state.device)
            x = progressive.shrink(x.float() / 255 if x.dtype == torch.uint8 else x, recipe.progressive, state.share)
            logits = forward(net, x, state.plan)
            right += int((logits.argmax(1).cpu().numpy() == rows.labels[places]).sum())
    return right / len(rows)


def forward(net: nn.Module, x: Tensor, plan: Plan) -> Tensor:
    """Return float32 logits (n, classes), computed as planned."""
    if x.ndim == 4:
        x = x.contiguous(memory_format=plan.layout)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=plan.bf16):
        logits: Tensor = net(x)
    return logits.float()


def _rate(epoch: float, recipe: Recipe) -> float:
    return schedule.factor(
        epoch, recipe.epochs, schedule=recipe.schedule, warmup=recipe.warmup, cycle=recipe.restart_epochs
    )

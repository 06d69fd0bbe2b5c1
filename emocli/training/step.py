"""One step of training, and validation: what happens to a batch."""

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from emocli.errors import EmoError
from emocli.training import average, batchnorm, centers, distributed, losses, progressive, schedule
from emocli.training.augment import augment, frame_strengths
from emocli.training.augment_frames import augment_frames
from emocli.training.augment_mixing import mix
from emocli.training.augment_strengths import Strengths
from emocli.training.precision import Plan
from emocli.training.recipe import Distillation, Recipe
from emocli.training.rows import Rows, unit
from emocli.training.run import Run
from emocli.training.teaching import Taught, Teacher
from emocli.training.weighting import class_weights

_BATCH = 512
"""Images a pass where nothing is learned."""
_SEQUENCES = 64
"""Sequences a pass where nothing is learned: each is as large as many small images."""
_MEASURED = 8192
"""Rows on which BatchNorm's statistics are measured: enough for a mean, in a fraction of an epoch's time."""


class Criterion(Protocol):
    """The loss of a batch of n rows."""

    def __call__(self, logits: Tensor, y: Tensor, taught: Taught | None, embedding: Tensor | None = None) -> Tensor:
        """Return a number for logits and target probabilities, (n, classes) each, and an (n, d) embedding."""
        ...


def criterion(rows: Rows, recipe: Recipe, soft: Distillation | None) -> Criterion:
    """Return the loss of a recipe; classes are counted on `rows`. Raises EmoError for options that make no sense."""
    if soft is not None and soft.alpha == 1:
        _expect_no_labels(recipe)
    weights = class_weights(recipe.class_weights, rows)
    shift = recipe.logit_adjustment * losses.log_prior(rows.y) if recipe.logit_adjustment else None

    def hard(logits: Tensor, y: Tensor) -> Tensor:
        # Smoothing gives each row a share of every class. That of a rare one must not rule the loss: weights are the
        # row's, not the term's, and where logits are shifted the shares are too.
        of_rows = None if weights is None else y @ weights.to(logits.device)
        moved = None if shift is None else shift.to(logits.device)
        targets = losses.smooth(y, recipe.label_smoothing, None if moved is None else moved.softmax(0))
        return losses.cross_entropy(logits if moved is None else logits + moved, targets, of_rows, recipe.focal)

    def loss(logits: Tensor, y: Tensor, taught: Taught | None, embedding: Tensor | None = None) -> Tensor:
        if soft is None or taught is None:
            return hard(logits, y)
        value = losses.distillation(logits, taught.logits, soft.temperature)
        if soft.alpha != 1:  # rows may have no label else
            value = torch.lerp(hard(logits, y), value, soft.alpha)
        if embedding is not None and taught.relations is not None:
            value = value + soft.relational * losses.relational(embedding, taught.relations)
        return value

    return loss


def _expect_no_labels(recipe: Recipe) -> None:
    """Raise EmoError for what is asked of labels where none is read."""
    asked = {"focal": recipe.focal, "logit-adjustment": recipe.logit_adjustment}
    asked |= {"class-weights": recipe.class_weights != "none", "center": recipe.center, "oversample": recipe.oversample}
    if unread := [name for name, given in asked.items() if given]:
        raise EmoError(
            f"with --alpha 1 no label is read, so --{unread[0]} can do nothing; leave it out, or use --alpha 0.9"
        )


def prepare(
    x: Tensor,
    y: Tensor,
    recipe: Recipe,
    strengths: Strengths,
    generator: Generator,
    teacher: Teacher | None = None,
    *,
    share: float = 1.0,
) -> tuple[Tensor, Tensor, Taught | None]:
    """Return a batch as the net takes it, its targets, and what the teacher says of the very same pictures.

    `share` is how much of the run is done: early images are shown smaller, but whole to the teacher.
    """
    if x.ndim == 3:
        images = augment_frames(x, frame_strengths(recipe), generator)
    else:
        images = augment(x, strengths, generator) if x.dtype == torch.uint8 else x
    images, y = mix(images, y, recipe.mixup, recipe.cutmix, generator)
    shown = progressive.shrink(images, recipe.progressive, share)
    if teacher is None:
        return shown, y, None
    seen = (images * 255).round().to(torch.uint8) if x.dtype == torch.uint8 else images
    return shown, y, teacher(seen.cpu().numpy()).to(images.device)


def learn(state: Run, images: Tensor, y: Tensor, taught: Taught | None, recipe: Recipe, loss_of: Criterion) -> float:
    """Make one step and return the loss; the weights stay as they are when it is not finite.

    With several processes the rows are this one's share, and the loss and what is learned are those of all shares.
    """
    related = taught is not None and taught.relations is not None
    logits, embedding = _answer(state, images, embedded=related or recipe.center > 0)
    loss = loss_of(logits, y, taught, embedding)
    if recipe.center and embedding is not None:
        state.centers = centers.start(y, embedding) if state.centers is None else state.centers
        loss = loss + recipe.center * centers.loss(embedding, y, state.centers)
    state.optimizer.zero_grad()
    torch.autograd.backward(loss)
    value = distributed.average(state.net, loss, len(images))
    if not math.isfinite(value):
        return value
    if recipe.clip:
        nn.utils.clip_grad_norm_(state.net.parameters(), recipe.clip)
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.lr * schedule.rate(state.share * recipe.epochs, recipe) * group["scale"]
    state.optimizer.step()
    if recipe.center and embedding is not None and state.centers is not None:
        centers.follow(state.centers, embedding.detach(), y, recipe.center_rate)
    _average(state, recipe)
    state.steps += 1
    return value


def settle(state: Run, rows: Rows, recipe: Recipe) -> None:
    """Measure BatchNorm's statistics for weights that were averaged evenly, on the rows that they learned from.

    The mean of statistics is not that of mean weights (Izmailov et al. 2018). Moving averages need it less.
    """
    if not state.averaged:
        return
    places = np.arange(0, len(rows), -(-len(rows) // _MEASURED))
    count = max(len(places) // _size(rows), 1)
    # rows may be sorted by class, so each batch is taken from everywhere
    batches = (_seen(state, rows, places[start::count], recipe) for start in range(count))
    batchnorm.measure(state.average, state.net, batches, lambda net, x: forward(net, x, state.plan))


def evaluate(state: Run, rows: Rows, recipe: Recipe) -> float:
    """Return the share of rows that the averaged weights get right, in the precision and at the side of the run.

    With several processes each looks at its share of the rows.
    """
    net, size, right = state.average, _size(rows), 0
    net.eval()
    with torch.inference_mode():
        for places in np.split(np.arange(len(rows)), range(size, len(rows), size))[distributed.share()]:
            logits = forward(net, _seen(state, rows, places, recipe), state.plan)
            right += int((logits.argmax(1).cpu().numpy() == rows.labels[places]).sum())
    return float(distributed.total(torch.tensor(right, dtype=torch.float64))) / len(rows)


def forward(net: nn.Module, x: Tensor, plan: Plan) -> Tensor:
    """Return float32 logits (n, classes), computed as planned."""
    logits: Tensor = _planned(net, x, plan)
    return logits.float()


def _answer(state: Run, x: Tensor, *, embedded: bool) -> tuple[Tensor, Tensor | None]:
    """Return float32 logits, and the (n, d) embedding where a loss asks for it."""
    net: Any = state.net
    if not embedded and not state.compiled:
        return forward(net, x, state.plan), None
    logits, embedding = _planned(state.compiled or net.outputs, x, state.plan)
    return logits.float(), embedding.float()


def _planned(net: Callable[[Tensor], Any], x: Tensor, plan: Plan) -> Any:
    if x.ndim == 4:
        x = x.contiguous(memory_format=plan.layout)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=plan.bf16):
        return net(x)


def _size(rows: Rows) -> int:
    return _BATCH if rows.lengths is None else _SEQUENCES


def _seen(state: Run, rows: Rows, places: NDArray[np.int64], recipe: Recipe) -> Tensor:
    """Return rows as validation shows them: not augmented, at the side of the run."""
    x = rows.take(places)[0].to(state.device)
    return progressive.shrink(unit(x), recipe.progressive, state.share)


def _average(state: Run, recipe: Recipe) -> None:
    """Move the averaged weights; an even average begins with the last share of the run and is the net until then."""
    if state.average is state.net:
        return
    if not recipe.swa:
        average.follow(state.average, state.net, recipe.ema, state.steps)
        return
    average.gather(state.average, state.net, state.averaged)
    state.averaged += state.share >= 1 - recipe.swa

"""The one training loop: supervised, or distilled from a teacher, which is a loss and not another loop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, nn

from emocli import architectures, ranks
from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.scores.views import has_bands
from emocli.telling import Note
from emocli.training import (
    augment,
    batchnorm,
    classical,
    compiling,
    distributed,
    hardware,
    layers,
    memory,
    precision,
    progressive,
    remarks,
    run,
    sampling,
    step,
)
from emocli.training.progress import Display
from emocli.training.recipe import Distillation, Recipe, check
from emocli.training.rows import Rows, part
from emocli.training.run import Run
from emocli.training.step import Criterion
from emocli.training.teaching import Teacher

_STEPS = 16
"""Steps an epoch at least: a few hundred images in one batch would hardly move the weights."""

AfterEpoch = Callable[[int, float], None]
"""Told each epoch, counted from 1, and its validation accuracy, nan where the run went astray; may raise to end it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trained net, in eval mode on the CPU, and how it came to be. Accuracies are shares from 0 to 1."""

    net: nn.Module
    accuracy: float
    """On the validation part, of the weights that are returned."""
    best_epoch: int
    """The epoch they come from, counted from 1."""
    history: list[dict[str, float]]
    """One {"epoch", "loss", "accuracy"} an epoch."""
    n: int
    """Rows of the validation part."""


def make(name: str, shape: tuple[int, ...], classes: int, params: dict[str, Any], seed: int) -> nn.Module:
    """Return an untrained net of the registry (or "timm/<name>"), its random weights drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net: nn.Module = architectures.build(name, shape, classes, params)
    return net


def train(
    net: nn.Module,
    data: Data,
    recipe: Recipe,
    *,
    teacher: Teacher | None = None,
    distillation: Distillation | None = None,
    resume: Path | None = None,
    anew: bool = False,
    leave_out: NDArray[np.int64] | None = None,
    note: Note = lambda text: None,
    progress: bool = True,
    after_epoch: AfterEpoch = lambda epoch, accuracy: None,
) -> Outcome:
    """Train the net in place on the train part, validate each epoch, and return the best or the last weights.

    `resume` is a file for the state of the run: read if it is there, unless it is made `anew`, and written after each
    epoch. `leave_out` are rows not to train on. With a `teacher` the loss is the one of `distillation`. The same
    arguments give the same weights, byte for byte, on the same machine and number of threads; a resumed run gives those
    of an uninterrupted one. Raises EmoError for data without a train or validation part, for labels out of range, for
    options that are no number of their range, and when no epoch had a finite loss.
    """
    soft = (distillation or Distillation()) if teacher else None
    for options in filter(None, (recipe, soft)):
        check(options)
    rows = part(data, "train", note, leave_out, unlabelled=soft is not None and soft.alpha == 1)
    validation = part(data, "validation", note)
    if classical.is_fitted(net):
        return _fitted(net, rows, validation, recipe, teacher, note)
    for line in remarks.lines(recipe):
        note(line)
    recipe = _possible(net, data, recipe, note)
    loss_of = step.criterion(rows, recipe, soft)
    name = run.identity(net, data.digest, recipe, soft)
    state = _begin(net, recipe, note)
    if resume and not anew and distributed.of_first(resume.exists()):
        run.resume(state, resume, name)
        note(f"continues after epoch {state.epoch} of {recipe.epochs}")
    unit = "images" if len(data.shape) == 3 else "rows"
    with Display(recipe.epochs, unit=unit, shown=progress and ranks.is_first(), done=state.share) as display:
        while state.share < 1 and not _impatient(state, recipe):
            loss = _epoch(state, rows, recipe, loss_of, teacher, display)
            if not math.isfinite(loss):
                _tell_of_divergence(state, note)
                after_epoch(state.epoch + 1, math.nan)
                break
            accuracy = _validated(state, rows, validation, recipe, loss)
            display.epoch(state.epoch, loss, accuracy)
            if resume and ranks.is_first():
                resume = _saved(state, resume, name, note)
            after_epoch(state.epoch, accuracy)
    _tell_of_a_constant(validation, state, note)
    return _outcome(state, validation, recipe)


def _saved(state: Run, place: Path, name: str, note: Note) -> Path | None:
    """Write the state of the run; where that can't be, say so and train on without: the model may well be writable."""
    try:
        run.save(state, place, name)
    except EmoError as fault:
        note(str(fault))
        return None
    return place


def _fitted(
    net: nn.Module, rows: Rows, validation: Rows, recipe: Recipe, teacher: Teacher | None, note: Note
) -> Outcome:
    """Return a model that needs no epochs."""
    if teacher is not None:
        raise EmoError("this architecture is fitted to labels and can't listen to a teacher; choose another student")
    note("this model is fitted at once: of the options of training only --class-weights counts")
    accuracy, n = classical.fit(net, rows, validation, recipe)
    return Outcome(net.eval(), accuracy, 1, [{"epoch": 1, "loss": math.nan, "accuracy": accuracy}], n)


def _possible(net: nn.Module, data: Data, recipe: Recipe, note: Note) -> Recipe:
    """Return the recipe without what the net can't do or has no meaning for the features, and say so."""
    shape, frames = data.shape, {"bands": has_bands(data.header), "words": data.modality == "text"}
    if idle := augment.idle(recipe, shape, **frames):
        flags = (f"--{name.replace('_', '-')}" for name in idle)
        note(f"these features have no use for {', '.join(flags)}: trains without")
    # some that have no meaning for words are on by default
    gone = augment.without_meaning(shape, **frames) if frames["words"] else idle
    without: dict[str, Any] = dict.fromkeys(gone, 0.0)
    recipe = replace(recipe, **without)
    if len(shape) != 3:
        return replace(recipe, progressive=0.0, cutmix=0.0)
    if recipe.progressive and progressive.side(max(shape[1:]), recipe.progressive, 0) == max(shape[1:]):
        note(f"images of {max(shape[1:])} pixels can't begin smaller so: trains without --progressive")
        return replace(recipe, progressive=0.0)
    if recipe.progressive and not progressive.possible(net, shape, recipe.progressive):
        note("this architecture takes one size of images only: trains without --progressive")
        return replace(recipe, progressive=0.0)
    return recipe


def _begin(net: nn.Module, recipe: Recipe, note: Note) -> Run:
    """Return a run that has not begun, on the device and in the number format that are best for the net."""
    torch.set_num_threads(hardware.threads(recipe.threads))
    memory.keep()
    device = hardware.choose(recipe.device)
    plan = precision.choose(net, recipe.precision, recipe.layout, device.type)
    distributed.join(device)
    shared = f", {ranks.count()} processes" if ranks.count() > 1 else ""
    note(f"trains on {hardware.describe(device)}: {plan}{shared}")
    frozen = layers.freeze(net, recipe.freeze)
    if recipe.freeze:
        why = "" if frozen else ": the first layer has a larger share of them"
        note(f"{frozen} of {sum(weight.numel() for weight in net.parameters())} parameters stay as they are{why}")
    state = run.start(net, recipe, plan, device)
    state.compiled = compiling.compiled(state.net, device) if recipe.compile else None
    return state


def _epoch(
    state: Run, rows: Rows, recipe: Recipe, loss_of: Criterion, teacher: Teacher | None, display: Display
) -> float:
    """Train on the rows in an order of their own and return the mean loss; not finite: the run went astray."""
    state.net.train()
    batchnorm.hold(state.net)
    size = _batch(rows, recipe)
    batches, values, changes = len(rows) // size, [], augment.strengths(recipe)
    # Everything random is drawn from seed, epoch and batch, so a resumed run needs no generator's state. Batches count
    # from 1: to NumPy (seed, epoch) and (seed, epoch, 0, 0) are the same.
    seeded = _generator(recipe.seed, state.epoch)
    order = sampling.order(rows.labels, seeded, oversample=recipe.oversample)
    if rows.lengths is not None:
        order = sampling.by_length(order, rows.lengths, size, seeded)
    begun = time.perf_counter() - state.seconds
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(seeded.initial_seed() + ranks.number())
        for index in range(batches):
            places = order[index * size : (index + 1) * size][distributed.share()]
            x, y = (tensor.to(state.device) for tensor in rows.take(places))
            generator = _generator(recipe.seed, state.epoch, index + 1, ranks.number())
            batch = step.prepare(x, y, recipe, changes, generator, teacher, share=state.share)
            values.append(step.learn(state, *batch, recipe, loss_of))
            if not math.isfinite(values[-1]):
                return values[-1]
            state.seconds = time.perf_counter() - begun
            state.share = _share(state, recipe, batches)
            display.step(size, values[-1], state.share)
            if state.share >= 1:
                break
    state.epoch += 1
    return float(np.mean(values))


def _batch(rows: Rows, recipe: Recipe) -> int:
    """Return the images of a step, at least two for each process: BatchNorm needs a variance."""
    least = 2 * ranks.count()
    if len(rows) < least:
        raise EmoError(f"{len(rows)} rows are too few to train on; import more")
    if 1 < ranks.count() > recipe.batch // 2:
        raise EmoError(f"--batch {recipe.batch} gives no two rows to each process; use at least {least}")
    return min(recipe.batch, max(len(rows) // _STEPS, least))


def _validated(state: Run, rows: Rows, validation: Rows, recipe: Recipe, loss: float) -> float:
    """Return the validation accuracy after an epoch, and keep its weights when the recipe says so."""
    step.settle(state, rows, recipe)
    accuracy = step.evaluate(state, validation, recipe)
    side = progressive.side(validation.side, recipe.progressive, state.share)
    state.keep(loss, accuracy, side, whatever=recipe.keep == "last")
    return accuracy


def _share(state: Run, recipe: Recipe, batches: int) -> float:
    """How much of the schedule is done: by steps, or by the clock when that is further."""
    # clocks differ, and no process may stop before the others
    spent = distributed.of_first(state.seconds) / (60 * recipe.time_limit) if recipe.time_limit else 0.0
    return min(1.0, max(state.steps / (recipe.epochs * batches), spent))


def _generator(*numbers: int) -> Generator:
    seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
    return Generator().manual_seed(seed)


def _impatient(state: Run, recipe: Recipe) -> bool:
    if recipe.progressive and not progressive.is_whole(state.share):
        return False  # what a shrunken picture is taken for says little of whole ones
    return 0 < recipe.patience <= state.epoch - state.best_epoch


def _tell_of_divergence(state: Run, note: Note) -> None:
    if not state.best:
        raise EmoError("the loss was no finite number before the first epoch ended; lower --lr or use --precision fp32")
    note(f"the loss is no finite number in epoch {state.epoch + 1}: stops, and keeps epoch {state.best_epoch}")


def _tell_of_a_constant(validation: Rows, state: Run, note: Note) -> None:
    """Say so when what is kept is no better than the most frequent class, as with too few steps or too high a rate."""
    labels = validation.labels[validation.own]
    counts = np.bincount(labels[labels >= 0])
    least = counts.max() / counts.sum() + 1e-9
    if state.best_accuracy > least:
        return
    always = validation.names[int(counts.argmax())]
    if any(epoch["accuracy"] > least for epoch in state.history):
        note(f"the last epoch is no better than always saying {always}, and others were; try --keep best")
    else:
        note(f"no epoch is better than always saying {always}: nothing is learned; try more --epochs, or another --lr")


def _outcome(state: Run, validation: Rows, recipe: Recipe) -> Outcome:
    """Return the net that is kept, with the accuracy that its file has: that is FP32, whatever it learned in."""
    accuracy = state.best_accuracy
    if state.plan.bf16:
        state.plan = replace(state.plan, bf16=False)
        state.average.load_state_dict(state.best)
        accuracy = step.evaluate(state, validation, recipe)
    state.net.load_state_dict(state.best)
    net = precision.lay_out(state.net.cpu(), torch.contiguous_format).eval()
    return Outcome(net, accuracy, state.best_epoch, state.history, len(validation))

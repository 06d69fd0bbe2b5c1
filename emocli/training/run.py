"""The state of a training run: nets, optimizer, how far it is and the best so far."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.training import average, checkpoint, layers
from emocli.training.muon import Muon
from emocli.training.precision import Plan, lay_out
from emocli.training.recipe import Distillation, Recipe, expect_together

NOT_IDENTITY = ("threads", "device", "time_limit", "compile")
"""Options that say where and how long, not what: a run may continue with others."""


@dataclass(slots=True)
class Run:
    """A run between two steps. Accuracies are shares from 0 to 1."""

    net: nn.Module
    average: nn.Module
    """Averaged weights, validated and kept; the net itself when averaging is off."""
    optimizer: torch.optim.Optimizer
    plan: Plan
    device: torch.device
    compiled: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None
    """What makes the outputs of `net` in training where it was compiled."""
    centers: Tensor | None = None
    """Class centres of the center loss, (classes, d); None until its first step."""
    averaged: int = 0
    """Steps in the even average; 0 before it begins and for a moving one."""
    steps: int = 0
    epoch: int = 0
    """Epochs that are done."""
    share: float = 0.0
    """How much of the schedule is done, 0 to 1."""
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_side: int = 0

    def keep(self, loss: float, accuracy: float, side: int, *, whatever: bool) -> None:
        """Note the epoch that ended; keep its averaged weights when none before was as good, or `whatever` they are.

        An epoch that was validated on images of a larger `side` is better than any on smaller ones.
        """
        self.history.append({"epoch": self.epoch, "loss": loss, "accuracy": accuracy})
        if whatever or (side, accuracy) > (self.best_side, self.best_accuracy):
            self.best_side, self.best_accuracy, self.best_epoch = side, accuracy, self.epoch
            self.best = {name: tensor.detach().clone() for name, tensor in self.average.state_dict().items()}


def start(net: nn.Module, recipe: Recipe, plan: Plan, device: torch.device) -> Run:
    """Return a run that has not begun; the net is moved and laid out in place."""
    expect_together(recipe)
    net = lay_out(net.to(device), plan.layout).train()
    optimizer = _optimizer(net, recipe)
    return Run(net, average.start(net) if recipe.ema or recipe.swa else net, optimizer, plan, device)


def _optimizer(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    groups = layers.groups(net, recipe.weight_decay, recipe.layer_decay)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.lr, fused=True)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.lr, momentum=0.9, nesterov=True, fused=True)
    return Muon(groups, layers.matrices(net), lr=recipe.lr)


def identity(net: nn.Module, digest: str, recipe: Recipe, distillation: Distillation | None) -> str:
    """Return a hash of all that makes a run the same run."""
    options = {key: value for key, value in dataclasses.asdict(recipe).items() if key not in NOT_IDENTITY}
    shapes = {name: list(tensor.shape) for name, tensor in net.state_dict().items()}
    teaching = dataclasses.asdict(distillation) if distillation else None
    return hashlib.sha256(json.dumps([digest, options, teaching, shapes]).encode()).hexdigest()


_FACTS = ("averaged", "steps", "epoch", "share", "seconds", "history", "best_epoch", "best_accuracy", "best_side")


def save(run: Run, path: Path, name: str) -> None:
    """Write the run to a file; `name` is its identity."""
    facts: dict[str, Any] = {"identity": name, **{fact: getattr(run, fact) for fact in _FACTS}}
    tensors = {"net": run.net.state_dict(), "best": run.best, "moments": checkpoint.moments(run.optimizer)}
    if run.average is not run.net:
        tensors["average"] = run.average.state_dict()
    if run.centers is not None:
        tensors["centers"] = {"centers": run.centers}
    checkpoint.save(path, facts, tensors)


def resume(run: Run, path: Path, name: str) -> None:
    """Continue from a file: fill a run that has not begun; raises EmoError when it is the state of another."""
    facts, tensors = checkpoint.load(path, name)
    try:
        _fill(run, facts, tensors)
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError) as fault:
        raise EmoError(f"{path} is a damaged state of this run; delete it to start anew") from fault


def _fill(run: Run, facts: dict[str, Any], tensors: checkpoint.Tree) -> None:
    for fact in _FACTS:
        setattr(run, fact, facts[fact])
    run.net.load_state_dict(tensors["net"])
    if run.average is not run.net:
        run.average.load_state_dict(tensors["average"])
    if "centers" in tensors:
        run.centers = tensors["centers"]["centers"].to(run.device)
    checkpoint.restore_moments(run.optimizer, tensors["moments"])
    run.best = {key: tensor.to(run.device) for key, tensor in tensors["best"].items()}

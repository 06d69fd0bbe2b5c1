"""The learning rate over a run."""

import math

from emocli import numerals
from emocli.errors import EmoError
from emocli.training.recipe import Recipe

_LOW = 1 / 25
"""Where one cycle begins, as a share of its highest rate."""


def factor(
    epoch: float,
    epochs: float,
    *,
    schedule: str,
    warmup: float,
    cycle: float,
    rise: float = 0.3,
    milestones: tuple[float, ...] = (0.5, 0.75),
    drop: float = 0.1,
) -> float:
    """Return the share of the highest learning rate at a fraction of an epoch, 0 <= epoch <= epochs.

    A linear warm-up, then half a cosine to 0, cosines of `cycle` epochs each (Loshchilov and Hutter 2017), 1, or steps:
    times `drop` at each of the `milestones` (shares of the run). "onecycle" rises over the share `rise` of the run.
    """
    if schedule == "onecycle":
        return _one_cycle(epoch / epochs, rise)
    # A short run still needs most of its time after the warm-up.
    warmup = min(warmup, epochs / 5)
    if epoch < warmup:
        return epoch / warmup
    if schedule == "constant":
        return 1.0
    if schedule == "step":
        return math.prod(drop for milestone in milestones if epoch >= milestone * epochs)
    span = epochs - warmup if schedule == "cosine" else max(cycle, 1e-9)
    share = (epoch - warmup) / max(span, 1e-9)
    return 0.5 * (1 + math.cos(math.pi * (share if schedule == "cosine" else share % 1)))


def rate(epoch: float, recipe: Recipe) -> float:
    """Return `factor` as a recipe has it."""
    return factor(
        epoch,
        recipe.epochs,
        schedule=recipe.schedule,
        warmup=recipe.warmup,
        cycle=recipe.restart_epochs,
        rise=recipe.onecycle_rise,
        milestones=shares(recipe.milestones),
        drop=recipe.step_factor,
    )


def shares(text: str) -> tuple[float, ...]:
    """Return the shares of the run in a text such as "0.5,0.75"; raises EmoError for anything else."""
    found = tuple(map(numerals.number, text.split(",")))
    if not all(0 <= share <= 1 for share in found):
        raise EmoError(f"--milestones {text} are no shares of the run; use numbers from 0 to 1 such as 0.5,0.75")
    return found


def _one_cycle(share: float, rise: float) -> float:
    """Half a cosine up and half a cosine down to 0: Smith 2018 (arXiv 1708.07120), with his lines rounded."""
    if share < rise:
        return _LOW + (1 - _LOW) * 0.5 * (1 - math.cos(math.pi * share / rise))
    return 0.5 * (1 + math.cos(math.pi * (share - rise) / (1 - rise)))

"""What is to be said of a recipe before it runs: options that do nothing beside the others, cycles that end early."""

from collections.abc import Iterator
from dataclasses import asdict

from emocli.training import schedule
from emocli.training.recipe import Recipe

_OF_A_SCHEDULE = {
    "restart_epochs": ("restarts",),
    "onecycle_rise": ("onecycle",),
    "milestones": ("step",),
    "step_factor": ("step",),
    "warmup": ("cosine", "restarts", "constant", "step"),
}
_OVER = 0.05
"""Share of the highest learning rate that is no end of a cycle any more."""
_USUAL = asdict(Recipe())


def counts(name: str, recipe: Recipe) -> bool:
    """Say whether an option can change anything beside the others; most always can."""
    if name == "center_rate":
        return recipe.center > 0
    return recipe.schedule in _OF_A_SCHEDULE.get(name, (recipe.schedule,))


def lines(recipe: Recipe) -> Iterator[str]:
    """Yield a line for each option that was given and changes nothing, and one for a cycle that the run cuts short."""
    for name, value in asdict(recipe).items():
        if value != _USUAL[name] and not counts(name, recipe):
            beside = "--center 0" if name == "center_rate" else f"--schedule {recipe.schedule}"
            yield f"--{name.replace('_', '-')} {value} changes nothing with {beside}"
    # a new cycle would begin at the very end of the run
    left = schedule.rate(recipe.epochs * (1 - 1e-6), recipe)
    if recipe.schedule == "restarts" and left > _OVER:
        yield (
            f"the run ends within a cycle of {recipe.restart_epochs} epochs, at {left:.0%} of the highest learning "
            "rate; make --epochs the sum of --warmup and whole cycles"
        )

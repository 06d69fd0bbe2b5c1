"""Runs that are repeated over seeds or folds: what each is made of, which is kept, and what they say together."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.telling import Note
from emocli.training.loop import Outcome
from emocli.training.recipe import Recipe, Repetition, check


@dataclass(frozen=True, slots=True)
class One:
    """One of the runs. `name` is {"seed": 3}, or {"fold": 1} counted from 1."""

    name: dict[str, int]
    data: Data
    recipe: Recipe

    def __str__(self) -> str:
        return " ".join(f"{key} {value}" for key, value in self.name.items())


def options(repetition: Repetition) -> dict[str, int]:
    """Return what a header records: nothing for a single run. Raises EmoError for numbers that make no sense."""
    seeds, folds = repetition.seeds, repetition.folds
    if seeds < 1:
        raise EmoError(f"--seeds {seeds} is no number of runs; use 1 or more")
    if folds < 0 or folds == 1:
        raise EmoError(f"--folds {folds} leaves nothing to train on or to validate with; use 2 or more")
    if seeds > 1 and folds:
        raise EmoError("--seeds and --folds are two ways to repeat a run; give one of them")
    return {"seeds": seeds} if seeds > 1 else {"folds": folds} if folds else {}


def planned(data: Data, recipe: Recipe, repetition: Repetition) -> list[One]:
    """Return the runs: one, or as many as there are seeds or folds. All folds have the same seed."""
    if repetition.folds:
        from emocli.training import folds  # scikit-learn takes a second to import

        views = folds.divided(data, repetition.folds, recipe.seed)
        return [One({"fold": number}, view, recipe) for number, view in enumerate(views, 1)]
    if repetition.seeds > 1:
        seeds = range(recipe.seed, recipe.seed + repetition.seeds)
        check(replace(recipe, seed=seeds[-1]))
        return [One({"seed": seed}, data, replace(recipe, seed=seed)) for seed in seeds]
    return [One({"seed": recipe.seed}, data, recipe)]


def best(
    runs: list[One], train: Callable[[One], Outcome], mark: Callable[[One], dict[str, Any]], note: Note
) -> tuple[One, Outcome, list[dict[str, Any]]]:
    """Train all; return the run of the highest validation accuracy, the first of equals, its outcome and all scores.

    `mark` returns what else a run's scores tell. No more than two nets are held at a time.
    """
    kept: tuple[One, Outcome] | None = None
    rows = []
    for number, one in enumerate(runs, 1):
        if len(runs) > 1:
            note(f"{one}, run {number} of {len(runs)}")
        outcome = train(one)
        rows.append(
            {**one.name, "epoch": outcome.best_epoch, "accuracy": outcome.accuracy, "n": outcome.n, **mark(one)}
        )
        if kept is None or outcome.accuracy > kept[1].accuracy:
            kept = one, outcome
    assert kept is not None
    return *kept, rows


def summary(chosen: One, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean validation accuracy over the runs, its 95 % interval by the t distribution, and who is kept."""
    from emocli.scores import mean_interval  # scipy, which a single run has no use for

    mean = mean_interval.over_runs([row["accuracy"] for row in rows], bounds=(0.0, 1.0))
    return {"runs": len(rows), "accuracy": mean, "interval": "Student's t over runs", "chosen": chosen.name}


def sentence(whole: dict[str, Any]) -> str:
    """Return the summary in words."""
    value, low, high = (100 * whole["accuracy"][key] for key in ("value", "low", "high"))
    what = f"{value:.2f} % [{low:.2f}, {high:.2f}]"
    return f"mean validation accuracy {what}, n = {whole['runs']} runs, 95 % interval by Student's t over them"


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as JSON lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

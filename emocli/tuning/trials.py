"""What a trial of emo tune is: training once with its values, as emo train would, judged on the validation part."""

import copy
import hashlib
import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import architectures, pipes, ranks, replaying, store
from emocli.data import audit, hdf5, people
from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.scores.views import has_bands
from emocli.telling import Note
from emocli.training import augment, classical, remarks, rows, schedule, session, transfer, weighting
from emocli.training.recipe import Recipe, check, expect_together
from emocli.tuning import study
from emocli.tuning.space import Choice, Space, ends
from emocli.tuning.study import Limits, Objective, Report

_OF_THE_MACHINE = ("threads", "device", "compile")
"""Options that say where a trial runs: a study may go on with others."""
_PARAM = "p."


@dataclass(frozen=True, slots=True)
class Fixed:
    """What all trials have in common."""

    arch: str
    params: Mapping[str, Any]
    """Options of the architecture that were given."""
    recipe: Recipe
    drop_leaks: bool


def known(arch: str) -> dict[str, Any]:
    """Return every option that can be searched with its default: of emo train, and the architecture's as p.NAME."""
    params = architectures.resolve(arch, {})[1]
    return {**asdict(Recipe()), "drop_leaks": False, **{f"{_PARAM}{name}": value for name, value in params.items()}}


def run(
    source: pipes.Input, fixed: Fixed, space: Space, limits: Limits, place: str | None, note: Note, *, progress: bool
) -> list[dict[str, Any]]:
    """Search until the study has its trials, and return a row for each, best first.

    The study is kept in the file `place`, else in the store under a hash of what is asked. Raises EmoError for values
    that are both fixed and searched, for data without a train or validation part, and when no trial ended well.
    """
    if ranks.count() > 1:
        raise EmoError("emo tune is one process, a study has one writer; leave out torchrun and use --threads")
    architectures.resolve(fixed.arch, fixed.params)
    _refuse_both(fixed, space)
    _refuse_impossible(fixed.recipe, space)
    space = _by_hash(space)
    question = _question(source, fixed, space)
    with hdf5.open_data(source.path, source.source) as data, study.opened(_place(place, question), question) as trials:
        # what is wrong with the data is said once, and is no trial's fault
        view = _without_test(data)
        _refuse_idle(data, fixed, space)
        _refuse_overruled(fixed.recipe, space)
        n = _expect_rows(view, fixed.recipe, space, note)
        leaks = audit.audit(data)
        for line in leaks.lines():
            note(line)
        study.search(
            trials, space, _objective(view, leaks.train_rows, fixed, progress), limits, fixed.recipe.seed, note
        )
        found = study.rows(trials, n)
    if not found:
        raise EmoError(f"no trial was begun in {limits.minutes:g} minutes; give more with --timeout, 0 is no limit")
    if not any(row["state"] == "complete" for row in found):
        reason = next((row["reason"] for row in reversed(found) if "reason" in row), "all were cut short")
        raise EmoError(f"no trial ended well ({reason}); search other values")
    return found


def fewest_epochs(recipe: Recipe, space: Space) -> int:
    """Return how many epochs the shortest trial has."""
    return int(min(ends(space["epochs"]))) if "epochs" in space else recipe.epochs


def _refuse_impossible(recipe: Recipe, space: Space) -> None:
    """Raise EmoError for a number or word, given or to search, that no run may have: trials would be spent on it."""
    tried = [{name: value} for name, values in space.items() if hasattr(recipe, name) for value in ends(values)]
    for each in ({}, *tried):
        check(changed := replace(recipe, **each))
        expect_together(changed)
    for text in _tried(recipe, space, "milestones"):
        schedule.shares(text)


def _tried(recipe: Recipe, space: Space, name: str) -> tuple[Any, ...]:
    """Return the values of an option in any trial; of a range the ends."""
    return ends(space[name]) if name in space else (getattr(recipe, name),)


def _refuse_idle(data: Data, fixed: Fixed, space: Space) -> None:
    """Raise EmoError for a search of what the features or the net have no use for: any value would do as well."""
    classical.expect_use(fixed.arch, space)
    usual = Recipe()
    numbers = {name: getattr(usual, name) + 0.01 for name in space if isinstance(getattr(usual, name, None), float)}
    frames = {"bands": has_bands(data.header), "words": data.modality == "text"}
    if idle := augment.idle(replace(usual, **numbers), data.shape, **frames):
        raise EmoError(f"these features have no use for {', '.join(idle)}; search other options")


def _refuse_overruled(recipe: Recipe, space: Space) -> None:
    """Raise EmoError for a search of what other options, given or searched, leave without any effect."""
    for name in augment.taken_away(recipe):
        values, off = space.get(name), getattr(Recipe(), name)
        if isinstance(values, Choice) and off in values.values:
            raise EmoError(f"--augment {recipe.augment} leaves out {name} {off}, its default; search others")
    beside = [replace(recipe, schedule=each) for each in _tried(recipe, space, "schedule")]
    beside += [replace(recipe, center=each) for each in _tried(recipe, space, "center")]
    for name in space:
        if not any(remarks.counts(name, each) for each in beside):
            raise EmoError(f"{name} changes nothing beside the other options; search others")


def _expect_rows(view: Data, recipe: Recipe, space: Space, note: Note) -> int:
    """Return how many rows trials are judged on; raises EmoError where a part has none, and for weights of no class.

    The rows are let go again: each trial reads its own, which may be gigabytes.
    """
    train = rows.part(view, "train", note)
    for text in _tried(recipe, space, "class_weights"):
        weighting.class_weights(text, train)
    return len(rows.part(view, "validation", note))


def command(fixed: Fixed, values: Mapping[str, Any], features: str | None) -> str:
    """Return the line of emo train that does what a trial did; what is as by default is left out."""
    recipe, params, drop_leaks = _applied(fixed, values)
    usual = asdict(Recipe())
    options = {name: value for name, value in asdict(recipe).items() if value != usual[name]}
    options |= {"drop_leaks": True} if drop_leaks else {}
    line = replaying.line({"command": "train", "name": fixed.arch, "params": params, "options": options})
    return " ".join([line, *([shlex.quote(features)] if features not in (None, "-") else []), "-o best.onnx"])


def _applied(fixed: Fixed, values: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any], bool]:
    """Return the recipe, the architecture's options that are given, and whether leaks are dropped, in a trial."""
    chosen = {name: value for name, value in values.items() if not name.startswith(_PARAM)}
    params = {name.removeprefix(_PARAM): value for name, value in values.items() if name.startswith(_PARAM)}
    drop_leaks = bool(chosen.pop("drop_leaks", fixed.drop_leaks))
    return replace(fixed.recipe, **chosen), {**fixed.params, **params}, drop_leaks


def _objective(view: Data, shared: NDArray[np.int64], fixed: Fixed, progress: bool) -> Objective:
    """Return what trains once; `shared` are train rows that the test part has too, not trained on if that is asked."""

    def objective(values: Mapping[str, Any], report: Report) -> tuple[float, dict[str, Any]]:
        def after_epoch(epoch: int, accuracy: float) -> None:
            if math.isnan(accuracy):
                raise EmoError(f"the loss is no finite number in epoch {epoch}")
            report(epoch, accuracy)

        recipe, given, drop_leaks = _applied(fixed, values)
        name, params = architectures.resolve(fixed.arch, given)
        left_out = shared if drop_leaks else None
        outcome = session.trained(
            view,
            {"name": name, "params": params},
            recipe,
            transfer.source(recipe.init),
            lambda text: None,
            leave_out=left_out,
            progress=progress,
            after_epoch=after_epoch,
        )
        return outcome.accuracy, {"epoch": outcome.best_epoch, **people.shared(view, left_out)}

    return objective


def _without_test(data: Data) -> Data:
    view = copy.copy(data)
    view.split = np.where(data.split == "test", "", data.split)
    return view


def _refuse_both(fixed: Fixed, space: Space) -> None:
    defaults = Recipe()
    given = {name for name in space if getattr(fixed.recipe, name, None) != getattr(defaults, name, None)}
    given |= {f"{_PARAM}{name}" for name in fixed.params} | ({"drop_leaks"} if fixed.drop_leaks else set())
    if both := sorted(given & set(space)):
        raise EmoError(f"{', '.join(both)}: both given and searched; leave one of them out")


def _by_hash(space: Space) -> Space:
    """Return the space with the models that training may begin as named by their hashes: files change."""
    beginnings = space.get("init")
    if not isinstance(beginnings, Choice):
        return space
    found = map(transfer.source, beginnings.values)
    return {**space, "init": Choice(tuple(model.digest if model else "none" for model in found))}


def _question(source: pipes.Input, fixed: Fixed, space: Space) -> dict[str, Any]:
    """Return what makes a study the same study, ready for JSON."""
    beginning = transfer.source(fixed.recipe.init)
    recipe = replace(fixed.recipe, init=beginning.digest) if beginning else fixed.recipe
    options = {name: value for name, value in asdict(recipe).items() if name not in _OF_THE_MACHINE}
    return {
        "data": source.digest,
        "architecture": [fixed.arch, dict(fixed.params)],
        "options": {**options, "drop_leaks": fixed.drop_leaks},
        "values to search": {name: asdict(values) for name, values in space.items()},
    }


def _place(named: str | None, question: Mapping[str, Any]) -> Path:
    if named is not None:
        return Path(named)
    return store.folder("studies") / f"{hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()}.db"

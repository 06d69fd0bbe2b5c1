"""A training run from artifact to artifact: features in, ONNX out, with the step that records it."""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import artifact, onnx_file, pipes, ranks, store
from emocli.artifact import Header, Step
from emocli.data import audit, hdf5, people
from emocli.data.hdf5 import Data
from emocli.scores import personal, share_interval
from emocli.telling import Note
from emocli.training import class_logits, classical, export, loop, repeats, run, transfer
from emocli.training.loop import Outcome
from emocli.training.recipe import Distillation, Recipe, Repetition
from emocli.training.teaching import Teacher

_NOTHING = "nothing to continue: starts anew"
_STOPPED = "this very run was stopped before: --resume continues it; without, its state is lost after the first epoch"


@dataclass(frozen=True, slots=True)
class How:
    """What is not in the recipe: going on after a kill, samples that parts share, runs that are repeated."""

    resume: bool
    strict: bool
    drop_leaks: bool
    note: Note
    repetition: Repetition = field(default_factory=Repetition)
    scores: Path | None = None
    """Where the validation accuracy of each run goes, as JSON lines."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One teacher or several: their artifacts, what answers for all, and how much the student listens."""

    sources: Sequence[pipes.Input]
    teacher: Teacher
    distillation: Distillation


def write(
    features: pipes.Input, path: Path, step: Step, recipe: Recipe, how: How, lesson: Lesson | None = None
) -> list[Path]:
    """Train what `step` names (its `name` and `params`) on the features and write the model to `path`.

    Repeated over seeds or folds, the best run is written. The state of each run is kept in the store, so that
    `how.resume` can continue, or deliver what was finished and lost; these files are returned, and are to `forget` when
    the model is where it belongs. A student's header continues its first teacher's and names the others by
    their hashes. Of several processes (torchrun) the first writes. Raises EmoError as the audit and the loop do.
    """
    before = lesson.sources[0] if lesson else features
    beginning = transfer.source(recipe.init)
    if beginning:  # the header names it by its hash
        recipe = replace(recipe, init=beginning.digest)
    step = {**step, **_recorded(features, recipe, how, lesson, beginning)}
    repeated = bool(repeats.options(how.repetition))
    classical.expect_chance(step["name"], step["params"], how.repetition)
    states: list[Path] = []
    left_out = functools.cache(lambda data: _audited(data, how))  # seeds share their data, folds do not

    def train(one: repeats.One) -> Outcome:
        states.append(_state({**step, **one.name} if repeated else step))
        if len(states) == 1 and how.resume != states[-1].exists():
            how.note(_NOTHING if how.resume else _STOPPED)
        taught = {"teacher": lesson.teacher, "distillation": lesson.distillation} if lesson else {}
        kept = {"resume": states[-1], "anew": not how.resume, "leave_out": left_out(one.data)}
        return trained(one.data, step, one.recipe, beginning, how.note, **kept, **taught)

    def shared(one: repeats.One) -> dict[str, Any]:
        return people.shared(one.data, left_out(one.data))

    with hdf5.open_data(features.path, features.source) as data:
        chosen, outcome, rows = repeats.best(repeats.planned(data, recipe, how.repetition), train, shared, how.note)
        if not ranks.is_first():
            return []
        met = people.learned(chosen.data, _named(lesson, beginning), left_out(chosen.data))
        usual = class_logits.measure(outcome.net, chosen.data, left_out(chosen.data))
        model = export.to_onnx(outcome.net, data.shape, input_name=data.modality)
    _report(chosen, outcome, rows, how)
    step |= {"chosen": chosen.name} if repeated else {}
    step |= {"people": met} if met else {}
    step |= personal.told(usual)
    step |= {"processes": ranks.count()} if ranks.count() > 1 else {}
    extra = export.abilities(outcome.net, before.header.extra)
    header = _lineage(before.header, features.header)
    onnx_file.write_header(model, header.then(step, kind="model", precision="fp32", extra=extra))
    onnx_file.save(model, path)
    return states


def forget(states: Sequence[Path]) -> None:
    """Remove the states of runs whose model was delivered, and what a kill left of writing them."""
    for state in states:
        for file in (state, *state.parent.glob(f".{state.name}.*.part")):
            store.discard(file)  # the store may be somebody else's


def trained(
    data: Data, step: Step, recipe: Recipe, beginning: pipes.Input | None, note: Note, **options: Any
) -> Outcome:
    """Return the net that `step` names, trained once from a new start or from `beginning`; options as `loop.train`."""
    net = loop.make(step["name"], data.shape, len(data.labels), step["params"], recipe.seed)
    if beginning:
        transfer.fill(net, beginning, data.labels, note)
    elif recipe.freeze and not step["params"].get("pretrained"):
        note("--freeze without --init keeps layers as chance drew them; name what to begin with: --init model.onnx")
    return loop.train(net, data, recipe, note=note, **options)


def _recorded(
    features: pipes.Input, recipe: Recipe, how: How, lesson: Lesson | None, beginning: pipes.Input | None
) -> Step:
    """Return what a header records of how a model was trained, of what, and whose terms it is under."""
    before, *others = lesson.sources if lesson else [features]
    soft = asdict(lesson.distillation) if lesson else {}
    named = {"teacher": [teacher.digest for teacher in others]} if others else {}
    options = {**asdict(recipe), **soft, "drop_leaks": how.drop_leaks, **repeats.options(how.repetition), **named}
    return {
        **artifact.terms(_named(lesson, beginning)),
        "options": options,
        "input": before.digest,
        "data": features.digest,
    }


def _lineage(before: Header, features: Header) -> Header:
    """Return the header that a model continues; a student may look at another corpus than its teacher, or other faces.

    What it looked at comes last, so that it is asked about features that were made as these were.
    """
    if all(before.step(command) == features.step(command) for command in ("dataset", "features")):
        return before
    return replace(before, steps=(*before.steps, *features.steps))


def _named(lesson: Lesson | None, beginning: pipes.Input | None) -> list[Header]:
    """Return the headers of the models that a step names by hash: all but the first teacher's, which goes on."""
    return [model.header for model in (*(lesson.sources[1:] if lesson else ()), beginning) if model]


def _report(chosen: repeats.One, outcome: Outcome, rows: list[dict[str, Any]], how: How) -> None:
    """Say which run and epoch are kept and what the runs say together, and write the scores where they are wanted."""
    which = f"{chosen}, " if len(rows) > 1 else ""
    if how.scores or len(rows) > 1:
        whole = repeats.summary(chosen, rows)
        if len(rows) > 1:
            how.note(repeats.sentence(whole))
        if how.scores:
            repeats.write(how.scores, [*rows, whole])
    told = share_interval.told(outcome.accuracy, outcome.n)
    how.note(f"keeps {which}epoch {outcome.best_epoch}: validation accuracy {told}, n = {outcome.n}")


def _state(step: Step) -> Path:
    """Return where the state of exactly this run is kept, wherever and however long it runs."""
    options = {key: value for key, value in step["options"].items() if key not in run.NOT_IDENTITY}
    # several processes draw otherwise than one, and the header says how many there were
    processes = {"processes": ranks.count()} if ranks.count() > 1 else {}
    name = hashlib.sha256(json.dumps({**step, **processes, "options": options}, sort_keys=True).encode()).hexdigest()
    return store.home() / "runs" / f"{name}.h5"


def _audited(data: Data, how: How) -> NDArray[np.int64] | None:
    """Report what the parts share; returns the train rows to leave out."""
    found = audit.audit(data)
    for line in found.lines():
        how.note(line)
    if how.strict:
        found.refuse(dropped=how.drop_leaks)
    return found.train_rows if how.drop_leaks else None

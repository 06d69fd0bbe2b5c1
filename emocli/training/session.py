"""A training run from artifact to artifact: features in, ONNX out, with the step that records it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emocli import hdf5, onnx_file, pipes, ranks, store
from emocli.artifact import Step
from emocli.hdf5 import Data
from emocli.training import audit, export, loop, transfer
from emocli.training.loop import Outcome
from emocli.training.recipe import Distillation, Recipe
from emocli.training.teaching import Teacher

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class How:
    """What is not in the recipe: going on after a kill, and what to do about samples that parts share."""

    resume: bool
    strict: bool
    drop_leaks: bool
    note: Note


@dataclass(frozen=True, slots=True)
class Lesson:
    """One teacher or several: their artifacts, what answers for all, and how much the student listens."""

    sources: Sequence[pipes.Input]
    teacher: Teacher
    distillation: Distillation


def write(
    features: pipes.Input, path: Path, step: Step, recipe: Recipe, how: How, lesson: Lesson | None = None
) -> Outcome:
    """Train what `step` names (its `name` and `params`) on the features and write the model to `path`.

    The state of the run is kept in the store until it ends well, so that `how.resume` can continue it. A student's
    header continues its first teacher's and names the others by their hashes. Of several processes (torchrun) the first
    writes. Raises EmoError as the audit and the loop do.
    """
    before, *others = lesson.sources if lesson else [features]
    soft = lesson.distillation if lesson else None
    beginning = transfer.source(recipe.init)
    if beginning:  # the header names it by its hash
        recipe = replace(recipe, init=beginning.digest)
    options = {**asdict(recipe), **(asdict(soft) if soft else {}), "drop_leaks": how.drop_leaks}
    if others:
        options["teacher"] = [teacher.digest for teacher in others]
    helpers = [*others, beginning] if beginning else others
    step = {**step, **_terms(helpers), "options": options, "input": before.digest, "data": features.digest}
    state = _state(step)
    if not how.resume and ranks.is_first():
        state.unlink(missing_ok=True)
    with hdf5.open_data(features.path, features.source) as data:
        left_out = _audited(data, how)
        net = loop.make(step["name"], data.shape, len(data.labels), step["params"], recipe.seed)
        if beginning:
            transfer.fill(net, beginning, how.note)
        outcome = loop.train(
            net,
            data,
            recipe,
            teacher=lesson.teacher if lesson else None,
            distillation=soft,
            resume=state,
            leave_out=left_out,
            note=how.note,
        )
        if not ranks.is_first():
            return outcome
        model = export.to_onnx(outcome.net, data.shape, input_name=data.modality)
    how.note(f"keeps epoch {outcome.best_epoch}: validation accuracy {outcome.accuracy:.2%}")
    if ranks.count() > 1:
        step["processes"] = ranks.count()
    onnx_file.write_header(model, before.header.then(step, kind="model", precision="fp32"))
    onnx_file.save(model, path)
    state.unlink(missing_ok=True)
    return outcome


def _terms(models: Sequence[pipes.Input]) -> dict[str, str]:
    """Return the terms of the models that a step names by their hashes: they are those of what is made from them."""
    terms = dict.fromkeys(model.header.license for model in models if model.header.license)
    return {"license": "; ".join(terms)} if terms else {}


def _state(step: Step) -> Path:
    """Return where the state of exactly this run is kept."""
    name = hashlib.sha256(json.dumps(step, sort_keys=True).encode()).hexdigest()
    return store.folder("runs") / f"{name}.h5"


def _audited(data: Data, how: How) -> NDArray[np.int64] | None:
    """Report what the parts share; returns the train rows to leave out."""
    found = audit.audit(data)
    for line in found.lines():
        how.note(line)
    if how.strict:
        found.refuse()
    return found.train_rows if how.drop_leaks else None

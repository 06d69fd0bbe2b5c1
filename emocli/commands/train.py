"""Train a model on features, with a leak audit before and the best validation epoch kept."""

from typing import Any

from emocli import architectures, pipes, registry
from emocli.commands import _flags
from emocli.commands._show import note_once
from emocli.training.recipe import Recipe, Repetition


@_flags.accept(Recipe, Repetition)
def run(
    features: _flags.Input = None,
    arch: _flags.Arch = architectures.AUTO,
    param: _flags.Params = [],  # noqa: B006
    resume: _flags.Resume = False,
    strict: _flags.Strict = False,
    drop_leaks: _flags.DropLeaks = False,
    scores: _flags.Scores = None,
    output: _flags.Output = None,
    force: _flags.Force = False,
    **flags: Any,
) -> None:
    """Train and write the model."""
    if arch != architectures.AUTO:
        architectures.resolve(arch, registry.parse(param))
    with _flags.model_and_scores(output, scores, force) as (scratch, lines):
        source = pipes.read(features, "features")
        from emocli.training import session

        name, params = architectures.resolve(_flags.arch_of(arch, source), registry.parse(param))
        step = {"command": "train", "name": name, "params": params}
        recipe = _flags.record_of(Recipe, flags)
        again = _flags.record_of(Repetition, flags)
        how = session.How(resume, strict, drop_leaks, note_once, again, lines)
        states = session.write(source, scratch, step, recipe, how)
    session.forget(states)

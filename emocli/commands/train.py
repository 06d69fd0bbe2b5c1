"""Train a model on features, with a leak audit before and the best validation epoch kept."""

from typing import Annotated, Any

import typer

from emocli import architectures, pipes, registry
from emocli.commands import _flags
from emocli.commands._show import note_once
from emocli.training.recipe import Recipe


@_flags.accept(Recipe)
def run(
    features: _flags.Input = None,
    arch: Annotated[str, typer.Option("--arch", help="Architecture; see: emo list models.")] = "se-resnet",
    param: _flags.Params = [],  # noqa: B006
    resume: _flags.Resume = False,
    strict: _flags.Strict = False,
    drop_leaks: _flags.DropLeaks = False,
    output: _flags.Output = None,
    force: _flags.Force = False,
    **flags: Any,
) -> None:
    """Train and write the model."""
    name, params = architectures.resolve(arch, registry.parse(param))
    step = {"command": "train", "name": name, "params": params}
    with pipes.output(output, force=force, shared=True) as scratch:
        source = pipes.read(features, "features")
        from emocli.training import session

        recipe = _flags.record_of(Recipe, flags)
        how = session.How(resume=resume, strict=strict, drop_leaks=drop_leaks, note=note_once)
        session.write(source, scratch, step, recipe, how)

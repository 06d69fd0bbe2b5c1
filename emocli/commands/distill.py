"""Train a small model with the help of a large one: labels and the teacher's softened answers (Hinton 2015)."""

from typing import Annotated, Any

import typer

from emocli import architectures, pipes, registry
from emocli.commands import _flags
from emocli.commands._show import note
from emocli.errors import EmoError
from emocli.training.recipe import Distillation, Recipe, Repetition


@_flags.accept(Distillation, Recipe, Repetition)
def run(
    model: Annotated[str | None, typer.Argument(metavar="TEACHER", help="Model; stdin when absent or -.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Model; the main input is then the features.")] = None,
    data: _flags.Data = None,
    arch: Annotated[str, typer.Option("--arch", help="The student's architecture.")] = "student",
    param: _flags.Params = [],  # noqa: B006
    engine: _flags.Engine = "onnxruntime",
    resume: _flags.Resume = False,
    strict: _flags.Strict = False,
    drop_leaks: _flags.DropLeaks = False,
    scores: _flags.Scores = None,
    output: _flags.Output = None,
    force: _flags.Force = False,
    **flags: Any,
) -> None:
    """Train the student and write it."""
    name, params = architectures.resolve(arch, registry.parse(param))
    step = {"command": "distill", "name": name, "params": params}
    with pipes.output(output, force=force) as scratch, pipes.second_output(scores, output, force=force) as lines:
        source, features = _inputs(model, teacher, data)
        if features.header.labels != source.header.labels:
            raise EmoError(
                f"the teacher and {features.source} have different labels; use the features it was made with"
            )
        from emocli.training import session

        recipe, soft = _flags.record_of(Recipe, flags), _flags.record_of(Distillation, flags)
        running = registry.load("engines", engine)(source.path, threads=recipe.threads)
        again = _flags.record_of(Repetition, flags)
        how = session.How(resume, strict, drop_leaks, note, again, lines)
        lesson = session.Lesson(source, lambda x: running.run(x)["logits"], soft)
        session.write(features, scratch, step, recipe, how, lesson)


def _inputs(argument: str | None, teacher: str | None, data: str | None) -> tuple[pipes.Input, pipes.Input]:
    """Return the teacher and the features; with --teacher the main input is the features."""
    if teacher is not None:
        return pipes.read(teacher, "model"), pipes.read(argument if data is None else data, "features")
    source = pipes.read(argument, "model")
    return source, pipes.features_of(source.header, data)

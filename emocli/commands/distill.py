"""Train a small model with the help of large ones: labels, softened answers (Hinton 2015), relations (Park 2019)."""

from typing import Annotated, Any

import typer

from emocli import architectures, registry, teachers
from emocli.commands import _flags
from emocli.commands._show import note_once
from emocli.training.recipe import Distillation, Recipe, Repetition


@_flags.accept(Distillation, Recipe, Repetition)
def run(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="TEACHER",
            help="Model, or features with --teacher; stdin when -, or absent without --teacher and --data together.",
        ),
    ] = None,
    teacher: Annotated[
        list[str], typer.Option(help="Model, or sha256:… of one in the store; may be repeated, answers are averaged.")
    ] = [],  # noqa: B006
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
    with _flags.model_and_scores(output, scores, force) as (scratch, lines):
        sources, features = teachers.gather(model, teacher, data, note_once)
        from emocli.training import hardware, session, teaching

        recipe, soft = _flags.record_of(Recipe, flags), _flags.record_of(Distillation, flags)
        load = registry.load("engines", engine)
        # the student learns on the same cores
        threads = hardware.threads(recipe.threads)
        running = [load(source.path, threads=threads, spin=False) for source in sources]
        again = _flags.record_of(Repetition, flags)
        how = session.How(resume, strict, drop_leaks, note_once, again, lines)
        lesson = session.Lesson(sources, teaching.together([each.run for each in running], soft, features.header), soft)
        states = session.write(features, scratch, step, recipe, how, lesson)
    session.forget(states)

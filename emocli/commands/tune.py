"""Search the options of emo train for the best validation accuracy; the test part has no say."""

import sys
from typing import Annotated, Any

import typer

from emocli import architectures, pipes, registry
from emocli.commands import _flags
from emocli.commands._show import for_people, note, show
from emocli.errors import EmoError
from emocli.training.recipe import Recipe

Search = Annotated[
    list[str],
    typer.Option(
        metavar="NAME=VALUES",
        help="Option of emo train, or p.NAME of the architecture: A..B, A..B:log, A..B:STEP or A,B,C; may be repeated.",
    ),
]


@_flags.accept(Recipe)
def run(
    features: _flags.Input = None,
    arch: _flags.Arch = architectures.AUTO,
    param: _flags.Params = [],  # noqa: B006
    search: Search = [],  # noqa: B006
    trials: Annotated[int, typer.Option(help="Trials the study has at the end, earlier ones included.")] = 20,
    timeout: Annotated[float, typer.Option(help="Minutes after which no trial begins; 0 is no limit.")] = 0.0,
    study: Annotated[
        str | None, typer.Option(help="File of the study, which goes on if it is there; one in the store when absent.")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune/--no-prune", help="Give up trials below the median.")] = True,
    drop_leaks: _flags.DropLeaks = False,
    as_json: _flags.Json = None,
    **flags: Any,
) -> None:
    """Run the trials, print one row each, best first, and the line that trains the best."""
    if trials < 1 or not timeout >= 0:
        raise EmoError(f"--trials {trials} --timeout {timeout:g} is no search; use 1 trial or more, 0 minutes or more")
    if arch != architectures.AUTO:
        architectures.resolve(arch, {})
    recipe = _flags.record_of(Recipe, flags)
    source = pipes.read(features, "features")
    name = _flags.arch_of(arch, source)
    from emocli.tuning import space
    from emocli.tuning import study as studies
    from emocli.tuning import trials as tuning

    fixed = tuning.Fixed(name, registry.parse(param), recipe, drop_leaks)
    wanted = space.parse(search, tuning.known(name))
    limits = studies.Limits(trials, timeout, tuning.fewest_epochs(recipe, wanted) // 5 if prune else None)
    rows = tuning.run(source, fixed, wanted, limits, study, note, progress=sys.stderr.isatty())
    lines = [tuning.command(fixed, row["parameters"], features) for row in rows]
    if not for_people(as_json):
        rows = [{**row, "command": line} for row, line in zip(rows, lines, strict=True)]
    show(rows, as_json=as_json)
    note(f"the best of {len(rows)}, validation accuracy {rows[0]['accuracy']:.2%}, n = {rows[0]['n']}: {lines[0]}")

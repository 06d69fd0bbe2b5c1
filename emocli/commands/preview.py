"""Draw samples of each class of a dataset or of features, as they are or as training would change them, as a PNG.

Without options of augmentation: as they are. With some, each line is one sample and how those change it, by themselves;
with --augment full or light they come on top of what emo train does by default.
"""

from typing import Annotated, Any

import typer

from emocli import kept, outputs
from emocli.commands import _flags
from emocli.training.recipe import AUGMENTATION, LARGEST_SEED, Recipe


@_flags.accept_given(Recipe, AUGMENTATION)
def run(
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="Artifact, or a dataset's name; stdin when absent or -.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", help="Lines of each class.")] = 1,
    columns: Annotated[int, typer.Option("--columns", help="Pictures a line.")] = 10,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Which samples, and how they are changed.")
    ] = 0,
    output: _flags.Output = None,
    force: _flags.Force = False,
    **flags: Any,
) -> None:
    """Draw the picture and write it out."""
    given = {name: value for name, value in flags.items() if value is not None}
    with outputs.output(output, force=force) as scratch:
        source = kept.dataset(data, "dataset", "features")
        from emocli import previewing

        previewing.write(source, scratch, given, rows=rows, columns=columns, seed=seed)

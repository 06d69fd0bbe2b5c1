"""Import a published corpus, or your own folder of pictures or recordings, as one dataset artifact.

What is in one shows: emo dataset preview NAME -o faces.png
"""

from pathlib import Path
from typing import Annotated

import typer

from emocli import outputs, registry, store
from emocli.commands import _flags
from emocli.commands._show import note
from emocli.errors import EmoError
from emocli.kept import PARTS


def run(
    name: Annotated[str, typer.Argument(help="Which corpus; see: emo list datasets.")],
    sources: Annotated[list[str] | None, typer.Argument(help="Its file or folder, as its authors publish it.")] = None,
    param: _flags.Params = [],  # noqa: B006
    save: Annotated[bool, typer.Option("--save", help="Keep it in the store under its name.")] = False,
    save_as: Annotated[str | None, typer.Option("--as", help="Keep it in the store under this name.")] = None,
    split: Annotated[str, typer.Option(help="Parts: published, subject (none shared) or random.")] = PARTS["split"],
    validation: Annotated[float, typer.Option(help="Share for validation where it is not published.")] = PARTS[
        "validation"
    ],
    test: Annotated[float, typer.Option(help="Share for test where no other part is published.")] = PARTS["test"],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split.")] = PARTS["seed"],
    output: _flags.Output = None,
    force: _flags.Force = False,
) -> None:
    """Read the corpus and write it out."""
    options = registry.resolve("datasets", name, registry.parse(param))
    paths = [Path(source) for source in sources or []]
    if absent := [path for path in paths if not path.exists()]:
        raise EmoError(f"there is no {absent[0]}; check the path, or see what {name} reads: emo list datasets {name}")
    parts = {"split": split, "validation": validation, "test": test, "seed": seed}
    step = {"command": "dataset", "name": name, "params": registry.recorded(options), "options": parts}
    target = output
    saved = name if save and save_as is None else save_as
    if saved is not None:
        if output is not None:
            raise EmoError("--save and --as keep the data in the store; leave out -o, or the two of them")
        store.folder("datasets")
        target = str(store.dataset(saved))
    with outputs.output(target, force=force) as scratch:
        from emocli.data import importing

        importing.write(registry.load("datasets", name)(paths, **options), scratch, step, parts, note)
    if saved is not None:
        note(f"kept as {saved}; use it by that name: emo features {saved}")

"""List what there is: datasets, extractors, detectors, models, engines, devices, with their options."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from emocli import registry, store
from emocli.commands import _flags
from emocli.commands._show import for_people, show, show_record
from emocli.errors import EmoError


def run(
    folder: Annotated[str | None, typer.Argument(help="Which registry; all when absent.")] = None,
    name: Annotated[str | None, typer.Argument(help="One entry, in full.")] = None,
    as_json: _flags.Json = None,
) -> None:
    """Print the entries without importing any of them."""
    chosen = registry.ALIASES.get(folder or "", folder)
    if chosen is not None and chosen not in registry.FUNCTIONS:
        known = [*registry.FUNCTIONS, *registry.ALIASES]
        raise EmoError(f"there is no list of {folder}{registry.nearest(str(folder), known)}; choose {', '.join(known)}")
    if chosen and name:
        entry = registry.describe(chosen, name)
        record = {"folder": chosen, "name": name, "summary": entry.summary, "text": entry.text}
        show_record({**record, "options": dict(entry.options)}, as_json=as_json, title=f"{chosen}/{name}")
        return
    folders = [chosen] if chosen else list(registry.FUNCTIONS)
    rows = (row for each in folders for row in _rows(each))
    if for_people(as_json):
        rows = ({**row, "options": " ".join(f"{key}={value}" for key, value in row["options"].items())} for row in rows)
    show(rows, as_json=as_json)


def _rows(folder: str) -> Iterator[dict[str, Any]]:
    kept = store.datasets() if folder == "datasets" else []
    for name in registry.names(folder):
        entry = registry.describe(folder, name)
        row = {"folder": folder, "name": name, "summary": entry.summary, "options": dict(entry.options)}
        yield row | ({"kept": name in kept} if folder == "datasets" else {})
    for name in sorted(set(kept) - set(registry.names(folder))):
        yield {"folder": folder, "name": name, "summary": "kept in the store", "options": {}, "kept": True}

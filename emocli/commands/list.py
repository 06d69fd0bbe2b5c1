"""List datasets, extractors, detectors, effects, models, engines and devices with their options, and weights."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from emocli import registry, shipped, store
from emocli.commands import _flags
from emocli.commands._show import for_people, note, show, show_record, show_text
from emocli.errors import EmoError

WEIGHTS = "weights"
"""Listed like a registry: the models that ship with emo."""


def run(
    folder: Annotated[str | None, typer.Argument(help="Which registry; all when absent.")] = None,
    name: Annotated[str | None, typer.Argument(help="One entry, in full.")] = None,
    as_json: _flags.Json = None,
) -> None:
    """Print the entries without importing any of them."""
    if folder == WEIGHTS:
        _show_weights(name, as_json)
        return
    chosen = registry.ALIASES.get(folder or "", folder)
    if chosen is not None and chosen not in registry.FUNCTIONS:
        known = [*registry.FUNCTIONS, *registry.ALIASES, WEIGHTS]
        raise EmoError(f"there is no list of {folder}{registry.nearest(str(folder), known)}; choose {', '.join(known)}")
    if chosen == "datasets" and name in set(store.datasets()) - set(registry.names("datasets")):
        show_record(_kept(name), as_json=as_json, title=f"{chosen}/{name}")
        return
    if chosen and name:
        entry = registry.describe(chosen, name)
        record = {"folder": chosen, "name": name, "summary": entry.summary, "text": entry.text}
        show_record({**record, "options": dict(entry.options)}, as_json=as_json, title=f"{chosen}/{name}")
        return
    folders = [chosen] if chosen else [*registry.FUNCTIONS, WEIGHTS]
    rows = (row for each in folders for row in (_weights() if each == WEIGHTS else _rows(each)))
    if for_people(as_json):
        rows = ({**row, "options": " ".join(f"{key}={value}" for key, value in row["options"].items())} for row in rows)
    show(rows, as_json=as_json)


def _weights() -> Iterator[dict[str, Any]]:
    """Yield the shipped models in the form of registry entries."""
    for row in shipped.rows():
        summary = f"{len(row['labels'])} emotions, {row['precision']}, accuracy {_score(row['accuracy'])}"
        if row["all_folds"]:
            summary += f"; {_score(row['all_folds'])} over all folds"
        yield {"folder": WEIGHTS, "name": row["name"], "summary": summary, "options": {}}


def _score(figure: dict[str, Any]) -> str:
    return f"{figure['value']:.1%} (n = {figure['n']:,})"


def _show_weights(name: str | None, as_json: bool | None) -> None:
    """Print a row per shipped model, or all about one: for people its card."""
    if name is None:
        rows = shipped.rows()
        if not rows:
            note("no weights ship with this copy of emo; make them: make weights")
        elif for_people(as_json):
            show(map(_in_short, rows), as_json=False)
        else:
            show(({"folder": WEIGHTS, **row} for row in rows), as_json=True)
        return
    record = shipped.details(name)
    if for_people(as_json):
        show_text(record["text"])
    else:
        show([{"folder": WEIGHTS, **record}], as_json=True)


def _in_short(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a terminal has room for; the card has the rest."""
    figures = {"emotions": len(row["labels"]), "accuracy": row["accuracy"], "over all folds": row["all_folds"]}
    return {"name": row["name"], **figures, "MB": row["bytes"] / 1e6}


def _rows(folder: str) -> Iterator[dict[str, Any]]:
    kept = store.datasets() if folder == "datasets" else []
    for name in registry.names(folder):
        entry = registry.describe(folder, name)
        row = {"folder": folder, "name": name, "summary": entry.summary, "options": dict(entry.options)}
        if folder in ("features", "detectors", "effects", "models"):
            row["modality"] = entry.modality
        yield row | ({"kept": name in kept} if folder == "datasets" else {})
    for name in sorted(set(kept) - set(registry.names(folder))):
        yield _kept(name)


def _kept(name: str) -> dict[str, Any]:
    """Return the entry of a dataset that is kept in the store."""
    return {"folder": "datasets", "name": name, "summary": "kept in the store", "options": {}, "kept": True}

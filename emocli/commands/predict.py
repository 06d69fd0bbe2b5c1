"""Classify faces, voices, signals of a wearable, or texts: files, folders, globs, or - for a list of paths on stdin."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocli.commands import _flags
from emocli.commands._show import for_people, note, show
from emocli.errors import EmoError

if TYPE_CHECKING:
    from emocli.serving import kinds


def run(
    names: Annotated[
        list[str], typer.Argument(metavar="FILES...", help="Pictures, sounds, recordings, texts; folders, globs, or -.")
    ],
    model: _flags.Model = None,
    detector: Annotated[str, typer.Option(help="What finds faces or speech; none takes all there is.")] = "auto",
    flip: _flags.Flip = False,
    views: _flags.Views = 1,
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 0,
    as_json: _flags.Json = None,
) -> None:
    """Print a record per file, window of signals or line of text; in the end status 1 where some can't be read."""
    source = _flags.model_of(model) if model is not None else None
    from emocli import named_files, shipped
    from emocli.extracting import extraction
    from emocli.scores.views import Views
    from emocli.serving import either, kinds

    counts: Counter[str] = Counter()
    how = kinds.How(detector, engine, threads, Views(views, flip), counts, note)

    def opened(kind: str) -> either.Records:
        if source is not None:
            return kinds.opened(kind, source.path, how)
        return kinds.opened(kind, _flags.model_of(None, kind).path, _for(kind, how))

    stdin = sys.stdin.buffer if sys.stdin else None
    if source is None:
        found = either.suffixes(heard=shipped.has("speech"))
        records = either.records(named_files.expand(names, found, stdin=stdin), opened, note)
    else:
        kind = extraction.modality(source.header)
        found = kinds.SUFFIXES[kind]
        records = opened(kind)(named_files.expand(names, found, stdin=stdin))
    _print(records, as_json)
    if counts.keys() == {"unreadable"}:
        raise EmoError("none of the files could be read; the lines above say why")
    if counts["unreadable"]:
        raise EmoError(f"{counts['unreadable']} of the files could not be read; their records say why")
    if not counts:
        raise EmoError(f"no file in {' '.join(names)}; of a folder these are taken: {' '.join(sorted(found))}")


def _for(kind: str, how: "kinds.How") -> "kinds.How":
    """Return how files of a kind are taken where others may come too: what is not for them is left out, and said."""
    from emocli import registry

    asked = how.detector
    if asked not in ("auto", "none") and registry.describe("detectors", asked).modality != kind:
        how.note(f"--detector {asked} finds no {kind}: takes the model's own there")
        how = replace(how, detector="auto")
    if how.seen.flip and kind == "speech":
        how.note("--flip is for faces: a voice has no mirror image")
        how = replace(how, seen=replace(how.seen, flip=False))
    return how


def _print(records: Iterable[dict[str, Any]], as_json: bool | None) -> None:
    if for_people(as_json):
        kept = list(records)
        alike = Counter(Path(record["path"]).name for record in kept)
        show((row for record in kept for row in _rows(record, alike)), as_json=False)
    else:
        show(records, as_json=True)


def _rows(record: dict[str, Any], alike: Counter[str]) -> list[dict[str, Any]]:
    """Return a table row per face, or one for anything else; files with names `alike` by their paths."""
    path, keys = Path(record["path"]), ("start", "end", "line", "label", "probability", "box", "text")
    name = path.name if alike[path.name] == 1 else str(path)
    if "error" in record:
        return [{"file": name, "label": record["error"]}]
    found = record.get("faces", [record])
    rows = [{"file": name, **{key: one[key] for key in keys if key in one}} for one in found]
    return rows or [{"file": name, "label": "no face"}]

"""Classify faces in pictures, or voices in sound files: files, folders, globs, or - for a list of paths on stdin."""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocli.commands import _flags
from emocli.commands._show import for_people, note, show
from emocli.errors import EmoError

if TYPE_CHECKING:
    from emocli.scores.views import Views
    from emocli.serving import either


def run(
    names: Annotated[list[str], typer.Argument(metavar="FILES...", help="Pictures or sounds, folders, globs, or -.")],
    model: _flags.Model = None,
    detector: Annotated[str, typer.Option(help="What finds faces or speech; none takes all there is.")] = "auto",
    flip: _flags.Flip = False,
    views: _flags.Views = 1,
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 0,
    as_json: _flags.Json = None,
) -> None:
    """Print one record per file; leaves with status 1 where some could not be read, after all the others."""
    source = _flags.model_of(model) if model is not None else None
    from emocli import named_files, shipped
    from emocli.extracting import extraction
    from emocli.image import pictures
    from emocli.scores.views import Views
    from emocli.serving import either
    from emocli.sound import sound_files

    counts: Counter[str] = Counter()
    seen = Views(views, flip)

    def opened(kind: str) -> either.Records:
        path = (source or _flags.model_of(None, kind)).path
        finder = detector if source is not None else _detector_of(kind, detector)
        if kind == "face":
            return _seeing(path, counts, finder, engine, threads, seen)
        if flip:
            why = "--flip is for faces: a voice has no mirror image"
            if source is not None:
                raise EmoError(why)
            note(why)
        return _hearing(path, counts, finder, engine, threads, Views(views))

    stdin = sys.stdin.buffer if sys.stdin else None
    if source is None:
        found = either.suffixes(heard=shipped.has("speech"))
        records = either.records(named_files.expand(names, found, stdin=stdin), opened, note)
    else:
        kind = extraction.modality(source.header)
        found = sound_files.SUFFIXES if kind == "speech" else pictures.SUFFIXES
        records = opened(kind)(named_files.expand(names, found, stdin=stdin))
    _print(records, as_json)
    if counts.keys() == {"unreadable"}:
        raise EmoError("none of the files could be read; the lines above say why")
    if counts["unreadable"]:
        raise EmoError(f"{counts['unreadable']} of the files could not be read; their records say why")
    if not counts:
        raise EmoError(f"no file in {' '.join(names)}; of a folder these are taken: {' '.join(sorted(found))}")


def _detector_of(kind: str, asked: str) -> str:
    """Return the detector for files of a kind; one for others is passed over, which is said."""
    from emocli import registry

    if asked in ("auto", "none") or registry.describe("detectors", asked).modality == kind:
        return asked
    note(f"--detector {asked} finds no {kind}: takes the model's own there")
    return "auto"


def _seeing(
    model: Path, counts: Counter[str], finder: str, engine: str, threads: int, seen: "Views"
) -> "either.Records":
    """Return what gives the records of pictures."""
    from emocli.serving import prediction

    predict = prediction.predictor(model, detector=finder, engine=engine, threads=threads, seen=seen, note=note)
    return lambda paths: prediction.predictions(predict, paths, counts)


def _hearing(
    model: Path, counts: Counter[str], finder: str, engine: str, threads: int, seen: "Views"
) -> "either.Records":
    """Return what gives the records of sounds."""
    from emocli.serving import listening

    finder = listening.finder_of_files(finder)
    listen = listening.listener(model, detector=finder, engine=engine, threads=threads, seen=seen, note=note)
    return lambda paths: listening.predictions(listen, paths, counts, note)


def _print(records: Iterable[dict[str, Any]], as_json: bool | None) -> None:
    if for_people(as_json):
        kept = list(records)
        alike = Counter(Path(record["path"]).name for record in kept)
        show((row for record in kept for row in _rows(record, alike)), as_json=False)
    else:
        show(records, as_json=True)


def _rows(record: dict[str, Any], alike: Counter[str]) -> list[dict[str, Any]]:
    """Return a table row per face, or one for a sound; files with names `alike` by their paths."""
    path, keys = Path(record["path"]), ("label", "probability", "box")
    name = path.name if alike[path.name] == 1 else str(path)
    if "error" in record:
        return [{"file": name, "label": record["error"]}]
    found = record.get("faces", [record])
    rows = [{"file": name, **{key: one[key] for key in keys if key in one}} for one in found]
    return rows or [{"file": name, "label": "no face"}]

"""Classify the faces in pictures: files, folders, globs, or - for a list of paths on stdin."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from emocli.commands import _flags
from emocli.commands._show import for_people, note, show
from emocli.errors import EmoError


def run(
    names: Annotated[list[str], typer.Argument(metavar="PICTURES...", help="Pictures, folders, globs, or -.")],
    model: _flags.Model = None,
    detector: Annotated[str, typer.Option(help="What finds the faces; none when a picture is one face.")] = "auto",
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirror image, at twice the cost.")] = False,
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 0,
    as_json: _flags.Json = None,
) -> None:
    """Print one record per picture."""
    source = _flags.model_of(model)
    from emocli import pictures, prediction

    predict = prediction.predictor(source.path, detector=detector, engine=engine, threads=threads, flip=flip, note=note)
    counts: Counter[str] = Counter()
    paths = pictures.expand(names, stdin=sys.stdin.buffer)
    records = prediction.predictions(predict, paths, counts)
    if for_people(as_json):
        show((row for record in records for row in _rows(record)), as_json=False)
    else:
        show(records, as_json=True)
    if counts["unreadable"] and not counts["pictures"]:
        raise EmoError("none of the pictures could be read; the lines above say why")


def _rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a table row per face."""
    name = Path(record["path"]).name
    if "error" in record:
        return [{"picture": name, "label": record["error"]}]
    keys = ("label", "probability", "box")
    return [{"picture": name, **{key: face[key] for key in keys}} for face in record["faces"]] or [
        {"picture": name, "label": "no face"}
    ]

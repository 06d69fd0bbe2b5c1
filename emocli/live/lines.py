"""Answers as lines: JSON for programs, text for people."""

import json
from collections.abc import Callable
from typing import Any, TextIO

_BAR = 20


def json_lines(stream: TextIO) -> Callable[[dict[str, Any]], None]:
    """Return what writes a JSON object per row, each flushed; BrokenPipeError when the reader went away."""

    def write(row: dict[str, Any]) -> None:
        print(json.dumps(row, ensure_ascii=False), file=stream, flush=True)

    return write


def face_lines(stream: TextIO) -> Callable[[dict[str, Any]], None]:
    """Return what writes a line per frame: when, and what of each of its faces and how sure."""

    def write(row: dict[str, Any]) -> None:
        when = f"{row['frame']:8d}  " if row["seconds"] is None else f"{row['seconds']:8.1f} s"
        said = ", ".join(f"{face['label']} {face['probability']:.0%}" for face in row["faces"])
        print(f"{when}  {said or '–'}", file=stream, flush=True)

    return write


def text_lines(stream: TextIO) -> Callable[[dict[str, Any]], None]:
    """Return what writes a line per window of a voice: when, what and how sure, with a bar."""

    def write(row: dict[str, Any]) -> None:
        what = "–"
        if row["label"] is not None:
            bar = "█" * round(row["probability"] * _BAR)
            what = f"{row['label']:<10} {row['probability']:4.0%} {bar}"
        print(f"{row['start']:8.1f} – {row['end']:.1f} s  {what}", file=stream, flush=True)

    return write

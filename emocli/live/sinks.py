"""Where results go: a line each; several sinks at once; faces followed and smoothed on the way."""

from collections.abc import Callable
from dataclasses import replace
from typing import TextIO

from emocli.live import lines
from emocli.live.frames import Result
from emocli.live.tracks import Tracks

Sink = Callable[[Result], object]


def line_each(stream: TextIO, *, people: bool = False) -> Sink:
    """Return a sink that writes a line per frame: a JSON object, or for people when and what."""
    line = (lines.face_lines if people else lines.json_lines)(stream)

    def write(result: Result) -> None:
        seconds = None if result.frame.seconds is None else round(result.frame.seconds, 3)
        line({"frame": result.frame.index, "seconds": seconds, "faces": list(result.faces)})

    return write


def all_of(*sinks: Sink) -> Sink:
    """Return a sink that passes each result to all of `sinks`, in order."""

    def write(result: Result) -> None:
        for sink in sinks:
            sink(result)

    return write


def smoothed(sink: Sink, seconds: float) -> Sink:
    """Return a sink that follows faces and smooths their probabilities with this time constant before `sink` sees them.

    Pictures have no time, so theirs pass as they are.
    """
    tracks = Tracks(seconds)

    def write(result: Result) -> None:
        if result.frame.seconds is None:
            sink(result)
        else:
            sink(replace(result, faces=tracks.update(result.frame.seconds, result.faces)))

    return write

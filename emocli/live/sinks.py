"""Where results go: JSON lines; several sinks at once; faces followed and smoothed on the way."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TextIO

from emocli.live.frames import Result
from emocli.live.tracks import Tracks

Sink = Callable[[Result], object]


def json_lines(stream: TextIO) -> Sink:
    """Return a sink that writes a JSON object per frame, each flushed; BrokenPipeError when the reader went away."""

    def write(result: Result) -> None:
        seconds = result.frame.seconds
        record = {
            "frame": result.frame.index,
            "seconds": None if seconds is None else round(seconds, 3),
            "faces": list(result.faces),
        }
        stream.write(json.dumps(record) + "\n")
        stream.flush()

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

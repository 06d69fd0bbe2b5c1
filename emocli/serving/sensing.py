"""A recording of physiological signals in, the state of its wearer in each window out: the path of `emo predict`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.extracting import by_person
from emocli.physio import e4
from emocli.physio.e4 import Recording
from emocli.scores.metrics import softmax
from emocli.serving import opening
from emocli.serving.verdicts import verdict

SUFFIXES = frozenset({".csv"})
"""Of the files that a recording consists of."""
_USUAL = {"seconds": 60.0, "hop": 30.0}
"""Windows of a model whose header does not say which it has learned from."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A model with its own extractor, asked about windows that are cut as the corpus was that it has learned from."""

    answers: Callable[[Recording], tuple[list[float], NDArray[Any]]]
    """A recording to the starts of its n windows, in seconds, and (n, classes) logits; EmoError where it has none."""
    seconds: float
    """How long a window is."""
    labels: tuple[str, ...]

    def __call__(self, recording: Recording) -> Iterator[dict[str, Any]]:
        """Yield {"start", "end", "label", …} for each window, in seconds since the recording's start."""
        starts, logits = self.answers(recording)
        for start, chances in zip(starts, softmax(logits.astype(np.float64)), strict=True):
            yield {"start": round(start, 3), "end": round(start + self.seconds, 3), **verdict(chances, self.labels)}


def sensor(model: Path, *, engine: str, threads: int) -> Sensor:
    """Open a model for signals; raises EmoError for a model of anything else."""
    header, features, logits = opening.opened(model, "physio", engine=engine, threads=threads)
    pieces = _pieces(header)

    def answers(recording: Recording) -> tuple[list[float], NDArray[Any]]:
        starts, found = [], []
        for start, window in e4.windows(recording, **pieces):
            starts.append(start)
            found.append(features([window]))
        if not found:
            raise EmoError(f"is shorter than one window of the model, {pieces['seconds']:g} seconds")
        x = np.concatenate(found)
        # whoever wears the band is one person throughout
        x = by_person.standardised(x, [""] * len(x)) if by_person.asked_by(header) else x
        return starts, np.concatenate([logits(row[None]) for row in x])

    return Sensor(answers, pieces["seconds"], header.labels)


def recordings(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the folder of each recording that some files are of, once; what is no such file comes back as it is."""
    known: set[Path] = set()
    for path in paths:
        folder = path.parent if e4.is_recording(path.parent) else path
        if folder not in known:
            known.add(folder)
            yield folder


def predictions(sense: Sensor, folders: Iterable[Path], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield {"path", "start", "end", "label", …} for each window, {"path", "error"} for a recording without any.

    `counts` is kept up to date: recordings, windows, unreadable. One recording is held at a time.
    """
    for folder in folders:
        try:
            for row in sense(e4.read(folder)):
                counts["windows"] += 1
                yield {"path": str(folder), **row}
        except EmoError as fault:
            counts["unreadable"] += 1
            yield {"path": str(folder), "error": str(fault)}
            continue
        counts["recordings"] += 1


def _pieces(header: Header) -> dict[str, float]:
    """Return the length of a window and the step to the next, in seconds, as the model's corpus was cut."""
    params = (header.step("dataset") or {}).get("params", {})
    return {
        name: float(value) if isinstance(value := params.get(name), int | float) else usual
        for name, usual in _USUAL.items()
    }

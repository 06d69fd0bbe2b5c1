"""A recording of physiological signals in, the state of its wearer in each window out: the path of `emo predict`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import onnx_file, registry
from emocli.artifact import Header, expect
from emocli.data import padding
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.physio import e4
from emocli.physio.e4 import Recording
from emocli.physio.signals import RATE_HZ, Signals
from emocli.scores.metrics import softmax
from emocli.serving.verdicts import verdict

SUFFIXES = frozenset({".csv"})
"""Of the files that a recording consists of."""
_USUAL = {"seconds": 60.0, "hop": 30.0}
"""Windows of a model whose header does not say which it has learned from."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A model with its own extractor, and the windows that it is asked about."""

    windows: Callable[[Recording], Iterator[tuple[float, Signals]]]
    """Cuts a recording as the corpus was that the model has learned from: seconds since its start, and the signals."""
    answer: Callable[[Signals], NDArray[Any]]
    """A window to logits (classes,)."""
    labels: tuple[str, ...]

    def __call__(self, recording: Recording) -> Iterator[dict[str, Any]]:
        """Yield {"start", "end", "label", …} for each window, in seconds since the recording's start."""
        for start, signals in self.windows(recording):
            end = start + len(signals.values) / RATE_HZ
            chances = softmax(self.answer(signals)[None].astype(np.float64))[0]
            yield {"start": round(start, 3), "end": round(end, 3), **verdict(chances, self.labels)}


def sensor(model: Path, *, engine: str, threads: int) -> Sensor:
    """Open a model for signals; features come from its header. Raises EmoError for a model of faces or of voices."""
    header = expect(onnx_file.read_header(model), ("model",), str(model))
    if (kind := extraction.modality(header)) != "physio":
        raise EmoError(f"{model} is a model of {kind}, not of signals; make one with: emo features SIGNALS | emo train")
    extract = extraction.from_header(header)
    running = registry.load("engines", engine)(model, **registry.resolve("engines", engine, {"threads": threads}))
    pieces = _pieces(header)

    def windows(recording: Recording) -> Iterator[tuple[float, Signals]]:
        return e4.windows(recording, **pieces)

    def answer(signals: Signals) -> NDArray[Any]:
        logits: NDArray[Any] = running.run(padding.batch(extract([signals])))["logits"][0]
        return logits

    return Sensor(windows, answer, header.labels)


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
        before = counts["windows"]
        try:
            for row in sense(e4.read(folder)):
                counts["windows"] += 1
                yield {"path": str(folder), **row}
            if counts["windows"] == before:
                raise EmoError("is shorter than one window of the model")
        except EmoError as fault:
            counts["unreadable"] += 1
            yield {"path": str(folder), "error": str(fault)}
            continue
        counts["recordings"] += 1


def _pieces(header: Header) -> dict[str, float]:
    """Return the length of a window and the step to the next, in seconds, as the model's corpus was cut."""
    params = (header.step("dataset") or {}).get("params", {})
    found = {name: params.get(name, usual) for name, usual in _USUAL.items()}
    return {name: float(value) if isinstance(value, int | float) else _USUAL[name] for name, value in found.items()}

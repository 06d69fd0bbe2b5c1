"""A sound file in, the emotion in the voice out: what `emo predict` does with a model of speech."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emocli import onnx_file, registry
from emocli.data import padding
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.metrics import softmax
from emocli.serving.verdicts import verdict
from emocli.sound import sound_files, sounds
from emocli.sound.sounds import Sound

Listener = Callable[[Sound], dict[str, Any] | None]
"""(samples,) float32 at 16 kHz to label and probabilities; None where nobody speaks."""


def listener(model: Path, *, engine: str, threads: int, note: Callable[[str], None]) -> Listener:
    """Open a model for sounds; features and detector are those of its header. Raises EmoError for a model of faces."""
    header = onnx_file.read_header(model)
    process = extraction.restart(header, note, "speech")
    running = registry.load("engines", engine)(model, **registry.resolve("engines", engine, {"threads": threads}))

    def listen(sound: Sound) -> dict[str, Any] | None:
        features, found = process([sound])
        if not found.all():
            return None
        chances = softmax(running.run(padding.batch(features))["logits"].astype(np.float64))
        return verdict(chances[0], header.labels)

    return listen


def predictions(listen: Listener, paths: Iterable[Path], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield {"path", "seconds", "label", …} for each file, {"path", "error"} for one that gives nothing.

    `counts` is kept up to date: sounds, unreadable. Memory does not grow with the number of files.
    """
    for path in paths:
        try:
            sound = sounds.from_int16(sound_files.read(path).samples)
        except EmoError as fault:
            counts["unreadable"] += 1
            yield {"path": str(path), "error": str(fault)}
            continue
        counts["sounds"] += 1
        heard = listen(sound) or {"error": "nobody speaks in it, as far as the model's detector can tell"}
        yield {"path": str(path), "seconds": round(len(sound) / sounds.RATE_HZ, 2), **heard}

"""How much of a clip's own length a model of speech takes, features included: its real-time factor, on one thread.

    python examples/bench/real_time.py MODEL [FOLDER …]

MODEL is a file or the name of a model that ships; the clips are 40 of the wav files below FOLDER, or made ones of 3 s.
Decoded already, each goes alone through detector, features and model, as in `emo predict`. Prints one JSON object: what
all clips take, each by its median over rounds, as a share of their length, and the least and largest round; of the
processor.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from emocli import pipes, registry
from emocli.data import padding
from emocli.extracting import extraction
from emocli.sound import sound_files, sounds
from emocli.sound.sounds import RATE_HZ, Sound

CLIPS, ROUNDS, GOAL = 40, 5, 0.01


def measure(model: str, clips: list[Sound]) -> dict[str, Any]:
    """Return the real-time factor on clips (samples,) float32 at 16 kHz, in all and of its parts."""
    source = pipes.read(model, "model")
    process = extraction.restart(source.header, modality="speech")
    engine = registry.load("engines", "onnxruntime")(source.path, threads=1)
    taken = np.array([[_once(process, engine, clip) for clip in clips] for _ in range(ROUNDS + 1)])[1:]
    seconds = sum(map(len, clips)) / RATE_HZ
    rounds = taken.sum(axis=(1, 2)) / seconds
    before, after = np.median(taken, axis=0).sum(axis=0) / seconds
    return {
        "model": source.digest,
        "real_time_factor": before + after,
        "least": rounds.min(),
        "largest": rounds.max(),
        "features": before,
        "net": after,
        "clips": len(clips),
        "seconds": seconds / len(clips),
        "threads": 1,
        "goal": GOAL,
    }


def _once(process: extraction.Process, engine: Any, clip: Sound) -> tuple[float, float]:
    """Return the seconds of detector and features, and those of the net; a clip in which nobody speaks has none."""
    start = time.process_time()
    features, found = process([clip])
    middle = time.process_time()
    if found.all():
        engine.run(padding.batch(features))
    return middle - start, time.process_time() - middle


def main(words: list[str]) -> None:
    """Print the figure."""
    model, *folders = words
    sources = sorted(path for folder in folders for path in Path(folder).rglob("*.wav"))
    if sources:
        paths = [sources[number * len(sources) // CLIPS] for number in range(CLIPS)]
    else:
        from speech import write_clips

        paths = write_clips([], Path(tempfile.mkdtemp()))[:CLIPS]
    row = measure(model, [sounds.from_int16(sound_files.read(path).samples) for path in paths])
    print(json.dumps({key: float(f"{value:.3g}") if isinstance(value, float) else value for key, value in row.items()}))


if __name__ == "__main__":
    from usage import words

    main(words(__doc__))

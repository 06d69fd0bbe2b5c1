"""A speech corpus to a dataset artifact, whole processes beside the tutorials' loop over librosa.load, in turn.

    python examples/bench/sound_import.py ravdess path/to/RAVDESS

CPU seconds are told beside wall seconds, as they do not depend on what else runs.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
# what tutorials do: load every file, keep the samples
LOOP = """
import pathlib, sys
import librosa
import numpy as np
names = sorted(pathlib.Path(sys.argv[1]).rglob("*.wav"))
sounds = [librosa.load(name, sr=16000)[0] for name in names]
np.save(sys.argv[2], np.concatenate(sounds))
np.save(sys.argv[2] + ".ends.npy", np.cumsum([len(sound) for sound in sounds]))
"""


def taken(command: list[str]) -> tuple[float, float, float]:
    """Run a command with one thread per library; returns its wall seconds, its CPU seconds and its peak MB."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    begin = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment)
    _, status, used = os.wait4(process, 0)
    if status:
        sys.exit(f"this failed: {' '.join(command)}")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(name: str, source: str) -> None:
    """Print the medians, one JSON line each."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out"
        commands = {
            "loop": [sys.executable, "-c", LOOP, source, out],
            "emo": [sys.executable, "-m", "emocli", "dataset", name, source, "-o", f"{out}.h5", "--force"],
        }
        rounds = [{what: taken(command) for what, command in commands.items()} for _ in range(ROUNDS)]
        megabytes = Path(f"{out}.h5").stat().st_size >> 20
    for what in commands:
        wall, processor, peak = (statistics.median(each[what][place] for each in rounds) for place in range(3))
        row = {"what": what, "wall_s": round(wall, 2), "cpu_s": round(processor, 2), "peak_mb": round(peak)}
        print(json.dumps(row | {"artifact_mb": megabytes}), flush=True)


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))

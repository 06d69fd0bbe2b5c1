"""FER2013's csv to a dataset artifact, whole processes beside the loop of the tutorials, in turn.

    python examples/bench/csv_import.py fer2013.csv [ROWS]

Only the first ROWS rows are read, 28,709 (the Training part) unless given; 0 for all.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

TRAINING_ROWS, ROUNDS = 28_709, 3
# what tutorials do: split every row and convert its numbers; without their pandas, and without csv, which is slower
LOOP = """
import sys
import numpy as np
faces, labels = [], []
with open(sys.argv[1]) as file:
    next(file)
    for line in file:
        label, pixels, usage = line.split(",")
        faces.append(np.asarray(pixels.split(" "), dtype="uint8").reshape(48, 48))
        labels.append(int(label))
np.save(sys.argv[2], np.asarray(faces))
np.save(sys.argv[2] + ".labels.npy", np.asarray(labels))
"""


def seconds(command: list[str]) -> float:
    """Run a command with one thread per library; returns its wall time from start to exit."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - begin


def main(source: str, rows: int | str = TRAINING_ROWS) -> None:
    """Print the medians and how many times faster than the loop each is, one JSON line each."""
    rows = int(rows)
    with tempfile.TemporaryDirectory() as folder:
        part, out = Path(folder, "part.csv"), Path(folder, "out")
        with open(source, "rb") as whole, open(part, "wb") as file:
            file.writelines(islice(whole, rows + 1 if rows else None))
        emo = [sys.executable, "-m", "emocli", "dataset", "fer2013", str(part), "-o", f"{out}.h5", "--force"]
        commands = {"loop": [sys.executable, "-c", LOOP, str(part), str(out)]}
        commands |= {f"emo jobs={jobs}": [*emo, "-p", f"jobs={jobs}"] for jobs in (1, 2)}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        row = {"what": name, "seconds": round(median, 2), "times_faster": round(medians["loop"] / median, 1)}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))

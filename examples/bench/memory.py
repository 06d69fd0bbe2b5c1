"""Peak memory of dataset and features as the number of rows grows tenfold, which stays flat, and of training on them.

Training is cut short, after steps and a validation: what it holds by then is all that it holds.

python examples/bench/memory.py
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS = (3_000, 30_000)
LIMIT_MB = 100
TRAIN = ["--epochs", "1", "--time-limit", "0.5", "--threads", "1"]
TRAIN_LIMIT_MB = 2500


def peak_mb(arguments: list[str]) -> float:
    """Return the peak resident memory of `emo` with these arguments."""
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-m", "emocli", *arguments])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"emo {' '.join(arguments)} failed")
    return usage.ru_maxrss / 1024


def write_csv(path: Path, rows: int) -> None:
    """Write a csv of FER2013's layout, each picture another."""
    random = np.random.default_rng(0)
    with open(path, "w") as file:
        file.write("emotion,pixels,Usage\n")
        for row in range(rows):
            pixels = " ".join(map(str, random.integers(0, 256, 48 * 48).tolist()))
            file.write(f"{row % 7},{pixels},{'PublicTest' if row % 9 == 0 else 'Training'}\n")


def main() -> None:
    """Print the peaks, and what ten times the rows add to those of dataset and features."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMO_HOME"] = folder
        peaks: dict[str, list[float]] = {"dataset": [], "features": []}
        for rows in ROWS:
            csv, dataset, features = (str(Path(folder, f"{rows}{suffix}")) for suffix in (".csv", ".h5", ".f.h5"))
            write_csv(Path(csv), rows)
            peaks["dataset"].append(peak_mb(["dataset", "fer2013", csv, "-o", dataset]))
            peaks["features"].append(peak_mb(["features", dataset, "-o", features]))
            Path(csv).unlink()
        trained = peak_mb(["train", features, *TRAIN, "-o", str(Path(folder, "model.onnx"))])
    for command, (few, many) in peaks.items():
        grown = many - few
        print(
            f"emo {command}: {few:.0f} MB at {ROWS[0]:,} rows, {many:.0f} at {ROWS[1]:,}: +{grown:.0f} of {LIMIT_MB} MB"
        )
    print(f"emo train {' '.join(TRAIN)}: {trained:.0f} MB at {ROWS[1]:,} rows, of {TRAIN_LIMIT_MB:,}")


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))

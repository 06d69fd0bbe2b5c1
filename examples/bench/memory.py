"""Peak memory of dataset and features as the number of rows grows tenfold: it stays flat.

python examples/bench/memory.py
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = (3_000, 30_000)
LIMIT_MB = 100


def peak_mb(arguments: list[str]) -> float:
    """Return the peak resident memory of `emo` with these arguments."""
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-m", "emocli", *arguments])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"emo {' '.join(arguments)} failed")
    return usage.ru_maxrss / 1024


def write_csv(path: Path, rows: int) -> None:
    """Write a csv of FER2013's layout."""
    pixels = " ".join(str(value % 256) for value in range(48 * 48))
    with open(path, "w") as file:
        file.write("emotion,pixels,Usage\n")
        file.writelines(f"{row % 7},{pixels},{'PublicTest' if row % 9 == 0 else 'Training'}\n" for row in range(rows))


def main() -> None:
    """Print the peaks and what ten times the rows add."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMO_HOME"] = folder
        peaks: dict[str, list[float]] = {"dataset": [], "features": []}
        for rows in ROWS:
            csv, dataset, features = (str(Path(folder, f"{rows}{suffix}")) for suffix in (".csv", ".h5", ".f.h5"))
            write_csv(Path(csv), rows)
            peaks["dataset"].append(peak_mb(["dataset", "fer2013", csv, "-o", dataset]))
            peaks["features"].append(peak_mb(["features", dataset, "-o", features]))
            subprocess.run(["rm", csv], check=True)
    for command, (few, many) in peaks.items():
        grown = many - few
        print(
            f"emo {command}: {few:.0f} MB at {ROWS[0]:,} rows, {many:.0f} at {ROWS[1]:,}: +{grown:.0f} of {LIMIT_MB} MB"
        )


if __name__ == "__main__":
    main()

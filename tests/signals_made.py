"""Small recordings of a wristband, written as an E4's export lays them out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

START = 1_644_227_574
RATES_HZ = {"BVP.csv": 64, "EDA.csv": 4, "TEMP.csv": 4, "ACC.csv": 32}


def sensor(path: Path, lines: Sequence[object], rate_hz: float, *, start: float = START, end: str = "\n") -> Path:
    """Write the file of a sensor, the head in as many columns as the lines have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = str(lines[0]).count(",") + 1
    head = [", ".join([f"{number:.6f}"] * columns) for number in (start, rate_hz)]
    path.write_text("".join(f"{line}{end}" for line in (*head, *lines)), newline="")
    return path


def write(folder: Path, seconds: float = 4, *, start: float = START, files: Sequence[str] = tuple(RATES_HZ)) -> Path:
    """Write a recording in which every sensor tells the seconds since its start; the wrist is heavy by 1 g along z."""
    for name in files:
        times = np.arange(round(seconds * RATES_HZ[name]) + 1) / RATES_HZ[name]
        lines = [f"{time:g},-2,64" if name == "ACC.csv" else f"{time:.6f}" for time in times]
        sensor(folder / name, lines, RATES_HZ[name], start=start)
    return folder

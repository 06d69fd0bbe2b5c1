"""Writes the rows of what `make ablation-scored` trained and scored, seed by seed.

    python ablation_scored.py ablation-scored.txt FOLDER -o ablation-scored

A line of the list has the row's name, the row that it is compared with (- for none), whose models are scored, and what
differs. FOLDER has for each seed NAME-SEED.json, what `emo eval --json` printed, and of the models MODEL-SEED.onnx and
MODEL-SEED.seconds. Accuracies are the mean over seeds, differences are paired by seed, with Student's 95 % interval.
"""

import sys
from pathlib import Path
from typing import Any

import ablation
import record


def read(folder: Path, name: str, models: str, flags: str) -> dict[str, Any]:
    """Return a row without its difference; raises SystemExit where its scores are of other models than are there."""
    scores = sorted(folder.glob(f"{name}-*.json"))
    runs = [folder / f"{models}-{score.stem.rpartition('-')[2]}" for score in scores]
    return record.row(name, runs, scores) | {"flags": flags}


def main(words: list[str]) -> None:
    """Write a JSON file per row of the list."""
    has = "names, what they are compared with, whose models, what differs"
    given = ablation.asked(words, __doc__, has, "what was trained and scored")
    lines = [line.split(None, 3) for line in given.list.read_text().splitlines() if line and line[0] != "#"]
    rows = {name: read(given.folder, name, models, "".join(flags)) for name, _, models, *flags in lines}
    for name, other, *_ in lines:
        rows[name]["difference"] = (
            None if other == "-" else ablation.difference(rows[name], rows[other], scored="split")
        )
    ablation.write([*rows.values()], given.output)
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main(sys.argv[1:])

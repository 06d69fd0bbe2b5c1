"""Writes the rows of the ablation table from what `make ablation` trained.

    python examples/results/ablation.py examples/results/ablation.txt FOLDER -o examples/results/ablation

FOLDER has NAME.onnx, NAME.jsonl (what `--seeds --scores` wrote) and NAME.seconds for each row of the list; rows that
are not there yet are left out. The first row is the baseline: the others say by how much their validation accuracy
differs from its, the mean over the same seeds with Student's 95 % interval of the paired differences.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from emocli import cores, onnx_file, replaying
from emocli.scores import mean_interval


def listed(path: Path) -> list[tuple[str, str]]:
    """Return (name, flags) of each row of the list, in order."""
    lines = [line.split("#")[0].split(None, 1) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(words[0], " ".join(words[1:]).strip()) for words in lines if words]


def trained(folder: Path, name: str) -> dict[str, Any] | None:
    """Return the figures of a row without its difference; None for one that is not there yet."""
    files = model, scores, seconds = [folder / f"{name}.{ending}" for ending in ("onnx", "jsonl", "seconds")]
    if not all(file.exists() for file in files):
        return None
    header = onnx_file.read_header(model)
    *runs, _ = map(json.loads, scores.read_text().splitlines())
    accuracies = [run["accuracy"] for run in runs]
    mean = mean_interval.over_runs(accuracies, bounds=(0.0, 1.0))
    return {
        "name": name,
        "command": replaying.pipeline(header),
        "data": (header.step("dataset") or {})["name"],
        "features": header.features_digest,
        "split": "validation",
        "n": runs[0]["n"],
        "accuracy": {key: mean[key] for key in ("value", "low", "high")} | {"runs": accuracies},
        "seeds": [run["seed"] for run in runs],
        "parameters": onnx_file.describe(model)["parameters"],
        "minutes": round(sum(map(int, seconds.read_text().split())) / 60 / len(runs), 2),
        "cores": cores.taken(header.training.get("threads", 0)),
    }


def difference(row: dict[str, Any], other: dict[str, Any], *, scored: str = "features") -> dict[str, Any]:
    """Return the mean of a row's accuracies less another's, seed by seed; raises SystemExit if they don't pair.

    `scored` is the key of what both have to be scored on.
    """
    if any(row[key] != other[key] for key in ("seeds", scored, "n")):
        raise SystemExit(f"{row['name']} has other seeds or data than {other['name']}; make them again")
    pairs = zip(row["accuracy"]["runs"], other["accuracy"]["runs"], strict=True)
    return mean_interval.over_runs([mine - theirs for mine, theirs in pairs])


def write(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write a JSON file per row, in place of those that the folder had."""
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()
    for row in rows:
        text = json.dumps(row, ensure_ascii=False, indent=1)
        (folder / f"{row['name']}.json").write_text(f"{text}\n", encoding="utf-8")


def asked(words: list[str], text: str | None, listed: str, found: str) -> argparse.Namespace:
    """Return `list`, `folder` and `output` of a command line; `text` is its script's, the rest what both hold."""
    parser = argparse.ArgumentParser(description=(text or "").split("\n", 1)[0])
    parser.add_argument("list", type=Path, help=listed)
    parser.add_argument("folder", type=Path, help=found)
    parser.add_argument("-o", dest="output", type=Path, required=True, help="folder to write")
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    """Write a JSON file per row that is there, in place of those that the folder had."""
    given = asked(words, __doc__, "names and flags", "what was trained")
    names = listed(given.list)
    rows = {name: row for name, _ in names if (row := trained(given.folder, name))}
    first = names[0][0]
    if first not in rows:
        raise SystemExit(f"{given.folder} has no {first} yet, which all others are compared with; run make ablation")
    deltas = {name: None if name == first else difference(row, rows[first]) for name, row in rows.items()}
    write(
        [{**rows[name], "flags": flags, "difference": deltas[name]} for name, flags in names if name in rows],
        given.output,
    )
    print(f"{len(rows)} of {len(names)} rows")


if __name__ == "__main__":
    main(sys.argv[1:])

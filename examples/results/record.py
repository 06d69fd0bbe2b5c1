"""Writes one row of the README's results: a trained model as it was scored, or the mean over several seeds of it.

    python examples/results/record.py NAME RUN... -o examples/results/NAME.json

A RUN is a path without its ending: RUN.onnx is the model, RUN.json what `emo eval --json` printed for it, RUN.seconds
how long it took. One run has the bootstrap interval of its accuracy; several have their mean and Student's 95 %
interval over runs. The row holds the command line that makes the first one, and the seeds of all.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from emocli import cores, onnx_file, replaying, store
from emocli.scores import mean_interval

MEASURES = ("accuracy", "macro_f1", "uar", "ece")


def row(name: str, runs: list[Path], scored: list[Path] | None = None) -> dict[str, Any]:
    """Return the row of one run, or of several with different seeds; raises SystemExit where they don't go together.

    `scored` are the files of their scores where these are not beside them.
    """
    models = [_beside(run, "onnx") for run in runs]
    scores = [json.loads(file.read_text()) for file in scored or [_beside(run, "json") for run in runs]]
    headers = [onnx_file.read_header(model) for model in models]
    seeds = [header.training["seed"] for header in headers]
    for model, score in zip(models, scores, strict=True):
        if score["model"] != store.file_digest(model):
            raise SystemExit(f"{model} is not the model that was scored; run emo eval again")
    if len(set(seeds)) < len(runs) or len({(score["split"], score["data"]) for score in scores}) > 1:
        raise SystemExit(
            f"the runs of {name} must have different seeds and be scored on the same part of the same data"
        )
    return {
        "name": name,
        "command": replaying.pipeline(headers[0]),
        "data": next(step["name"] for step in headers[0].steps if step["command"] == "dataset"),
        "split": scores[0]["split"],
        "n": scores[0]["accuracy"]["n"],
        "views": scores[0].get("views", 1) * (1 + scores[0].get("flip", False)),
        **{measure: over([score[measure] for score in scores]) for measure in MEASURES},
        "seeds": seeds,
        "precision": headers[0].precision,
        "parameters": onnx_file.describe(models[0])["parameters"],
        "bytes": models[0].stat().st_size,
        "minutes": round(float(np.mean([int(_beside(run, "seconds").read_text()) for run in runs])) / 60, 1),
        "cores": cores.taken(headers[0].training.get("threads", 0)),
    }


def over(figures: list[dict[str, float]]) -> dict[str, Any]:
    """Return the mean of a figure with its 95 % interval: over runs where there are several, else the run's own."""
    if len(figures) == 1:
        return {key: figures[0][key] for key in ("value", "low", "high")}
    values = [figure["value"] for figure in figures]
    mean = mean_interval.over_runs(values, bounds=(0.0, 1.0))
    return {**{key: mean[key] for key in ("value", "low", "high")}, "runs": values}


def _beside(run: Path, ending: str) -> Path:
    return run.with_name(f"{run.name}.{ending}")


def main(words: list[str]) -> None:
    """Write the row that the command line describes and print what is most asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name", help="what the table calls it")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="path without .onnx, .json, .seconds")
    parser.add_argument("-o", dest="output", type=Path, required=True, help="file to write")
    given = parser.parse_args(words)
    found = row(given.name, given.runs)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    share, low, high = (100 * found["accuracy"][key] for key in ("value", "low", "high"))
    accuracy = f"accuracy {share:.1f} % [{low:.1f}, {high:.1f}]"
    print(f"{given.name}: {found['minutes']:g} minutes, {accuracy}, n = {found['n']:,}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Writes the card of a shipped model and its INT8 form, and the figures that `emo list weights` shows.

    python examples/weights/card.py NAME --fp32 MODEL.onnx --int8 MODEL.onnx --scores FP32.json INT8.json \
        --bench BENCH.jsonl --seconds TRAINING.seconds --folder emocli/weights [--folds FOLDS.json --real-time RTF.json]

Scores are what `emo eval --split test --json` printed for each, bench what `emo bench --json` did for the INT8 form,
seconds those of the training on this machine. A model of speech has a row of `folds.py` too, for its recipe on all
folds, and what `real_time.py` printed for its INT8 form. Nothing in a card is typed: NAME.json has the figures, NAME.md
is made from it.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emocli import cores, onnx_file, replaying, shipped, store
from emocli.artifact import Header

Figures = dict[str, Any]
MEASURES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "uar": "UAR", "ece": "ECE"}
"""The figures of `emo eval` that a card has, and what they are called there."""
FOLDS = ("folds", "n", "accuracy", "uar", "interval", "mean", "mean_interval")
"""What a card keeps of the row of all folds."""
WEAK = 3
"""How many classes are named as the weakest."""


def figures(model: Path, score: Figures, timing: Figures) -> Figures:
    """Return what is known of one model file; raises SystemExit when score or timing are those of another."""
    digest = store.file_digest(model)
    if score["model"] != digest or not digest.startswith(f"sha256:{timing['model']}"):
        raise SystemExit(f"{model} is not the model that was scored and timed; run emo eval and emo bench again")
    header, facts = onnx_file.read_header(model), onnx_file.describe(model)
    known = {"precision": header.precision, "sha256": digest, "parameters": facts["parameters"]}
    known |= {"bytes": model.stat().st_size, "split": score["split"], **{name: score[name] for name in MEASURES}}
    keys = ("p50_ms", "images_per_second", "threads", "batch", "provider", "speedup")
    return {
        **known,
        "per_class": score["per_class"],
        "confusion": score["confusion"],
        "speed": {key: timing[key] for key in keys if key in timing},
    }


def gather(
    name: str, files: Mapping[str, Path], scores: list[Figures], timings: list[Figures], seconds: int
) -> Figures:
    """Return the figures of a card; `files` are FP32 and INT8 by their names, in the order of scores and timings."""
    last = list(files.values())[-1]
    int8, inputs = onnx_file.read_header(last), onnx_file.describe(last)["inputs"]
    models = {
        model: figures(file, score, timing)
        for (model, file), score, timing in zip(files.items(), scores, timings, strict=True)
    }
    return {
        "name": name,
        "labels": list(int8.labels),
        "modality": next(iter(inputs)),
        "input": next(iter(inputs.values()))["shape"][1:],
        "data": sorted(_corpora(int8)),
        "license": int8.license,
        "recipe": replaying.pipeline(int8),
        "minutes": round(seconds / 60, 1),
        "cores": cores.taken(int8.training.get("threads", 0)),
        "models": models,
    }


def _corpora(header: Header) -> set[str]:
    """Return which corpora a model learned from, through its beginnings and all of its teachers too."""
    found: set[str] = set()
    for step in reversed(header.steps):
        options = step.get("options", {})
        named = {options.get("init", "none"), *options.get("teacher", ())} - {"none"}
        found |= {step["name"]} if step["command"] == "dataset" else set()
        found |= {corpus for digest in named for corpus in _behind(digest)}
        if (known := _of_card(step.get("input", ""))) is not None:
            return found | known
    return found


def _behind(digest: str) -> set[str]:
    """Return which corpora are behind a model of that hash."""
    known = _of_card(digest)
    return _corpora(onnx_file.read_header(store.find(digest))) if known is None else known


def _of_card(digest: str) -> set[str] | None:
    """Return which corpora are behind what ships, as its card says; None for any other file."""
    file = shipped.find(digest)
    card = shipped.figures().get(file.stem) if file else None
    return set(card["data"]) if card else None


def text(card: Figures) -> str:
    """Return the card as Markdown."""
    names, models = list(card["models"]), list(card["models"].values())
    return "\n".join([
        f"# {card['name']}\n",
        f"A model of {len(card['labels'])} emotions ({', '.join(card['labels'])}) in {_what(card)},",
        f"trained from scratch: `{names[0]}` is FP32, `{names[1]}` its INT8 form.\n",
        "It names what raters would call an expression, not what a person feels: do not decide about people by it.\n",
        "## Data and their terms\n",
        f"Trained on {', '.join(card['data'])}. Terms: {card['license']}.\n",
        "## Recipe\n",
        f"```console\n{card['recipe']}\n```\n",
        f"{card['minutes']:g} minutes of training on {card['cores']} core{'s' * (card['cores'] > 1)},",
        "teacher included where there is one.\n",
        "## Figures\n",
        f"On the {models[0]['split']} part, which had no share in training or in the choice of the epoch,",
        f"n = {models[0]['accuracy']['n']:,}; in brackets the 95 % bootstrap interval.\n",
        *_table(["", *[f"`{name}`" for name in names]], _rows(models)),
        *_folds(card),
        "\n## Recall by class\n",
        "In brackets Wilson's 95 % interval.\n",
        *_table(["class", "n", *[f"`{name}`" for name in names]], _recalls(models)),
        f"\nWeakest of `{names[1]}`: {_weakest(card['labels'], models[1])}.\n",
    ])  # fmt: skip


def _what(card: Figures) -> str:
    """Return what it is about: faces, unless the card says else."""
    if card.get("modality", "face") == "face":
        return f"faces of {'×'.join(map(str, card['input'][1:]))} pixels"
    return {"speech": "voices, a clip at a time", "text": "texts in English, each by itself"}[card["modality"]]


def _folds(card: Figures) -> list[str]:
    """Return what is to be said of the other folds and of the speed on sound, for a model of speech."""
    folds, real_time = card.get("folds"), card.get("real_time")
    lines = []
    if folds:
        lines += [
            "\nThe test part is one fold of speakers. The same recipe in FP32 on all",
            f"{len(folds['folds'])} folds, each scored on speakers its model never heard, n = {folds['n']:,}:",
            f"UAR {_interval(folds['uar'])} of all clips ({folds['interval']}),",
            f"{_interval(folds['mean']['uar'])} as the mean of the folds ({folds['mean_interval']}).",
            "Speakers differ by more than the interval of one fold says.",
        ]
    if real_time:
        spread = f"{real_time['least']:.4f} to {real_time['largest']:.4f}"
        lines += [
            f"\nReal-time factor of INT8 with its features, {real_time['threads']} thread:",
            f"{real_time['real_time_factor']:.4f} ({spread}), of which the features {real_time['features']:.4f};",
            f"{real_time['clips']} clips of {real_time['seconds']:.1f} s.",
        ]
    return lines


def _rows(models: list[Figures]) -> list[list[str]]:
    speeds = [model["speed"] for model in models]
    how = f"batch {speeds[0]['batch']}, {speeds[0]['threads']} thread{'s' if speeds[0]['threads'] > 1 else ''}"
    gain = speeds[1].get("speedup")
    return [
        *[[title, *[_interval(model[key]) for model in models]] for key, title in MEASURES.items()],
        ["parameters", *[f"{model['parameters']:,}" for model in models]],
        ["bytes", *[f"{model['bytes']:,}" for model in models]],
        [f"ms, {how}", *[f"{speed['p50_ms']:.3f}" for speed in speeds]],
        ["speed", "1 ×", f"{gain:g} ×" if gain else ""],
    ]


def _recalls(models: list[Figures]) -> list[list[str]]:
    return [
        [label, f"{row['n']:,}", *[_recall(model["per_class"][label]) for model in models]]
        for label, row in models[0]["per_class"].items()
    ]


def _recall(row: Figures) -> str:
    return _interval(row["recall"]) if row["n"] else ""


def _weakest(labels: list[str], model: Figures) -> str:
    """Return the classes of lowest recall, each with what it is mostly taken for."""
    found = [label for label in labels if model["per_class"][label]["n"]]
    words = []
    for label in sorted(found, key=lambda label: float(model["per_class"][label]["recall"]["value"]))[:WEAK]:
        row = model["confusion"][labels.index(label)]
        others = [count if labels[place] != label else -1 for place, count in enumerate(row)]
        taken = (
            f", taken for {labels[others.index(max(others))]} in {100 * max(others) / sum(row):.0f} %"
            if max(others)
            else ""
        )
        share = 100 * model["per_class"][label]["recall"]["value"]
        words.append(f"{label} ({share:.1f} % found{taken})")
    return "; ".join(words)


def _interval(value: Figures) -> str:
    share, low, high = (100 * value[key] for key in ("value", "low", "high"))
    return f"{share:.1f} % [{low:.1f}, {high:.1f}]"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]


def write(card: Figures, folder: Path) -> None:
    """Write NAME.json and NAME.md into a folder."""
    (folder / f"{card['name']}.json").write_text(
        json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (folder / f"{card['name']}.md").write_text(text(card), encoding="utf-8")


def _any_fold(recipe: str) -> str:
    """Return a recipe without what differs from fold to fold: its number, and who its teachers are."""
    teachers = r"sha256:\w+(?= is one more teacher)|(?<=--teacher )sha256:\w+"
    return re.sub(r"fold=\d+", "fold=N", re.sub(teachers, "sha256:N", recipe))


def _of_speech(card: Figures, folds: Path | None, real_time: Path | None) -> Figures:
    """Return what only models of speech have; raises SystemExit where it is of another model."""
    found = {}
    if folds:
        row = json.loads(folds.read_text())
        if row["data"] not in card["data"] or _any_fold(row["command"]) not in _any_fold(card["recipe"]):
            raise SystemExit(f"{folds} has folds of another recipe; run folds.py again")
        found["folds"] = {key: row[key] for key in FOLDS}
    if real_time:
        row = json.loads(real_time.read_text())
        if row["model"] not in [model["sha256"] for model in card["models"].values()]:
            raise SystemExit(f"{real_time} is of another model; run real_time.py again")
        found["real_time"] = row
    return found


def main(words: list[str]) -> None:
    """Write the card that the command line describes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name", help="what the FP32 model ships as")
    for flag, about in {
        "fp32": "model",
        "int8": "model",
        "bench": "rows of emo bench",
        "seconds": "of the training",
    }.items():
        parser.add_argument(f"--{flag}", type=Path, required=True, help=about)
    parser.add_argument("--scores", type=Path, nargs=2, required=True, help="of emo eval, FP32 and INT8")
    parser.add_argument("--folds", type=Path, help="speech: row of all folds of the recipe")
    parser.add_argument("--real-time", type=Path, help="speech: what real_time.py printed")
    parser.add_argument("--folder", type=Path, required=True, help="where the card goes")
    given = parser.parse_args(words)
    timings = [json.loads(line) for line in given.bench.read_text().splitlines()]
    if len(timings) != 2:
        raise SystemExit(
            f"{given.bench} has {len(timings)} rows, not FP32 and INT8; run emo bench where emo quantize ran"
        )
    files = {given.name: given.fp32, f"{given.name}-int8": given.int8}
    scores = [json.loads(file.read_text()) for file in given.scores]
    card = gather(given.name, files, scores, timings, int(given.seconds.read_text()))
    write(card | _of_speech(card, given.folds, given.real_time), given.folder)


if __name__ == "__main__":
    main(sys.argv[1:])

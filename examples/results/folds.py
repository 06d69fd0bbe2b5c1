"""Trains and scores every fold of people of a corpus and writes one row of the README's results.

    python examples/results/folds.py NAME CORPUS SOURCE FOLDER -o examples/results/speech/NAME.json \
        --dataset '-p classes=4' --features '-x utterance' --train '--arch svm'

Ordinary emo commands, fold by fold: dataset with -p fold=, features, train (with --teachers N that many, whom distill
makes one student of), and at the end `emo eval --folds` on speakers whom neither training nor the choice of the epoch
has heard. A fold of whose speakers none is in this copy is left out and named. FOLDER keeps what was made: with the
same flags a run that was killed goes on, and the row is written only where it is another one. With --jobs 2 two
commands run at a time; each has the threads that its flags say, and makes the same model as alone.
"""

import argparse
import importlib
import itertools
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from emocli import cores, onnx_file, registry, replaying
from emocli.errors import EmoError

FIGURES = ("accuracy", "macro_f1", "uar")


def there(corpus: str, source: Path, flags: list[str]) -> list[int]:
    """Return the published folds whose speakers are in this copy; raises SystemExit where there are not two."""
    given = registry.parse([word for flag, word in itertools.pairwise(flags) if flag == "-p"])
    count = len(getattr(importlib.import_module(f"emocli.datasets.{corpus.replace('-', '_')}"), "FOLDS", ()))
    found, fault = [], f"{corpus} has no published folds"
    for fold in range(1, count + 1):
        try:
            registry.load("datasets", corpus)(
                [source], **registry.resolve("datasets", corpus, {**given, "fold": str(fold)})
            )
            found.append(fold)
        except EmoError as lacking:
            fault = str(lacking)
            print(f"fold {fold} left out: {fault}", file=sys.stderr)
    if len(found) < 2:
        raise SystemExit(fault)
    return found


def trained(folds: Sequence[int], given: argparse.Namespace) -> list[Path]:
    """Return the models of the folds; those that aren't there are trained, after their features and teachers."""
    models = [given.folder / f"{fold}.onnx" for fold in folds]
    missing = [fold for fold, model in zip(folds, models, strict=True) if not model.exists()]
    taught = list(itertools.product(missing, range(given.teachers)))
    _each(lambda fold: _extracted(fold, given), missing, given.jobs)
    _each(lambda one: _made(_teacher(*one, given), [*_train(one[0], given), "--seed", one[1]]), taught, given.jobs)
    _each(lambda fold: _student(fold, given), missing, given.jobs)
    return models


def _each(work: Callable[[Any], None], items: Sequence[Any], jobs: int) -> None:
    """Do the work for each item, so many at a time; after a failure nothing more is begun."""
    failed = Event()

    def done(item: Any) -> None:
        if failed.is_set():
            return
        try:
            work(item)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(done, items))


def _teacher(fold: int, seed: int, given: argparse.Namespace) -> Path:
    return Path(given.folder / f"{fold}-teacher-{seed}.onnx")


def _train(fold: int, given: argparse.Namespace) -> list[object]:
    return ["emo", "train", given.folder / f"{fold}.h5", *shlex.split(given.train)]


def _student(fold: int, given: argparse.Namespace) -> None:
    """Make the model of a fold: of its teachers, or of labels alone where there are none."""
    teachers = [_teacher(fold, seed, given) for seed in range(given.teachers)]
    named = [word for teacher in teachers for word in ("--teacher", teacher)]
    distill = ["emo", "distill", *named, given.folder / f"{fold}.h5", *shlex.split(given.distill)]
    _made(given.folder / f"{fold}.onnx", distill if teachers else _train(fold, given), teachers)


def _extracted(fold: int, given: argparse.Namespace) -> None:
    """Make the features of a fold unless they are there."""
    features = given.folder / f"{fold}.h5"
    if features.exists():
        return
    dataset = ["emo", "dataset", given.corpus, str(given.source), "-p", f"fold={fold}", *shlex.split(given.dataset)]
    extract = ["emo", "features", *shlex.split(given.features), "-o", str(features)]
    with subprocess.Popen(dataset, stdout=subprocess.PIPE) as reading:
        subprocess.run(extract, stdin=reading.stdout, check=True)
    if reading.returncode:
        raise subprocess.CalledProcessError(reading.returncode, dataset)


def _made(model: Path, words: Sequence[object], teachers: Sequence[Path] = ()) -> None:
    """Run the command that makes a model unless it is there; the seconds it and its teachers took are beside it."""
    if not model.exists():
        start = time.perf_counter()
        _run(*words, "-o", model)
        taken = time.perf_counter() - start + sum(map(_seconds, teachers))
        model.with_suffix(".seconds").write_text(f"{taken:.1f}\n")


def _seconds(model: Path) -> float:
    return float(model.with_suffix(".seconds").read_text())


def _run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True)


def scored(models: list[Path], views: int, enrol: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what `emo eval --folds` says of each and of all."""
    words = ["emo", "eval", *map(str, models), "--folds", "--views", str(views), "--threads", "1", "--json"]
    words += [word for entry in enrol for word in ("--enrol", entry)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    *each, whole = map(json.loads, done.stdout.splitlines())
    return each, whole


def row(given: argparse.Namespace, folds: list[int], models: list[Path]) -> dict[str, Any]:
    """Return the row of the results; its figures are of all clips, each in `mean` is the mean of the folds."""
    each, whole = scored(models, given.views, given.enrol)
    header, facts = onnx_file.read_header(models[0]), onnx_file.describe(models[0])
    seconds = [_seconds(model) for model in models]
    return {
        "name": given.name,
        "command": replaying.pipeline(header),
        "data": given.corpus,
        "split": "test",
        "n": whole["accuracy"]["n"],
        "views": given.views,
        **({"enrolment": whole["enrolment"]} if given.enrol else {}),
        **{name: {key: whole[name][key] for key in ("value", "low", "high")} for name in FIGURES},
        "interval": whole["interval"],
        "mean": whole["mean"],
        "mean_interval": whole["mean_interval"],
        "folds": folds,
        "per_fold": [{name: one[name] for name in FIGURES} for one in each],
        "per_class": whole["per_class"],
        "confusion": whole["confusion"],
        "seeds": [header.training["seed"]],
        "precision": header.precision,
        "parameters": facts["parameters"],
        "bytes": models[0].stat().st_size,
        "minutes": float(f"{max(sum(seconds) / len(seconds) / 60, 0.001):.2g}"),
        "cores": cores.taken(header.training.get("threads", 0)),
    }


def _begin(given: argparse.Namespace) -> None:
    """Make the folder, or see that it holds the same recipe."""
    recipe = json.dumps([given.corpus, given.dataset, given.features, given.train, given.teachers, given.distill])
    given.folder.mkdir(parents=True, exist_ok=True)
    note = given.folder / "recipe.json"
    if note.exists() and note.read_text() != recipe:
        raise SystemExit(f"{given.folder} holds folds of other flags; remove it, or name another folder")
    note.write_text(recipe)


def main(words: list[str]) -> None:
    """Train and score the folds that the command line describes, write their row and print what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name", help="what the table calls it")
    parser.add_argument("corpus", help="a dataset that has -p fold=")
    for name, about in {"source": "the corpus's folder", "folder": "where models go"}.items():
        parser.add_argument(name, type=Path, help=about)
    for command in ("dataset", "features", "train", "distill"):
        parser.add_argument(f"--{command}", default="", help=f"flags of emo {command}")
    parser.add_argument("--teachers", type=int, default=0, help="seeds to train teachers with; with --distill")
    parser.add_argument("--jobs", type=int, default=1, help="commands at a time")
    parser.add_argument("--views", type=int, default=1, help="of a voice that answer together, as for emo eval")
    parser.add_argument("--enrol", action="append", default=[], help="what is heard of each first, as for emo eval")
    parser.add_argument("--folds", type=int, nargs="+", help="only these, not all that are there")
    parser.add_argument("-o", dest="output", type=Path, required=True, help="file to write")
    given = parser.parse_args(words)
    if given.jobs < 1:
        parser.error("--jobs is at least 1")
    _begin(given)
    folds = given.folds or there(given.corpus, given.source, shlex.split(given.dataset))
    try:
        found = row(given, folds, trained(folds, given))
    except subprocess.CalledProcessError as failed:
        raise SystemExit(failed.returncode) from failed
    given.output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    # make looks at its date
    if not given.output.exists() or given.output.read_text(encoding="utf-8") != text:
        given.output.write_text(text, encoding="utf-8")
    of_all, mean = (f"{part['uar']['value']:.3f} [{part['uar']['low']:.3f}, {part['uar']['high']:.3f}]" for part in (
        found, found["mean"]))  # fmt: skip
    print(f"{given.name}: UAR {of_all} of all {found['n']} rows; mean of {len(folds)} folds {mean}")


if __name__ == "__main__":
    main(sys.argv[1:])

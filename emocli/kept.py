"""Finds a dataset by what the user calls it: a path, a kept name, a sound file, or the name of a generated corpus."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from emocli import artifact, pipes, registry, store
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.telling import tell

GENERATED = "synthetic"
PARTS: dict[str, Any] = {"split": "published", "validation": 0.1, "test": 0.1, "seed": 0}
"""How a corpus is split unless the user says otherwise."""


def dataset(argument: str | None, *kinds: str) -> pipes.Input:
    """Return the dataset that `argument` names; raises EmoError that says how to get it when there is none.

    A file or the stream may hold other `kinds` where they are given.
    """
    path = Path(str(argument))
    if argument not in (None, "-") and path.is_file() and _is_sound(path):
        return _imported("clips", [path])
    name = str(argument)
    is_kept = name in store.datasets()
    # a corpus's own folder often has its name
    if argument in (None, "-") or (path.exists() and not (is_kept and path.is_dir())):
        return pipes.read(argument, *(kinds or ("dataset",)))
    if is_kept:
        return pipes.read(str(store.dataset(name)), "dataset")
    if name == GENERATED:
        return _imported(name, [])
    if name in registry.names("datasets"):
        raise EmoError(f"{name} is not in the store yet; import your copy: emo dataset {name} PATH --save")
    known = [*store.datasets(), *registry.names("datasets")]
    raise EmoError(
        f"{name} is neither a file nor a kept dataset{registry.nearest(name, known)}; see: emo list datasets"
    )


def data(model: Header, argument: str | None) -> pipes.Input:
    """Return what a model is scored on: a file or the stream, a kept dataset's name, else what its header states."""
    path = Path(str(argument))
    if argument in (None, "-") or (path.exists() and not path.is_dir()) or "/" in str(argument):
        return pipes.features_of(model, argument, "dataset", "features")
    return dataset(argument)


def _is_sound(path: Path) -> bool:
    from emocli.sound import containers, marks

    with open(path, "rb") as file:
        start = file.read(marks.BYTES)
    return marks.is_sound(start) or (start != artifact.HDF5_MAGIC and containers.kind(path) != "")


def _imported(name: str, sources: list[Path]) -> pipes.Input:
    """Return the dataset of a corpus that needs no import of its own, made now."""
    from emocli.data import importing

    path = store.spool()
    options = registry.resolve("datasets", name, {})
    step = {"command": "dataset", "name": name, "params": registry.recorded(options), "options": PARTS}
    importing.write(registry.load("datasets", name)(sources, **options), path, step, PARTS, tell)
    # told by what was named, not by where it lies
    return replace(pipes.read(str(path), "dataset"), source=str(next(iter(sources), name)))

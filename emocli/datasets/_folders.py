"""Folders with a folder per class, below a level of train, validation and test or without one."""

import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emocli import labels
from emocli.datasets import _files
from emocli.errors import EmoError

PARTS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_SHOWN = 5
"""Names in a remark, of what may be a hundred speakers."""


def part(folder: str) -> str:
    """Return the part that a folder's name stands for, as in train or val_set; empty for any other name."""
    return PARTS.get(re.sub(r"[ _-]?set$", "", folder.lower()), "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a class folder: `label` is the folder's name in its usual spelling, empty for one without a label.

    `split` may be empty. A recording is a folder, and an entry too.
    """

    path: Path
    id: str
    label: str
    split: str


def entries(
    root: Path, suffixes: Collection[str], notes: Counter[str], kind: str = "image", *, unlabelled: str = ""
) -> list[Entry]:
    """Return the files below `root`, sorted by path; a single folder around everything is passed through.

    `kind` is what they are called in remarks, `unlabelled` names a folder whose files are of no class, for training.
    Files outside a class folder and those of another kind are counted in `notes`, and so are folders that are one
    class. Raises EmoError when there are fewer than two classes, or no such folder.
    """
    return among(root, _files.walk(root, suffixes, notes, count_others=True), notes, kind, unlabelled=unlabelled)


def among(
    root: Path, named: Iterable[tuple[str, Path]], notes: Counter[str], kind: str, *, unlabelled: str = ""
) -> list[Entry]:
    """Return what was found below `root`, (path relative to it, path) of files or folders, as `entries` does."""
    files = [(name.split("/"), path) for name, path in named]
    level = _class_level([parts for parts, _ in files])
    found, spelled = [], dict[str, set[str]]()
    for parts, path in files:
        if len(parts) < level + 2:
            notes[f"{kind} outside a class folder skipped"] += 1
            continue
        split = part(parts[level - 1]) if level else ""
        label = labels.canonical(parts[level])
        if unlabelled and label == labels.canonical(unlabelled):
            label = ""
        else:
            spelled.setdefault(label, set()).add(labels.plain(parts[level]))
        found.append(Entry(path, "/".join(parts), label, split))
    if len(spelled) < 2:
        seen = f"one class only, {next(iter(spelled))!r}" if spelled else f"no {kind}s in class folders"
        raise EmoError(f"{root} has {seen}{_files.linked(root)}; expected a folder of {kind}s per class, two at least")
    if unlabelled and all(entry.label for entry in found):
        raise EmoError(f"{root} has no folder {unlabelled} of {kind}s beside {', '.join(sorted(spelled))}; name one")
    for label, names in spelled.items():
        if len(names) > 1:
            notes[f"folders {', '.join(sorted(names))} are one class, {label}"] = 1
    if below := _emotions_below(spelled, [parts[level + 1] for parts, _ in files if len(parts) > level + 2]):
        notes[f"{below}; if these are the classes, put them at the top, or below train, validation and test"] = 1
    return found


def _emotions_below(classes: Collection[str], folders: Iterable[str]) -> str:
    """Return what to remark where no class is called after an emotion, but folders in them are; else nothing.

    A folder per speaker, or parts of other names than usual, would pass for classes.
    """
    inner = sorted({labels.canonical(folder) for folder in set(folders) if labels.usual(folder)})
    if not inner or any(map(labels.usual, classes)):
        return ""
    outer = ", ".join(sorted(classes)[:_SHOWN]) + (", …" if len(classes) > _SHOWN else "")
    return f"classes are {outer}, and in them are folders {', '.join(inner)}"


def places(entries: Sequence[Entry]) -> tuple[tuple[str, ...], list[int]]:
    """Return the labels in their order, and the place of each entry's among them, -1 for none."""
    order = known_order({entry.label for entry in entries} - {""})
    return order, [order.index(entry.label) if entry.label else -1 for entry in entries]


def subjects(entries: Sequence[Entry], pattern: str, notes: Counter[str]) -> list[str]:
    """Return the subject of each entry: what the one group of a regular expression finds in its path.

    Empty where it finds none, which is counted in `notes`, or where the pattern is empty.
    """
    if not pattern:
        return [""] * len(entries)
    expression = _pattern(pattern)
    found = [expression.search(entry.id) for entry in entries]
    if lacking := sum(match is None for match in found):
        notes["path without a subject"] = lacking
    return [(match[1] or "") if match else "" for match in found]


def _pattern(text: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings(action="error"):  # of what means something else here, as in [[:alpha:]]
            pattern = re.compile(text)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise EmoError(f"subject {text!r} is not a regular expression: {error}") from error
    if pattern.groups != 1:
        raise EmoError(f"subject {text!r} has {pattern.groups} groups, expected one in parentheses: the subject")
    return pattern


def _class_level(files: Sequence[list[str]]) -> int:
    """Return how many folders lie above the class folders: those around everything, and the level of parts.

    Raises EmoError for another folder beside a part's folder of class folders: one of them would pass for a class.
    """
    level = 0
    while True:
        tops = {parts[level] for parts in files if len(parts) > level + 1}
        deep = [parts for parts in files if len(parts) > level + 2]
        others = {top for top in tops if not part(top)}
        if tops and not others:
            return level + 1
        if others and any(part(parts[level]) for parts in deep):
            odd, known = ", ".join(sorted(others)), ", ".join(sorted(tops - others))
            raise EmoError(f"folder {odd} lies beside {known} and is no part; move it away, or give one of the parts")
        if len(tops) != 1 or not deep:
            return level
        level += 1


def known_order(names: set[str]) -> tuple[str, ...]:
    """Return the labels in FER2013's or FER+'s order where they are just these, else sorted."""
    return next((order for order in (labels.SEVEN, labels.EIGHT) if set(order) == names), tuple(sorted(names)))

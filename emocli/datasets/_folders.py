"""Folders of images with a folder per class, below a level of train, validation and test or without one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emocli import labels
from emocli.datasets import _images
from emocli.errors import EmoError

PARTS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An image in a class folder: `label` is the folder's name in its usual spelling, `split` may be empty."""

    path: Path
    id: str
    label: str
    split: str


def entries(root: Path, notes: Counter[str]) -> list[Entry]:
    """Return the images below `root`, sorted by path; a single folder around everything is passed through.

    Images outside a class folder are counted in `notes`. Raises EmoError when there are fewer than two classes.
    """
    images = [(name.split("/"), path) for name, path in _images.walk(root, notes)]
    level = _class_level([parts for parts, _ in images])
    found = []
    for parts, path in images:
        if len(parts) < level + 2:
            notes["image outside a class folder skipped"] += 1
            continue
        split = PARTS.get(parts[level - 1].lower(), "") if level else ""
        found.append(Entry(path, "/".join(parts), labels.canonical(parts[level]), split))
    classes = sorted({entry.label for entry in found})
    if len(classes) < 2:
        seen = f"one class only, {classes[0]!r}" if classes else "no images in class folders"
        raise EmoError(f"{root} has {seen}; expected a folder of images per class, two at least")
    return found


def _class_level(images: Sequence[list[str]]) -> int:
    """Return how many folders lie above the class folders: those around everything, and the level of parts."""
    level = 0
    while True:
        tops = {parts[level] for parts in images if len(parts) > level + 1}
        deep = [parts for parts in images if len(parts) > level + 2]
        if tops and all(top.lower() in PARTS for top in tops):
            return level + 1
        if len(tops) != 1 or not deep:
            return level
        level += 1


def known_order(names: set[str]) -> tuple[str, ...]:
    """Return the labels in FER2013's or FER+'s order where they are just these, else sorted."""
    return next((order for order in (labels.SEVEN, labels.EIGHT) if set(order) == names), tuple(sorted(names)))

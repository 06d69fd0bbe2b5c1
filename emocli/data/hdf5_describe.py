"""What a data artifact holds, in numbers: shapes, how many samples of each class, by whom, how long."""

from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from emocli.data import hdf5, hdf5_check
from emocli.data.hdf5 import Data
from emocli.data.samples import SPLITS
from emocli.physio import signals
from emocli.sound import sounds

_FEW = 20
"""A column with at most so many different values is counted by value."""


def describe(path: Path, source: str = "") -> dict[str, Any]:
    """Return the shapes and types of everything in the file, and how many samples each class has in each part.

    Raises EmoError for what is no whole data artifact.
    """
    with hdf5.opened(path, source or str(path)) as (file, header, _):
        hdf5.check(file, source or str(path))
        shapes: dict[str, Any] = {}
        file.visititems(lambda name, item: _note_shape(shapes, name, item))
        data = Data(file, header, "")
        hdf5_check.labels(data.y, len(data.labels), data.meaning, source or str(path))
        record = {"n": len(data), "arrays": shapes, "meaning": data.meaning, "counts": _counts(data)}
        if data.modality == "speech" and not data.shape:
            record["seconds"] = round(len(data.x) / sounds.RATE_HZ, 3)
        if data.channels:
            record |= {"channels": list(data.channels), "seconds": round(len(data.x) / signals.RATE_HZ, 3)}
        if any(data.group):
            record["groups"] = len(set(data.group) - {""})
        if shared := _shared_groups(data):
            record["shared_groups"] = shared
        if copies := int((data.original != np.arange(len(data))).sum()):
            record["copies"] = copies
        about = {name: Counter(texts) for name, texts in data.about.items()}
        few = {name: dict(sorted(counts.items())) for name, counts in about.items() if len(counts) <= _FEW}
        return record | ({"about": few} if few else {})


def _shared_groups(data: Data) -> int:
    """Return how many subjects or speakers are in more than one part: scores are not of people a model never met."""
    seen = {(name, part) for name, part in zip(data.group, data.split.tolist(), strict=True) if name and part}
    return sum(parts > 1 for parts in Counter(name for name, _ in seen).values())


def _counts(data: Data) -> dict[str, dict[str, int]]:
    if data.meaning == "valence-arousal":
        return {}
    parts = [(part, data.targets()[data.split == part]) for part in (*SPLITS, "")]
    bins = {part: np.bincount(y[y >= 0], minlength=len(data.labels)) for part, y in parts if len(y)}
    return {part or "unassigned": dict(zip(data.labels, map(int, n), strict=True)) for part, n in bins.items()}


def _note_shape(shapes: dict[str, Any], name: str, item: h5py.Dataset | h5py.Group) -> None:
    if isinstance(item, h5py.Dataset):
        shapes[name] = {"shape": list(item.shape), "dtype": str(item.dtype)}

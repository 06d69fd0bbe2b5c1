"""The arrays of a data artifact: which there are, of which kinds, and how they fit together."""

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.physio.signals import CHANNELS

MODALITIES: dict[str, np.dtype[Any]] = {
    "face": np.dtype(np.uint8),
    "speech": np.dtype(np.int16),
    "physio": np.dtype(np.float32),
    "text": np.dtype(np.uint8),
}
"""The groups that may hold the samples, and what these are made of before anything is extracted."""
LANDMARKS = ((2, 2), (5, 2), (68, 2))
"""The points of a face in pixels: its eyes, these with nose and corners of the mouth, or all of iBUG's."""
MEANINGS = {"label": ("iu", 1), "votes": ("f", 2), "probabilities": ("f", 2), "valence-arousal": ("f", 2)}
"""What y may hold: the kind and the rank of its array."""


def check(file: h5py.File, source: str) -> None:
    """Raise EmoError unless the file has the arrays of a data artifact, all of them for the same rows."""
    try:
        for fault in _faults(file):
            raise EmoError(f"{source} {fault}; make it again")
    except (KeyError, StopIteration, AttributeError, TypeError, ValueError, OSError, RuntimeError) as fault:
        raise EmoError(f"{source} lacks the arrays of a data artifact; make it again") from fault


def modality(file: h5py.File) -> str:
    """Return the name of the group that holds the samples; raises StopIteration where there is none."""
    return next(name for name in MODALITIES if isinstance(file.get(name), h5py.Group))


def _faults(file: h5py.File) -> Iterator[str]:
    """Yield what is wrong; what comes later relies on what came before."""
    if len([name for name in MODALITIES if name in file]) > 1:
        yield "has samples of more than one kind, of which emo reads one"
    name, y = modality(file), file["y"]
    group = file[name]
    x, end, points = (group.get(array) for array in ("x", "end", "landmarks"))
    texts = [file[column] for column in ("group", "id") if column in file] + list(file.get("about", {}).values())
    columns = {"u": [file["split"]], "S": texts, "i": [file["original"]] if "original" in file else []}
    plain = all(_is_of(column, kind) for kind, each in columns.items() for column in each)
    meaning = MEANINGS.get(y.attrs.get("meaning", "label"))
    if not plain or meaning is None or not _is_of(y, *meaning) or not _are_samples(x, end, MODALITIES[name]):
        yield "has arrays of another kind than emo writes"
    if not _are_channels(group.get("channels"), x, end, name):
        yield "has channels of another kind than emo writes"
    if points is not None and not (points.dtype == np.float32 and points.ndim == 3 and points.shape[1:] in LANDMARKS):
        yield "has landmarks of another kind than emo writes"
    rows = len(x if end is None else end)
    lengths = {len(column) for each in columns.values() for column in each} | {rows if points is None else len(points)}
    if lengths | {rows} != {len(y)}:
        yield f"has {rows} samples but {len(y)} labels"
    if columns["i"] and not _are_originals(file["original"][:]):
        yield "has copies of rows that it does not have"
    if end is not None and not _ends_fit(end[:], len(x)):
        yield "has samples that end before they begin or after the data"


def _is_of(array: h5py.Dataset, kind: str, rank: int = 1) -> bool:
    return array.dtype.kind in kind and array.ndim == rank


def _are_samples(x: h5py.Dataset, end: h5py.Dataset | None, raw: np.dtype[Any]) -> bool:
    """Whether x holds pictures or vectors, or behind each other frames, sounds or the bytes of encoded pictures."""
    if 0 in x.shape[1:]:
        return False
    if x.dtype == np.float32:
        return x.ndim == 2 and (end is None or _is_of(end, "iu"))
    if end is None:
        return x.dtype == np.uint8 and x.ndim == 4 and x.shape[1] in (1, 3)
    return x.dtype == raw and x.ndim == 1 and _is_of(end, "iu")


def _are_channels(channels: h5py.Dataset | None, x: h5py.Dataset, end: h5py.Dataset | None, modality: str) -> bool:
    """Whether there is a name for each column of signals, and none of anything else."""
    if channels is None:
        return True
    names = [each.decode("utf-8", "replace") for each in channels[:].tolist()] if _is_of(channels, "S") else []
    known = [name for name in CHANNELS if name in names]
    return modality == "physio" and end is not None and names == known and x.shape[1:] == (len(names),)


def _ends_fit(ends: NDArray[np.int64], length: int) -> bool:
    return not len(ends) or bool(ends[0] >= 0 and (ends[1:] >= ends[:-1]).all() and ends[-1] == length)


def _are_originals(rows: NDArray[np.int64]) -> bool:
    """Tell whether each row is its own or copies one that is."""
    return not len(rows) or bool(0 <= rows.min() <= rows.max() < len(rows) and (rows[rows] == rows).all())

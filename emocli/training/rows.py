"""The rows of a part, ready for the loop: features as stored, sequences padded, targets as class probabilities."""

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emocli.data import padding
from emocli.data.hdf5 import Data
from emocli.data.hdf5_ragged import Ragged
from emocli.errors import EmoError
from emocli.telling import Note

_IN_MEMORY = 4 << 30
"""Parts up to this many bytes are held in memory; FER2013 at 48 pixels is 66 MB."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A part of the data. `x` is (n, channels, height, width) uint8 or (n, d) float32, `y` (n, classes) float32."""

    x: NDArray[Any] | h5py.Dataset | Ragged
    """Of sequences (frames, d) float32 each."""
    at: NDArray[np.int64]
    """Which rows of x; its own order."""
    y: Tensor
    labels: NDArray[np.int64]
    """Class indices, for accuracy."""
    names: tuple[str, ...]
    """What the classes are called."""
    lengths: NDArray[np.int64] | None
    """Frames of each row of its own order, for sequences."""
    groups: tuple[str, ...]
    """Subject or speaker of each row of its own order; empty where the data name none."""
    own: NDArray[np.bool_]
    """Which rows, of its own order, are no augmented copies."""

    def __len__(self) -> int:
        return len(self.at)

    @property
    def side(self) -> int:
        """The longer side of images; 0 for vectors and sequences, which have none."""
        return 0 if isinstance(self.x, Ragged) else max(self.x.shape[2:], default=0)

    def take(self, places: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return x and y of the given places, in that order; sequences are padded with NaN to the longest."""
        rows = self.at[places]
        if isinstance(self.x, Ragged):
            x = padding.pad(self.x.take(rows))
        elif isinstance(self.x, h5py.Dataset):
            unique, back = np.unique(rows, return_inverse=True)  # HDF5 wants rows ascending, each once
            x = self.x[unique][back]
        else:
            x = self.x[rows]
        return torch.from_numpy(x), self.y[torch.from_numpy(places)]


def unit(x: Tensor) -> Tensor:
    """Return pixels as 0 to 1, as the exported net scales them, and anything else as it is."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def part(
    data: Data,
    split: str,
    note: Note,
    leave_out: NDArray[np.int64] | None = None,
    *,
    unlabelled: bool = False,
) -> Rows:
    """Return the labelled rows of a part, or all; raises EmoError when there are none or a label is out of range.

    Without a label y is all zeros and the class -1.
    """
    at = data.rows(split, leave_out)
    targets = _probabilities(data, at)
    known = targets.sum(1) > 0
    dropped = 0 if unlabelled else int((~known).sum())
    if dropped:
        note(f"{dropped} rows of the {split} part have no label and are left out")
        at, targets = at[known], targets[known]
    if not len(at):
        raise EmoError(_why_empty(split, dropped, left_out=len(data.rows(split))))
    if not unlabelled:
        _report_absent(data, split, targets, note)
    labels = np.where(targets.any(1), targets.argmax(1), -1).astype(np.int64)
    lengths = data.lengths[at] if data.shape[:1] == (-1,) else None
    groups, own = tuple(data.group[row] for row in at.tolist()), data.original[at] == at
    x, at = _held(data, at) if lengths is None else _sequences(data, at, lengths)
    return Rows(x, at, torch.from_numpy(targets), labels, tuple(data.labels), lengths, groups, own)


def _why_empty(split: str, dropped: int, *, left_out: int) -> str:
    if dropped:
        alone = "learn from a teacher alone: --alpha 1" if split == "train" else "draw another part"
        return f"no row of the {split} part has a label; label some, or {alone}"
    if left_out:
        return (
            f"--drop-leaks leaves nothing of the {split} part: each of its {left_out} rows, or who is on it, is in "
            "another part too; divide the data by subject: emo dataset … --split subject"
        )
    return f"the data have no {split} part; make one with: emo dataset … --split subject (or random)"


def _probabilities(data: Data, at: NDArray[np.int64]) -> NDArray[np.float32]:
    """One-hot labels, or votes divided by their sum; a row without label or votes is all zeros."""
    classes = len(data.labels)
    y = data.y[at]
    if y.ndim == 1:
        if len(y) and (y.max() >= classes or y.min() < -1):
            raise EmoError(
                f"labels reach from {y.min()} to {y.max()} but there are {classes} classes; import the data again"
            )
        one_hot = np.eye(classes + 1, classes, dtype=np.float32)  # row -1 is the last, all zeros
        rows: NDArray[np.float32] = one_hot[y]
        return rows
    data.targets()  # refuses valence and arousal, which are no classes
    if y.shape[1] != classes:
        raise EmoError(f"targets have {y.shape[1]} columns but there are {classes} classes; import the data again")
    y = np.clip(y, 0, None)
    total = y.sum(1, keepdims=True)
    shares: NDArray[np.float32] = np.divide(y, total, out=np.zeros_like(y), where=total > 0)
    return shares


def _held(data: Data, at: NDArray[np.int64]) -> tuple[NDArray[Any] | h5py.Dataset, NDArray[np.int64]]:
    size = len(at) * int(np.prod(data.x.shape[1:])) * data.x.dtype.itemsize
    if size > _IN_MEMORY:
        return data.x, at
    first, last = int(at[0]), int(at[-1]) + 1
    if last - first > 2 * len(at):  # rows strewn over a much larger file
        return data.x[at], np.arange(len(at))
    block = data.x[first:last]  # one slice reads many times faster than a list of rows
    return block, at - first


def _sequences(data: Data, at: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[Ragged, NDArray[np.int64]]:
    if int(lengths.sum()) * data.x.shape[1] * data.x.dtype.itemsize > _IN_MEMORY:
        return data.ragged, at
    return Ragged(np.concatenate(data.sequences(at)), np.cumsum(lengths)), np.arange(len(at))


def _report_absent(data: Data, split: str, targets: NDArray[np.float32], note: Note) -> None:
    absent = [label for label, total in zip(data.labels, targets.sum(0), strict=True) if total == 0]
    if absent:
        consequence = "; the model can't learn it" if split == "train" else ""
        note(f"no {', '.join(absent)} in the {split} part{consequence}")

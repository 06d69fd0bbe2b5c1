"""The leak audit: pictures and subjects that parts share."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.data.hdf5 import Data
from emocli.data.samples import SPLITS
from emocli.errors import GATE, EmoError

_SIDE = 12
"""Pixels a side of the thumbnails that near duplicates are looked for with."""
_ALIKE, _SAME = 0.99, 0.9
"""Correlation of two thumbnails, then of the pictures themselves, above which pictures are near duplicates.

On FER2013 every pair found is one photograph in another crop, contrast or compression; none is of two photographs.
"""
_PAIRS = (("train", "validation"), ("train", "test"), ("validation", "test"))


@dataclass(frozen=True, slots=True)
class Leaks:
    """What parts share, by pair of parts: how many rows of the second have a counterpart in the first."""

    exact: dict[tuple[str, str], int]
    """Rows that are equal byte for byte."""
    near: dict[tuple[str, str], int]
    """Images that are nearly equal, and not equal to any."""
    subjects: dict[tuple[str, str], int]
    """Subjects in both parts."""
    groups: int
    """Groups of equal rows, in any part."""
    conflicting: int
    """Those of them whose labels differ."""
    constant: int
    """Images of one value throughout, in which there is nothing to see."""
    train_rows: NDArray[np.int64]
    """Rows of the train part to leave out so that it shares nothing with the others."""
    later_rows: Mapping[str, NDArray[np.int64]]
    """Rows of the validation and of the test part to leave out instead: what an earlier part has too."""

    def __bool__(self) -> bool:
        return bool(self.exact or self.near or self.subjects)

    def lines(self) -> list[str]:
        """Return the findings, one sentence each; empty when there are none."""
        found = [f"{n} rows of {second} are in {first} as well" for (first, second), n in self.exact.items()]
        found += [
            f"{n} rows of {second} are nearly equal to one in {first}" for (first, second), n in self.near.items()
        ]
        found += [
            f"{n} subjects or speakers are in {first} and in {second}" for (first, second), n in self.subjects.items()
        ]
        if self.groups:
            differ = f", of which {self.conflicting} have labels that differ" if self.conflicting else ""
            found.append(f"{self.groups} groups of rows are equal{differ}")
        if self.constant:
            found.append(f"{self.constant} images are of one value throughout")
        return found

    def refuse(self, *, dropped: bool = False) -> None:
        """Raise EmoError, status 3, when parts share anything, or would still when it is `dropped` from train."""
        left = self
        if dropped:
            exact, near, subjects = map(_without_train, (self.exact, self.near, self.subjects))
            left = replace(self, exact=exact, near=near, subjects=subjects)
        if not left:
            return
        hint = "divide them anew" if dropped else "leave them out of train with --drop-leaks"
        raise EmoError(f"{'; '.join(left.lines())}; {hint}", status=GATE)


def _without_train(found: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {pair: count for pair, count in found.items() if pair[0] != "train"}


def audit(data: Data) -> Leaks:
    """Compare the parts of a features artifact: equal rows, nearly equal images, shared subjects."""
    hashes, thumbnails, constant = _fingerprints(data)
    labels = _labels(hashes, data.targets())
    rows = {part: data.rows(part) for part in SPLITS}
    exact = {pair: _common(hashes, rows, pair) for pair in _PAIRS}
    subjects = {pair: _common(data.group, rows, pair) for pair in _PAIRS}
    near = {pair: _near(data, thumbnails, hashes, rows, pair) for pair in _PAIRS}
    found = (exact, subjects, near)
    leaving = {row for each in found for pair in _PAIRS[:2] for row in each[pair][0]}
    known = {
        part: {row for each in found for pair in _PAIRS if pair[1] == part for row in each[pair][1]} for part in SPLITS
    }
    named = {pair: {data.group[row] for row in second} for pair, (_, second) in subjects.items()}
    return Leaks(
        exact=_counts({pair: second for pair, (_, second) in exact.items()}),
        near=_counts({pair: second for pair, (_, second) in near.items()}),
        subjects=_counts(named),
        groups=sum(len(group) > 1 for group in labels.values()),
        conflicting=sum(len(set(group) - {-1}) > 1 for group in labels.values()),
        constant=constant,
        train_rows=_with_copies(data, np.array(sorted(leaving), np.int64)),
        later_rows={part: np.array(sorted(rows), np.int64) for part, rows in known.items()},
    )


def _with_copies(data: Data, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return rows and all augmented copies of them, sorted."""
    return np.union1d(rows, np.flatnonzero(np.isin(data.original, rows))).astype(np.int64)


Found = tuple[set[int], set[int]]
"""Rows of the first part and of the second that have a counterpart in the other."""


def _counts(found: dict[tuple[str, str], Any]) -> dict[tuple[str, str], int]:
    return {pair: len(members) for pair, members in found.items() if members}


def _common(keys: Sequence[Any], rows: dict[str, NDArray[np.int64]], pair: tuple[str, str]) -> Found:
    """Find rows whose key, unless it is empty, is in the other part."""
    first, second = rows[pair[0]].tolist(), rows[pair[1]].tolist()
    shared = {keys[row] for row in first} & {keys[row] for row in second} - {""}
    return {row for row in first if keys[row] in shared}, {row for row in second if keys[row] in shared}


def _near(
    data: Data,
    thumbnails: NDArray[np.float32] | None,
    hashes: Sequence[bytes],
    rows: dict[str, NDArray[np.int64]],
    pair: tuple[str, str],
) -> Found:
    first, second = rows[pair[0]], rows[pair[1]]
    found: Found = (set(), set())
    if thumbnails is None:
        return found
    equal = {hashes[row] for row in first.tolist()}
    keys, references = np.array(hashes), thumbnails[first]
    for some in _blocks(second):
        alike = references @ thumbnails[some].T > _ALIKE
        one, other = np.nonzero(alike)
        alike[one, other] = keys[first[one]] != keys[some[other]]
        if not len(there := np.flatnonzero(alike.any(axis=0))):
            continue
        theirs = _whole(data, some[there])
        for at in _blocks(np.flatnonzero(alike.any(axis=1))):
            same = alike[np.ix_(at, there)] & (_whole(data, first[at]) @ theirs.T > _SAME)
            found[0].update(first[at][same.any(axis=1)].tolist())
            # what has an equal row there is counted as that
            found[1].update(row for row in some[there][same.any(axis=0)].tolist() if hashes[row] not in equal)
    return found


def _blocks(rows: NDArray[np.int64], size: int = 256) -> Iterator[NDArray[np.int64]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _whole(data: Data, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return images, read at once, whose products are their correlations."""
    return _centred(data.take(rows).reshape(len(rows), -1).astype(np.float64))


def _fingerprints(data: Data) -> tuple[list[bytes], NDArray[np.float32] | None, int]:
    """Return a hash of each row and, for images, its thumbnail with mean 0 and length 1, and how many are constant.

    Reads in chunks.
    """
    constant, hashes = 0, list[bytes]()
    thumbnails: list[NDArray[np.float32]] = []
    for x in _chunks(data):
        hashes += [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in x]
        if not isinstance(x, list) and x.ndim == 4:
            thumbnails.append(_thumbnails(x))
            constant += int((np.ptp(x.reshape(len(x), -1), axis=1) == 0).sum())
    return hashes, np.concatenate(thumbnails) if thumbnails else None, constant


def _chunks(data: Data, size: int = 1024) -> Iterator[NDArray[Any] | list[NDArray[Any]]]:
    starts = range(0, len(data), size)
    if data.shape[:1] == (-1,):
        return (data.ragged.between(start, start + size) for start in starts)
    return (data.x[start : start + size] for start in starts)


def _thumbnails(x: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Average blocks of the gray image; what is left over at the border is not looked at."""
    n, _, height, width = x.shape
    down, across = max(height // _SIDE, 1), max(width // _SIDE, 1)
    gray = x[:, :, : down * _SIDE, : across * _SIDE].mean(1, dtype=np.float32)
    blocks = gray.reshape(n, gray.shape[1] // down, down, gray.shape[2] // across, across).mean((2, 4))
    return _centred(blocks.reshape(n, -1))


def _centred(x: NDArray[Any]) -> NDArray[Any]:
    """Rows with mean 0 and length 1; a constant image becomes 0 and is like no other."""
    x = x - x.mean(1, keepdims=True)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    centred: NDArray[Any] = np.divide(x, length, out=np.zeros_like(x), where=length > 1e-3)
    return centred


def _labels(hashes: Iterable[bytes], targets: NDArray[np.int64]) -> dict[bytes, list[int]]:
    """Return the labels of each group of equal rows."""
    labels: dict[bytes, list[int]] = defaultdict(list)
    for key, label in zip(hashes, targets.tolist(), strict=True):
        labels[key].append(label)
    return labels

"""Data artifacts: datasets and features in HDF5, read in chunks, refused unless whole and self-contained."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emocli import artifact, hdf5_check, hdf5_digest
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.faces import Face, FaceImage
from emocli.samples import SPLITS


class Data:
    """An open data artifact, read in chunks. Made by `open_data`."""

    def __init__(self, file: h5py.File, header: Header, digest: str) -> None:
        self.header, self.digest, self.labels = header, digest, header.labels
        self.modality = next(name for name, item in file.items() if isinstance(item, h5py.Group))
        self.x: h5py.Dataset = file[f"{self.modality}/x"]
        self.y: NDArray[Any] = file["y"][:].astype(np.int64 if file["y"].ndim == 1 else np.float32)
        self.meaning = str(file["y"].attrs.get("meaning", "label"))
        names = np.array([*SPLITS, ""])
        self.split: NDArray[np.str_] = names[np.minimum(file["split"][:], len(SPLITS))]
        self.group = _texts(file, "group", len(self.y))
        self.id = _texts(file, "id", len(self.y))
        self._end = file.get(f"{self.modality}/end")
        self._landmarks = file.get(f"{self.modality}/landmarks")

    def __len__(self) -> int:
        return len(self.y)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample; empty for encoded images, which have none in common."""
        return () if self._end is not None else tuple(self.x.shape[1:])

    def targets(self) -> NDArray[np.int64]:
        """Return (n,) class indices whatever y holds: the label, or the class with most votes."""
        if self.meaning == "valence-arousal":
            raise EmoError("these data have valence and arousal, no classes; import them with class labels")
        return self.y if self.y.ndim == 1 else self.y.argmax(axis=1).astype(np.int64)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the sorted row numbers of a part: train, validation, test or all."""
        if split == "all":
            return np.arange(len(self), dtype=np.int64)
        if split not in SPLITS:
            raise EmoError(f"no part {split!r}; choose train, validation, test or all")
        return np.flatnonzero(self.split == split)

    def batches(self, split: str, size: int = 256) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Yield (x, class index) of a part in file order, at most `size` rows at a time."""
        rows, targets = self.rows(split), self.targets()
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            # a slice reads ten times faster than a list of rows, and parts are mostly contiguous
            x = self.x[part[0] : part[-1] + 1]
            yield x if len(x) == len(part) else x[part - part[0]], targets[part]

    def images(self, start: int, stop: int) -> list[FaceImage]:
        """Return the pictures of rows start to stop, decoded: gray (height, width) or RGB (height, width, 3) uint8."""
        stop = min(stop, len(self))
        points = self._landmarks[start:stop] if self._landmarks is not None else None
        pictures = self._decoded(start, stop) if self._end is not None else [_upright(x) for x in self.x[start:stop]]
        return [
            FaceImage(pixels, None if points is None else _marked(pixels, points[row]))
            for row, pixels in enumerate(pictures)
        ]

    def _decoded(self, start: int, stop: int) -> list[NDArray[np.uint8]]:
        import cv2

        ends = self._end[max(start - 1, 0) : stop] if start else np.concatenate([[0], self._end[:stop]])
        flat = self.x[ends[0] : ends[-1]] if len(ends) > 1 else np.empty(0, np.uint8)
        pictures: list[NDArray[np.uint8]] = []
        for row, (first, last) in enumerate(itertools.pairwise(ends), start):
            image = cv2.imdecode(flat[first - ends[0] : last - ends[0]], cv2.IMREAD_ANYCOLOR)
            if image is None:
                raise EmoError(f"image {self.id[row] or row} can't be decoded; import the corpus again")
            pictures.append(np.ascontiguousarray(image if image.ndim == 2 else image[:, :, ::-1], np.uint8))
        return pictures


@contextlib.contextmanager
def open_data(path: Path, source: str = "") -> Iterator[Data]:
    """Yield the data artifact in a file; raises EmoError when it is damaged, foreign or leads out of itself."""
    name = source or str(path)
    with _opened(path, name) as (file, header, digest):
        hdf5_check.layout(file, name)
        data = Data(file, header, digest)
        hdf5_check.values(data.x, data.y, len(data.labels), name)
        yield data


def read_header(path: Path, source: str = "") -> tuple[Header, str]:
    """Return a data artifact's header and the content hash it states."""
    with _opened(path, source or str(path)) as (_, header, digest):
        return header, digest


def describe(path: Path, source: str = "") -> dict[str, Any]:
    """Return the shapes and types of everything in the file, and how many samples each class has in each part."""
    with _opened(path, source or str(path)) as (file, header, _):
        hdf5_check.layout(file, source or str(path))
        shapes: dict[str, Any] = {}
        file.visititems(lambda name, item: _note_shape(shapes, name, item))
        data = Data(file, header, "")
        counts = {}
        if data.meaning != "valence-arousal":
            parts = [(part, data.targets()[data.split == part]) for part in (*SPLITS, "")]
            bins = {part: np.bincount(y[y >= 0], minlength=len(header.labels)) for part, y in parts if len(y)}
            counts = {
                part or "unassigned": dict(zip(header.labels, map(int, n), strict=True)) for part, n in bins.items()
            }
        return {"n": len(data), "arrays": shapes, "meaning": data.meaning, "counts": counts}


def verify(path: Path, source: str = "") -> str:
    """Return the content hash, computed again; raises EmoError when it is not the one the file states."""
    name = source or str(path)
    with _opened(path, name) as (file, header, stated):
        hdf5_check.layout(file, name)
        meaning = str(file["y"].attrs.get("meaning", "label"))
        digest = hdf5_digest.of_file(file, header.to_json(), meaning)
    if digest != stated:
        raise EmoError(
            f"{name} was changed after it was made (its contents are {digest}, it states {stated}); make it again"
        )
    return digest


@contextlib.contextmanager
def _opened(path: Path, source: str) -> Iterator[tuple[h5py.File, Header, str]]:
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as fault:
        how = "is truncated" if "truncated" in str(fault) else "is not a whole HDF5 file"
        raise EmoError(f"{source} {how}; copy it or make it again") from fault
    with file:
        try:
            text, digest = file.attrs.get("emo"), file.attrs.get("sha256")
        except (OSError, RuntimeError, KeyError) as fault:
            raise EmoError(f"{source} is damaged; copy it or make it again") from fault
        if not isinstance(text, str) or not isinstance(digest, str):
            raise EmoError(f"{source} is HDF5 but has no emo header; a corpus is read with: emo dataset NAME FILE")
        header = artifact.parse(text, source)
        if header.kind == "model":
            raise EmoError(f"{source} has a damaged emo header; make it again")
        yield file, header, digest


def _note_shape(shapes: dict[str, Any], name: str, item: h5py.Dataset | h5py.Group) -> None:
    if isinstance(item, h5py.Dataset):
        shapes[name] = {"shape": list(item.shape), "dtype": str(item.dtype)}


def _texts(file: h5py.File, name: str, n: int) -> list[str]:
    return [text.decode("utf-8", "replace") for text in file[name][:].tolist()] if name in file else [""] * n


def _upright(x: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(channels, height, width) to gray (height, width) or RGB (height, width, 3)."""
    return x[0] if x.shape[0] == 1 else x.transpose(1, 2, 0)


def _marked(pixels: NDArray[np.uint8], points: NDArray[np.float32]) -> Face | None:
    if not np.isfinite(points).all():
        return None
    height, width = pixels.shape[:2]
    return Face((0.0, 0.0, float(width), float(height)), 1.0, points)

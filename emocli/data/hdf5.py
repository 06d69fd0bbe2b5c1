"""Data artifacts: datasets and features in HDF5, read in chunks, refused unless whole and self-contained."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emocli import artifact
from emocli.artifact import Header
from emocli.data import hdf5_check, hdf5_digest, hdf5_images, hdf5_layout, padding
from emocli.data.hdf5_ragged import Ragged, runs
from emocli.data.samples import SPLITS
from emocli.errors import EmoError
from emocli.image.faces import FaceImage
from emocli.physio.signals import Signals
from emocli.sound import sounds

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Data:
    """An open data artifact, read in chunks. Made by `open_data`."""

    def __init__(self, file: h5py.File, header: Header, digest: str) -> None:
        self.header, self.digest, self.labels = header, digest, header.labels
        self.modality = hdf5_layout.modality(file)
        self.x: h5py.Dataset = file[f"{self.modality}/x"]
        with np.errstate(over="ignore"):  # the check for what is no number says it
            self.y: NDArray[Any] = file["y"][:].astype(np.int64 if file["y"].ndim == 1 else np.float32)
        self.meaning = str(file["y"].attrs.get("meaning", "label"))
        names = np.array([*SPLITS, ""])
        self.split: NDArray[np.str_] = names[np.minimum(file["split"][:], len(SPLITS))]
        self.group = _texts(file, "group", len(self.y))
        self.id = _texts(file, "id", len(self.y))
        self.original: NDArray[np.int64] = file["original"][:] if "original" in file else np.arange(len(self.y))
        """(n,) the row that each row is an augmented copy of; its own for those that are none."""
        self.about = {name: _texts(file, f"about/{name}", len(self.y)) for name in file.get("about", ())}
        """What else the corpus says of its samples: {"sex": ["female", …]}, a text for each."""
        end = file.get(f"{self.modality}/end")
        self._ragged = Ragged(self.x, end) if end is not None else None
        self._landmarks = file.get(f"{self.modality}/landmarks")
        self.channels = tuple(_texts(file, f"{self.modality}/channels", 0))
        """Of signals the names of their columns."""

    def __len__(self) -> int:
        return len(self.y)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, -1 for frames; empty for encoded images and for sounds, which have none in common."""
        frames = () if self._ragged is None or self.x.ndim == 1 else (-1,)
        return (*frames, *self.x.shape[1:])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) frames, samples or bytes of each sample; raises EmoError where all samples have one shape."""
        return self.ragged.lengths

    def targets(self) -> NDArray[np.int64]:
        """Return (n,) class indices whatever y holds: the label, or the class with most votes, -1 for none."""
        if self.meaning == "valence-arousal":
            raise EmoError("these data have valence and arousal, no classes; import them with class labels")
        if self.y.ndim == 1:
            return self.y
        return np.where(self.y.any(axis=1), self.y.argmax(axis=1), -1).astype(np.int64)

    def rows(self, split: str, left_out: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the sorted row numbers of a part, train, validation, test or all, less those that are `left_out`."""
        if split not in (*SPLITS, "all"):
            raise EmoError(f"no part {split!r}; choose train, validation, test or all")
        rows = np.arange(len(self), dtype=np.int64) if split == "all" else np.flatnonzero(self.split == split)
        return rows if left_out is None else np.setdiff1d(rows, left_out)

    def scored(self, split: str, left_out: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return the rows of a part that are no augmented copies, less those that are `left_out`."""
        rows = self.rows(split, left_out)
        own: NDArray[np.int64] = rows[self.original[rows] == rows]
        return own

    def batches(self, split: str, size: int = 256) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Yield (x, class index) of a part in file order, at most `size` rows at a time; sequences padded with NaN."""
        rows, targets = self.rows(split), self.targets()
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            yield self.take(part), targets[part]

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return x of some rows, which are sorted; sequences padded with NaN."""
        if self.shape[:1] == (-1,):
            return padding.pad(self.sequences(rows))
        if rows[-1] - rows[0] > 4 * len(rows):
            return np.asarray(self.x[rows])
        # a slice reads ten times faster than a list of rows, and parts are mostly contiguous
        x: NDArray[Any] = self.x[rows[0] : rows[-1] + 1]
        return x if len(x) == len(rows) else x[rows - rows[0]]

    def sequences(self, rows: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Return the frames of some rows, (frames, d) float32 each."""
        return self.ragged.take(rows)

    def sounds(self, start: int, stop: int) -> list[NDArray[np.float32]]:
        """Return the sounds of rows start to stop: (samples,) float32 in -1 to 1 at 16 kHz, mono."""
        return [sounds.from_int16(each) for each in self.ragged.between(start, stop)]

    def signals(self, start: int, stop: int) -> list[Signals]:
        """Return the signals of rows start to stop; raises EmoError where their columns have no names."""
        if not self.channels:
            raise EmoError("these data hold physio without names for its channels; name the dataset that they are from")
        return [Signals(each, self.channels) for each in self.ragged.between(start, stop)]

    def texts(self, start: int, stop: int) -> list[str]:
        """Return the texts of rows start to stop; what is no UTF-8 in them is replaced by U+FFFD."""
        return [bytes(each).decode("utf-8", "replace") for each in self.ragged.between(start, stop)]

    def images(self, start: int, stop: int) -> list[FaceImage]:
        """Return the pictures of rows start to stop, decoded: gray (height, width) or RGB (height, width, 3) uint8."""
        if self.modality != "face" or self.x.dtype != np.uint8:
            held = "features" if self.modality == "face" else self.modality
            raise EmoError(f"these data hold {held}, no pictures; name the dataset of faces they are from")
        points = self._landmarks[start:stop] if self._landmarks is not None else None
        if self._ragged is None:
            return hdf5_images.faces([hdf5_images.upright(x) for x in self.x[start:stop]], points)
        encoded = enumerate(self._ragged.between(start, stop), start)
        return hdf5_images.faces([hdf5_images.decoded(each, self.id[row] or str(row)) for row, each in encoded], points)

    def raw(self, rows: NDArray[np.int64]) -> list[Any]:
        """Return what an extractor takes of some rows, which are sorted: pictures, sounds, signals or texts.

        What lies between the rows is neither read nor decoded.
        """
        readers: dict[str, Callable[[int, int], list[Any]]] = {
            "face": self.images,
            "speech": self.sounds,
            "physio": self.signals,
            "text": self.texts,
        }
        read = readers[self.modality]
        return [each for start, stop in runs(rows) for each in read(start, stop)]

    @property
    def ragged(self) -> Ragged:
        """The samples where each has a length of its own; raises EmoError where all have one shape."""
        if self._ragged is None:
            raise EmoError("these data have one shape for all samples, no sequences; extract frames: emo features")
        return self._ragged


@contextlib.contextmanager
def open_data(path: Path, source: str = "") -> Iterator[Data]:
    """Yield the data artifact in a file; raises EmoError when it is damaged, foreign or leads out of itself."""
    name = source or str(path)
    with opened(path, name) as (file, header, digest):
        check(file, name)
        data = Data(file, header, digest)
        hdf5_check.labels(data.y, len(data.labels), data.meaning, name)
        hdf5_check.values(data.x, len(data), name)
        yield data


def read_header(path: Path, source: str = "") -> tuple[Header, str]:
    """Return a data artifact's header and the content hash it states."""
    with opened(path, source or str(path)) as (_, header, digest):
        return header, digest


def kind(path: Path, source: str = "") -> tuple[tuple[int, ...], str]:
    """Return the shape of one sample of a data artifact, as `Data.shape`, and its modality."""
    with opened(path, source or str(path)) as (file, header, digest):
        check(file, source or str(path))
        data = Data(file, header, digest)
        return data.shape, data.modality


def verify(path: Path, source: str = "") -> str:
    """Return the content hash, computed again; raises EmoError when it is not the one the file states."""
    name = source or str(path)
    with opened(path, name) as (file, header, stated):
        check(file, name)
        meaning = str(file["y"].attrs.get("meaning", "label"))
        digest = hdf5_digest.of_file(file, header.to_json(), meaning)
    if digest != stated:
        raise EmoError(
            f"{name} was changed after it was made (its contents are {digest}, it states {stated}); make it again"
        )
    return digest


@contextlib.contextmanager
def opened(path: Path, source: str) -> Iterator[tuple[h5py.File, Header, str]]:
    """Yield the file, its header and the content hash it states; raises EmoError for what is no data artifact."""
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as fault:
        how = "is truncated" if "truncated" in str(fault) else "is not a whole HDF5 file"
        raise EmoError(f"{source} {how}; copy it or make it again") from fault
    with file:
        try:
            text, digest = file.attrs.get("emo"), file.attrs.get("sha256")
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as fault:
            raise EmoError(f"{source} is damaged; copy it or make it again") from fault
        if not isinstance(text, str) or not isinstance(digest, str):
            raise EmoError(f"{source} is HDF5 but has no emo header; a corpus is read with: emo dataset NAME FILE")
        header = artifact.parse(text, source)
        if header.kind == "model" or not _DIGEST.fullmatch(digest):
            raise EmoError(f"{source} has a damaged emo header; make it again")
        yield file, header, digest


def check(file: h5py.File, source: str) -> None:
    """Raise EmoError unless a file is a data artifact that is all in itself."""
    hdf5_check.storage(file, source)
    hdf5_layout.check(file, source)


def _texts(file: h5py.File, name: str, n: int) -> list[str]:
    return [text.decode("utf-8", "replace") for text in file[name][:].tolist()] if name in file else [""] * n

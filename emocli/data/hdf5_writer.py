"""Writes data artifacts row by row, in a layout that reads fast, with the hash of what was written."""

import contextlib
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emocli.artifact import Header
from emocli.data import hdf5_digest
from emocli.data.hdf5_disk import Disk
from emocli.data.samples import SPLITS

CHUNK_ROWS = 64
FLAT_CHUNK = 1 << 20
"""Bytes of a chunk of samples of different length; larger ones leave HDF5's cache."""
NO_SPLIT = 255


class Writer:
    """Writes a data artifact row by row; memory does not grow with the rows but for a few numbers each.

    `count` is how many rows will come, where that is known: the rows then lie contiguous in the file. `channels` are
    the names of the columns of signals.
    """

    def __init__(
        self, path: Path, *, modality: str = "face", count: int | None = None, channels: Sequence[str] = ()
    ) -> None:
        self._disk = Disk(path, "w+")
        self._file = h5py.File(self._disk, "w", libver="v110", track_order=False)
        self._group = self._file.create_group(modality)
        self._count = count
        self._hashes: dict[str, Any] = {}
        self._rows = 0
        self._ends: list[NDArray[np.int64]] = []
        self._flat = 0
        self._landmarks: list[NDArray[np.float32]] = []
        if channels:
            self._column(f"{self._group.name}/channels", np.array(channels, "S"))

    def append(self, x: NDArray[Any]) -> None:
        """Add rows: x is (k, channels, height, width) uint8 or (k, d) float32."""
        name = f"{self._group.name}/x"
        if name not in self._file:
            chunked = {"maxshape": (None, *x.shape[1:]), "chunks": (CHUNK_ROWS, *x.shape[1:])}
            layout = {} if self._count is not None else chunked
            self._file.create_dataset(name, (self._count or 0, *x.shape[1:]), x.dtype, **layout)
        self._extend(name, self._rows, x)
        self._rows += len(x)

    def append_encoded(self, images: Sequence[bytes]) -> None:
        """Add rows that are encoded images, bytes of a file each."""
        self.append_ragged([np.frombuffer(image, np.uint8) for image in images])

    def append_ragged(self, rows: Sequence[NDArray[Any]]) -> None:
        """Add rows of different length: sounds (samples,) int16, frames or signals (frames, d) float32, or bytes."""
        flat = np.concatenate(rows)
        name = f"{self._group.name}/x"
        if name not in self._file:
            step = max(1, FLAT_CHUNK // (flat.dtype.itemsize * math.prod(flat.shape[1:])))
            chunked = {"maxshape": (None, *flat.shape[1:]), "chunks": (step, *flat.shape[1:])}
            # all there will be is here
            whole = len(rows) == self._count
            shape = (len(flat) if whole else 0, *flat.shape[1:])
            self._file.create_dataset(name, shape, flat.dtype, **({} if whole else chunked))
        self._extend(name, self._flat, flat)
        self._ends.append(self._flat + np.cumsum([len(row) for row in rows], dtype=np.int64))
        self._flat += len(flat)
        self._rows += len(rows)

    def append_landmarks(self, points: NDArray[np.float32]) -> None:
        """Add (k, points, 2) landmarks for the rows added last."""
        self._landmarks.append(points)

    def finish(
        self,
        header: Header,
        y: NDArray[Any],
        meaning: str,
        split: NDArray[Any],
        group: Sequence[str] = (),
        ids: Sequence[str] = (),
        about: Mapping[str, Sequence[str]] | None = None,
        original: NDArray[np.int64] | None = None,
    ) -> str:
        """Write the columns and the header and close the file; returns the content hash, "sha256:…".

        `about` holds further columns of text that the corpus has, such as the speaker's sex; `original` for each row
        that of what it is a copy of, or its own, where there are copies.
        """
        places = {"": NO_SPLIT, **{name: code for code, name in enumerate(SPLITS)}}
        codes = np.array([places[name] for name in np.asarray(split).tolist()], np.uint8)
        self._column("/y", y.astype(np.int16 if y.ndim == 1 else np.float32))
        self._file["/y"].attrs["meaning"] = meaning
        self._column("/split", codes)
        if original is not None:
            self._column("/original", original)
        columns = {"/group": group, "/id": ids, **{f"/about/{name}": column for name, column in (about or {}).items()}}
        for name, texts in columns.items():
            if any(texts):
                self._column(name, np.char.encode(np.array(texts), "utf-8"))
        if self._ends:
            self._column(f"{self._group.name}/end", np.concatenate(self._ends))
        if self._landmarks:
            self._column(f"{self._group.name}/landmarks", np.concatenate(self._landmarks).astype(np.float32))
        digest = self._digest(header, meaning)
        self._file.attrs["emo"] = header.to_json()
        self._file.attrs["sha256"] = digest
        self.close()
        self._disk.check()
        return digest

    def close(self) -> None:
        """Close the file as it is; for a writer that did not finish."""
        with contextlib.suppress(OSError, RuntimeError):
            self._file.close()
        self._disk.close()

    def _extend(self, name: str, start: int, rows: NDArray[Any]) -> None:
        dataset = self._file[name]
        stop = start + len(rows)
        if stop > len(dataset):
            dataset.resize(stop, axis=0)
        dataset[start:stop] = rows
        self._disk.check()
        self._hashes.setdefault(name, hashlib.sha256()).update(hdf5_digest.raw(rows))

    def _column(self, name: str, values: NDArray[Any]) -> None:
        self._file.create_dataset(name, data=values)
        self._hashes[name] = hashlib.sha256(hdf5_digest.raw(values))

    def _digest(self, header: Header, meaning: str) -> str:
        shapes = {name: (self._file[name].dtype.str, self._file[name].shape) for name in self._hashes}
        return hdf5_digest.combine(
            header.to_json(), meaning, {n: (*shapes[n], h.hexdigest()) for n, h in self._hashes.items()}
        )

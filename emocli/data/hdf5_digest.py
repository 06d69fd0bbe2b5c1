"""The content hash of a data artifact: of its header and of every array, whatever order they were written in."""

import hashlib
import json
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Parts = dict[str, tuple[str, tuple[int, ...], str]]
"""Array name to (dtype, shape, sha256 of the values in C order)."""


def raw(values: NDArray[Any]) -> memoryview:
    """Return the values as bytes in C order."""
    return np.ascontiguousarray(values).data.cast("B") if values.size else memoryview(b"")


def combine(header: str, meaning: str, parts: Parts) -> str:
    """Return "sha256:…" of a header, what y means, and the arrays."""
    arrays = [[name.strip("/"), dtype, list(shape), digest] for name, (dtype, shape, digest) in parts.items()]
    text = json.dumps([header, meaning, sorted(arrays)])
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def of_file(file: h5py.File, header: str, meaning: str) -> str:
    """Return the content hash of an open file, read in chunks."""
    parts: Parts = {}
    file.visititems(lambda name, item: _add(parts, name, item))
    return combine(header, meaning, parts)


def _add(parts: Parts, name: str, item: h5py.Dataset | h5py.Group) -> None:
    if isinstance(item, h5py.Dataset):
        state = hashlib.sha256()
        rows = max(1, (1 << 22) // max(1, item.nbytes // max(1, len(item))))
        for start in range(0, len(item), rows):
            state.update(raw(item[start : start + rows]))
        parts[name] = (item.dtype.str, item.shape, state.hexdigest())

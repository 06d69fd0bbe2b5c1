"""What a data artifact may not do: reach out of itself, claim what it does not hold, mix lengths, hold NaN."""

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}

_MOST_DEFLATED = 1032
"""Bytes that a byte of deflate becomes at most."""


def layout(file: h5py.File, source: str) -> None:
    """Refuse links, filters and storage that reach out of the file, and shapes that don't fit together."""
    try:
        _check_links(file, source)
        group = file[modality(file)]
        n, rows = len(file["y"]), len(group.get("end", group["x"]))
        texts = [file[name] for name in ("group", "id") if name in file] + list(file.get("about", {}).values())
        columns = [len(column) for column in (file["split"], *texts, file.get("original", file["y"]))]
        readable = file["split"].dtype.kind in "iu" and all(column.dtype.kind == "S" for column in texts)
        known = "original" not in file or _are_originals(file["original"][:])
        whole = "end" not in group or _ends_fit(group["end"][:], len(group["x"]))
    except (KeyError, StopIteration, AttributeError, TypeError, OSError, RuntimeError) as fault:
        raise EmoError(f"{source} lacks the arrays of a data artifact; make it again") from fault
    if not readable:
        raise EmoError(f"{source} has parts, ids or groups of another kind than emo writes; make it again")
    if rows != n or any(length != n for length in columns):
        raise EmoError(f"{source} has {rows} samples but {n} labels; make it again")
    if not known:
        raise EmoError(f"{source} has copies of rows that it does not have; make it again")
    if not whole:
        raise EmoError(f"{source} has samples that end before they begin or after the data; make it again")


def modality(file: h5py.File) -> str:
    """Return the name of the group that holds the samples: face or speech."""
    return str(next(name for name, item in file.items() if isinstance(item, h5py.Group) and name != "about"))


def _ends_fit(ends: NDArray[np.int64], length: int) -> bool:
    steps = np.diff(ends, prepend=0)
    return not len(ends) or bool((steps >= 0).all() and ends[-1] == length)


def _are_originals(rows: NDArray[np.int64]) -> bool:
    """Tell whether each row is its own or copies one that is."""
    if not len(rows):
        return True
    inside = rows.dtype.kind == "i" and bool(0 <= rows.min() <= rows.max() < len(rows))
    return inside and bool((rows[rows] == rows).all())


def _check_links(group: h5py.Group, source: str) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise EmoError(f"{source} has a link that leads elsewhere ({name!r}); emo reads self-contained files only")
        item = group[name]
        if isinstance(item, h5py.Group):
            _check_links(item, source)
        else:
            _check_storage(item, source)


def _check_storage(dataset: h5py.Dataset, source: str) -> None:
    plist = dataset.id.get_create_plist()
    filters = {plist.get_filter(number)[0] for number in range(plist.get_nfilters())}
    if dataset.is_virtual or dataset.external:
        raise EmoError(f"{source} keeps {dataset.name} in another file; emo reads self-contained files only")
    if dataset.dtype.kind not in "iufSb" or not filters <= _FILTERS or not dataset.ndim:
        raise EmoError(f"{source} stores {dataset.name} in a way emo does not read ({dataset.dtype}); make it again")
    # a shape is a claim until bytes stand behind it
    if dataset.id.get_storage_size() * (_MOST_DEFLATED if filters else 1) < dataset.nbytes:
        raise EmoError(f"{source} claims more of {dataset.name} than it holds; make it again")


def labels(y: NDArray[Any], classes: int, source: str) -> None:
    """Raise EmoError for labels out of range."""
    if y.ndim == 1 and len(y) and not -1 <= y.min() <= y.max() < classes:
        raise EmoError(f"{source} has a label out of range (0 to {classes - 1}); make it again")


def values(x: h5py.Dataset, y: NDArray[Any], classes: int, source: str) -> None:
    """Raise EmoError for labels out of range and for values that are not numbers."""
    labels(y, classes, source)
    if y.ndim == 2 and not np.isfinite(y).all():
        raise EmoError(f"{source} has labels that are not numbers (NaN); make it again")
    if x.dtype.kind == "f":
        for start in range(0, len(x), 4096):
            if not np.isfinite(x[start : start + 4096]).all():
                what = "row" if len(x) == len(y) else "frame"
                raise EmoError(f"{source} has values that are not numbers (NaN) after {what} {start}; make it again")

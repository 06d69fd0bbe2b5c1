"""What a data artifact may not do: reach out of itself, claim what it does not hold, hold labels that are none, NaN."""

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}

_MOST_DEFLATED = 1032
"""Bytes that a byte of deflate becomes at most."""


def storage(file: h5py.File, source: str) -> None:
    """Refuse links, filters and storage that reach out of the file, or claim more than it holds."""
    try:
        _check_links(file, source)
    except (KeyError, TypeError, ValueError, OSError, RuntimeError) as fault:  # ValueError: names that are no UTF-8
        raise EmoError(f"{source} is damaged; copy it or make it again") from fault


def _check_links(group: h5py.Group, source: str) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise EmoError(f"{source} has a link that leads elsewhere ({name!r}); emo reads self-contained files only")
        item = group[name]
        if isinstance(item, h5py.Group):
            _check_links(item, source)
        elif isinstance(item, h5py.Dataset):
            _check_storage(item, source)
        else:
            raise EmoError(f"{source} has something that is no array ({name!r}); make it again")


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


def labels(y: NDArray[Any], classes: int, meaning: str, source: str) -> None:
    """Raise EmoError for labels out of range, and for other numbers than one of each class."""
    if y.ndim == 1 and len(y) and not -1 <= y.min() <= y.max() < classes:
        raise EmoError(f"{source} has a label out of range (0 to {classes - 1}); make it again")
    if y.ndim == 2 and meaning != "valence-arousal" and y.shape[1] != classes:
        raise EmoError(f"{source} has {y.shape[1]} {meaning} of each sample for {classes} classes; make it again")
    if y.ndim == 2 and not np.isfinite(y).all():
        raise EmoError(f"{source} has labels that are not numbers (NaN); make it again")


def values(x: h5py.Dataset, rows: int, source: str) -> None:
    """Raise EmoError for values that are not numbers; x belongs to so many rows."""
    if x.dtype.kind == "f":
        for start in range(0, len(x), 4096):
            if not np.isfinite(x[start : start + 4096]).all():
                what = "row" if len(x) == rows else "frame"
                raise EmoError(f"{source} has values that are not numbers (NaN) after {what} {start}; make it again")

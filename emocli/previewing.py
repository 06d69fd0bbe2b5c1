"""A picture of what is in a dataset or in features: samples of each class, and how training would change them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import pipes, registry
from emocli.data import hdf5
from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.image import contact_sheet
from emocli.image.contact_sheet import Line
from emocli.image.faces import FaceImage
from emocli.training.recipe import AUGMENTATION, Recipe, check

_MOST = 2000
"""Pictures of a sheet; more than that is no longer a look."""


def write(source: pipes.Input, path: Path, given: Mapping[str, Any], *, rows: int, columns: int, seed: int) -> None:
    """Write a PNG with `rows` lines of `columns` pictures of each class, drawn by the seed.

    With augmentation options `given`, a line is one sample: first as it is, then as training would show it. Raises
    EmoError for data without pictures or without classes.
    """
    recipe = _recipe(given)
    if rows < 1 or columns < (2 if recipe else 1):
        raise EmoError("there is nothing to show; --rows and --columns are at least 1, with augmentation columns 2")
    with hdf5.open_data(source.path, source.source) as data:
        if data.modality != "face":
            raise EmoError(f"{source.source} holds {data.modality}, of which there is nothing to see")
        if not data.labels:
            raise EmoError(f"{source.source} has no labels, and a line is of one class each; import the corpus again")
        if rows * columns * len(data.labels) > _MOST:
            raise EmoError(f"these would be more than {_MOST:,} pictures; use fewer --rows or --columns")
        labelled = _by_class(data)
        chosen = _chosen(labelled, rows if recipe else rows * columns, seed)
        pictures = _pictures(data, np.concatenate(chosen), source.source)
        names = [(label, f"n = {len(each):,}") for label, each in zip(data.labels, labelled, strict=True)]
    shown = pictures[:, None]
    if recipe:
        from emocli.training import views  # needs torch, which the plain grid does without

        shown = np.concatenate([shown, views.views(pictures, recipe, columns - 1, seed).swapaxes(0, 1)], axis=1)
    lines: list[Line] = []
    for name, each in zip(names, np.split(shown, np.cumsum([len(part) for part in chosen])[:-1]), strict=True):
        lines += _lines(name, each.reshape(-1, *pictures.shape[1:]), columns)
    contact_sheet.write(lines, path)


def _recipe(given: Mapping[str, Any]) -> Recipe | None:
    """Return what to show: with --augment what `emo train` does with these flags, without it they alone."""
    if not given:
        return None
    others = {} if "augment" in given else {name: 0.0 for name in AUGMENTATION if name != "augment"}
    recipe = Recipe(**(others | dict(given)))
    check(recipe)
    return recipe


def _by_class(data: Data) -> list[NDArray[np.int64]]:
    targets = data.targets()
    return [np.flatnonzero(targets == label) for label in range(len(data.labels))]


def _chosen(labelled: list[NDArray[np.int64]], count: int, seed: int) -> list[NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    return [np.sort(random.permutation(rows)[:count]) for rows in labelled]


def _pictures(data: Data, rows: NDArray[np.int64], source: str) -> NDArray[np.uint8]:
    """Return (n, channels, h, w): features as they are, pictures of a dataset whole and all of one size."""
    if not len(rows):
        raise EmoError(f"{source} has no labelled samples; import the corpus again")
    if data.header.kind == "features":
        if len(data.shape) != 3:
            raise EmoError(f"{source} holds vectors, which are no pictures; preview the dataset they were made of")
        return np.stack([data.x[row] for row in rows])
    # photos are large: one at a time is held, and those before the first coloured one are decoded again
    colours = 3 if any(picture.pixels.ndim == 3 for picture in _whole(data, rows)) else 1
    size = max(data.shape[1:], default=contact_sheet.SIDE)
    crop = registry.load("features", "pixels")(size=size, channels=colours)
    return np.concatenate([crop([picture]) for picture in _whole(data, rows)])


def _whole(data: Data, rows: NDArray[np.int64]) -> Iterator[FaceImage]:
    return (FaceImage(data.images(row, row + 1)[0].pixels) for row in rows.tolist())


def _lines(names: tuple[str, ...], pictures: NDArray[np.uint8], columns: int) -> list[Line]:
    starts = range(0, max(len(pictures), 1), columns)
    return [Line(() if start else names, pictures[start : start + columns]) for start in starts]

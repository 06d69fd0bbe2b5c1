"""AffectNet as it is given out since 2021: faces cut out, and arrays of one number each beside them, no list.

ROOT/train_set/images/12.jpg with ROOT/train_set/annotations/12_exp.npy, 12_val.npy, 12_aro.npy and 12_lnd.npy;
val_set as well.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.datasets import _files
from emocli.errors import EmoError

_PARTS = {"train_set": "train", "val_set": "validation"}


def folders(root: Path) -> dict[str, Path]:
    """Return the folder of each part, train and validation, as far as they are there."""
    found = {part: [each.parent for each in _files.find(root, f"{name}/images")] for name, part in _PARTS.items()}
    return {part: paths[0] for part, paths in found.items() if paths}


def rows(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each image of a part with its `expression`, `valence` and `arousal`, in the order of their numbers.

    Where one of these has no file, there are none.
    """
    names = {"expression": "exp", "valence": "val", "arousal": "aro"}
    for image in _images(folder):
        files = {name: _beside(image, word) for name, word in names.items()}
        whole = all(file.exists() for file in files.values())
        yield image, {name: _array(file, 1)[0] for name, file in files.items()} if whole else {}


def have_points(folder: Path) -> bool:
    """Tell whether each image of a part has its landmarks."""
    return all(_beside(image, "lnd").exists() for image in _images(folder))


def points(image: Path, count: int) -> NDArray[np.float32]:
    """Return the (count, 2) landmarks of an image, in its pixels; raises EmoError for another number."""
    return _array(_beside(image, "lnd"), 2 * count).astype(np.float32).reshape(count, 2)


def _images(folder: Path) -> list[Path]:
    images = (path for path in _files.find(folder / "images", "*.jpg") if path.stem.isdecimal())
    return sorted(images, key=lambda path: int(path.stem))


def _beside(image: Path, word: str) -> Path:
    return image.parents[1] / "annotations" / f"{image.stem}_{word}.npy"


def _array(path: Path, count: int) -> NDArray[np.float64]:
    _files.check_plain(path)
    try:
        # what is pickled is not read: it could run anything
        numbers = np.load(path, allow_pickle=False).astype(np.float64).ravel()
    except (OSError, ValueError, EOFError, TypeError) as fault:
        raise EmoError(f"{path} holds no array of numbers; restore the file") from fault
    if len(numbers) != count:
        raise EmoError(f"{path} holds {len(numbers)} numbers, expected {count}; restore the file")
    return np.asarray(numbers)

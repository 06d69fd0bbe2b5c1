"""Cross-validation: train and validation rows divided anew into folds, each of them the validation part once."""

import copy
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from emocli.data.hdf5 import Data
from emocli.errors import EmoError


def divided(data: Data, folds: int, seed: int) -> list[Data]:
    """Return the data once per fold, with parts of their own; rows of the test part or of none stay what they are.

    Classes are spread evenly. Where the corpus names subjects each is whole in one fold; a row without a name is a
    subject by itself. Augmented copies are never validated with, and learned from only where their original is. Raises
    EmoError for more folds than there are subjects, or rows of the largest class.
    """
    rows = np.concatenate([data.scored(part) for part in ("train", "validation")])
    rows.sort()
    return [_view(data, rows, rows[places]) for places in _places(data, rows, folds, seed)]


def _places(data: Data, rows: NDArray[np.int64], folds: int, seed: int) -> Iterator[NDArray[np.int64]]:
    y = data.targets()[rows]
    names = [data.group[row] or f"\0{row}" for row in rows.tolist()]
    by_subject = any(data.group[row] for row in rows.tolist())
    subjects, largest = len(set(names)), int(np.unique(y, return_counts=True)[1].max(initial=0))
    most = min(subjects, largest) if by_subject else largest
    if folds > most:
        what = "subjects" if by_subject and most == subjects else "rows of the largest class"
        raise EmoError(f"--folds {folds} is more than the {most} {what} of train and validation; use fewer")
    split = (StratifiedGroupKFold if by_subject else StratifiedKFold)(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a class of fewer rows than folds; which fold lacks it is said when the fold is used
        warnings.simplefilter("ignore", UserWarning)
        for _, places in split.split(np.zeros(len(rows)), y, names):
            if not len(places):
                raise EmoError(f"the subjects can't be divided into {folds} folds; use fewer")
            yield places


def _view(data: Data, rows: NDArray[np.int64], validation: NDArray[np.int64]) -> Data:
    view = copy.copy(data)
    view.split = data.split.copy()
    view.split[rows], view.split[validation] = "train", "validation"
    copies = np.flatnonzero(data.original != np.arange(len(data)))
    view.split[copies] = np.where(view.split[data.original[copies]] == "train", "train", "")
    return view

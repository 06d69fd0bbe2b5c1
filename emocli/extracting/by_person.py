"""Numbers of a window seen against the same person's other windows: people differ more than their states do.

Each number less its mean over all rows of the person, over its deviation there: what is high for this person. It needs
to have all of a recording, so it is for what is looked at afterwards, never for a window by itself, and it reads no
label. Usual in the field as subject-wise normalisation; Picard, Vyzas and Healey, "Toward machine emotional
intelligence: analysis of affective physiological state" (PAMI 2001) met the same with their day-wise one.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.artifact import Header, Step
from emocli.errors import EmoError
from emocli.extracting.joining import Features

OPTION = "by_person"
Rows = NDArray[np.int64]


def check(asked: bool, modality: str, people: Iterable[str]) -> None:
    """Raise EmoError where it is asked for and the data can't be seen so: no signals, or of nobody that is named."""
    if asked and modality != "physio":
        raise EmoError(f"--by-person is for signals and these data hold {modality}; leave it out")
    if asked and not all(people):
        raise EmoError("--by-person compares with other rows of the same person, and these data don't name everybody")


def recorded(step: Step) -> bool:
    """Tell whether a step of features has made them so."""
    return step.get("options", {}).get(OPTION) is True


def asked_by(model: Header) -> bool:
    """Tell whether a model has learned from such features."""
    return recorded(model.step("features") or {})


def standardised(x: NDArray[np.float32], people: Sequence[str]) -> NDArray[np.float32]:
    """Return (n, d) of rows (n, d) of n people; what doesn't vary within a person is 0."""
    names, whose = np.unique(np.array(people), return_inverse=True)
    found = np.zeros(x.shape, np.float64)
    for place in range(len(names)):
        rows = x[whose == place].astype(np.float64)
        spread = rows.std(axis=0)
        # rounding alone makes a little of what is the same throughout
        varies = spread > 1e-9 * np.abs(rows).max(axis=0)
        found[whose == place] = np.where(varies, (rows - rows.mean(axis=0)) / np.where(varies, spread, 1), 0)
    return found.astype(np.float32)


def together(
    made: Iterable[tuple[Features, NDArray[np.bool_]]], people: Sequence[str]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Yield the features that come part by part, seen against all of them; `people` are of the rows in that order.

    All are held at once, a few numbers a window. Raises EmoError for features that are no vectors.
    """
    parts = list(made)
    if not all(isinstance(x, np.ndarray) and x.ndim == 2 for x, _ in parts):
        raise EmoError("--by-person is for one vector a window, and this extractor gives others; leave it out")
    x = standardised(np.concatenate([np.asarray(features) for features, _ in parts]), people)
    yield from zip(np.split(x, np.cumsum([len(found) for _, found in parts])[:-1]), [f for _, f in parts], strict=True)

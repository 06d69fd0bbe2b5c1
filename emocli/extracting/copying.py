"""Augmented copies of the clips of the train part: of which rows, how they sound, how they are told apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.extracting import others
from emocli.sound import augmenting
from emocli.sound.augmenting import Copies
from emocli.sound.sounds import Sound

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are worked on at once: as they are, or the copy of that number, from 1, of each."""

    rows: Rows
    copy: int = 0


def parts(data: Data, chunks: Sequence[Rows], copies: Copies) -> list[Part]:
    """Return all that is worked on: the rows as they are, then the first copy of each row of the train part, and so on.

    Raises EmoError for copies of data without a train part.
    """
    taught = [chunk[data.split[chunk] == "train"] for chunk in chunks] if copies.count else []
    if copies.count and not any(map(len, taught)):
        raise EmoError("these data have no train part, and copies are made of no other; leave out --copies")
    again = [Part(rows, number) for number in range(1, copies.count + 1) for rows in taught if len(rows)]
    return [*map(Part, chunks), *again]


def listener(data: Data, copies: Copies) -> Callable[[Part], list[Sound]]:
    """Return the function from a part to its pictures or sounds, changed where they are copies."""
    change = augmenting.changer(copies)
    others_of = others.among(data, data.rows("train"))

    def items(part: Part) -> list[Sound]:
        read = data.raw(part.rows)
        if not part.copy:
            return read
        rows = part.rows.tolist()
        return [change(item, row, part.copy, others_of(row)) for item, row in zip(read, rows, strict=True)]

    return items


def named(ids: Sequence[str], numbers: Rows) -> list[str]:
    """Return the names of rows, those of copies with their number behind."""
    return [f"{name}#{number}" if name and number else name for name, number in zip(ids, numbers.tolist(), strict=True)]


def originals(rows: Rows, numbers: Rows) -> Rows:
    """Return for each row of a features artifact the place of what it is a copy of, its own for all others, (n,).

    `rows` are those of the dataset, `numbers` those of the copies, 0 for the rows as they are, which come first.
    """
    first = rows[numbers == 0]
    return np.where(numbers == 0, np.arange(len(rows)), np.searchsorted(first, rows))

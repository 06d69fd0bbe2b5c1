"""Clips of chance out of some rows of the data, for noise that is other people."""

import functools
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.sound.noises import Others
from emocli.sound.sounds import Sound


def among(data: Data, rows: NDArray[np.int64]) -> Callable[[int], Others]:
    """Return the function from a row to what draws other clips among `rows`: of other speakers where any is named.

    Drawing raises EmoError where there is no other clip.
    """
    groups = np.array(data.group)[rows]

    # one speaker's clips come in a row; those of all speakers at once would be rows times speakers
    @functools.lru_cache(maxsize=1)
    def of_others(group: str) -> NDArray[np.int64]:
        return rows[groups != group] if group else rows[:0]

    def others(row: int) -> Others:
        def clip(random: Generator) -> Sound:
            pool = of_others(data.group[row])
            pool = pool if len(pool) else rows[rows != row]
            if not len(pool):
                raise EmoError("babble is made of other clips, and there is only one; take white or pink noise")
            chosen = int(pool[random.integers(len(pool))])
            return data.sounds(chosen, chosen + 1)[0]

        return clip

    return others

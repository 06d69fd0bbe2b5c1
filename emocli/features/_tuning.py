"""How far from A 440 a sound is tuned, as librosa estimates it: the commonest offset of its spectral peaks.

Peaks between 150 and 4000 Hz that stand out by a tenth of the frame's largest value are interpolated by a parabola; the
louder half votes. Arithmetic and precision of each step are librosa's, so that near ties fall the same way.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emocli.features import _parabola
from emocli.features._chroma import octaves
from emocli.sound.frames import Block
from emocli.sound.sounds import RATE_HZ

_LOWEST_HZ, _HIGHEST_HZ = 150.0, 4000.0
_STANDS_OUT = 0.1
_STEPS = np.linspace(-0.5, 0.5, 101)


def estimate(blocks: Iterable[Block], classes: int) -> float:
    """Return the tuning of a sound as a part of a pitch class, -0.5 to 0.5 in steps of 0.01; 0 where nothing sounds."""
    hz, heights = map(np.concatenate, zip(*map(_peaks, blocks), strict=True))
    if not len(hz):
        return 0.0
    offsets = np.mod(classes * octaves(hz[heights >= np.median(heights)]), 1)
    offsets[offsets >= 0.5] -= 1
    votes = np.bincount(np.searchsorted(_STEPS, offsets, "right"))
    return float(_STEPS[np.argmax(votes) - 1])


def _peaks(block: Block) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return frequency in Hz and height of all peaks of a block."""
    power, spacing = block.power, RATE_HZ / block.size
    first, last = (int(np.ceil(hz / spacing)) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    rises = power[:, first - 1 : last] < power[:, first : last + 1]
    stands_out = power[:, first:last] > np.float32(_STANDS_OUT) * power.max(axis=1, keepdims=True)
    frame, place = np.divmod(np.flatnonzero((rises[:, :-1] > rises[:, 1:]) & stands_out), last - first)
    place += first
    exact, slope = _parabola.turn(power, frame, place)
    shift = exact.astype(np.float32)
    hz = ((place + shift) * RATE_HZ / block.size).astype(np.float32)
    return hz, power[frame, place] + np.float32(0.5) * slope * shift

"""How much of a voiced frame repeats itself: the ratio of harmonics to noise in decibels.

Boersma (Proceedings of the Institute of Phonetic Sciences 17, 1993): the autocorrelation under a window, over that of
the window itself, at the pitch's period.
"""

import numpy as np
from numpy.typing import NDArray

from emocli.sound.frames import Block, hann

_LEAST_DB, _MOST_DB = -20.0, 40.0


def ratio(block: Block, rows: NDArray[np.intp], period: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return decibels from -20 to 40 of some frames of a block, whose periods in samples are known."""
    similar = np.fft.irfft(block.power[rows].astype(np.float64), axis=1)
    window = np.fft.irfft(np.abs(np.fft.rfft(hann(block.size))) ** 2)
    lag = np.rint(period).astype(np.intp)
    row = np.arange(len(rows))
    before, here, after = (
        similar[row, lag + step] / similar[:, 0] / (window[lag + step] / window[0]) for step in (-1, 0, 1)
    )
    bend, slope = before + after - 2 * here, (after - before) / 2
    peaks = (bend < 0) & (np.abs(slope) <= np.abs(bend))
    shift = np.divide(-slope, bend, out=np.zeros_like(bend), where=peaks)
    share = np.clip(here + slope * shift / 2, 1e-6, 1 - 1e-6)
    decibels: NDArray[np.float64] = np.clip(10 * np.log10(share / (1 - share)), _LEAST_DB, _MOST_DB)
    return decibels

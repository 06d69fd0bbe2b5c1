"""How much of a voiced frame repeats itself: the ratio of harmonics to noise in decibels.

Boersma (Proceedings of the Institute of Phonetic Sciences 17, 1993): the autocorrelation under a window, over that of
the window itself, at the pitch's period; without the mean, which would repeat itself at any. The window is 4.5 periods
of the pitch that is there long, so that a pitch that moves is no noise; Praat's has as many of the lowest one.
"""

import numpy as np
from numpy.typing import NDArray

from emocli.features import _parabola

_PERIODS = 4.5
_SLACK = 0.1
"""Share of a period by which the best one may differ from the tracker's, which is about the whole frame."""
_SILENCE = 1e-12
_LEAST_DB, _MOST_DB = -20.0, 40.0


def ratio(samples: NDArray[np.float32], period: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return decibels from -20 to 40 of frames (frames, size) whose periods in samples are known."""
    size = samples.shape[1]
    width = np.minimum(_PERIODS * period, size)
    half = int(np.ceil(width.max() / 2))
    near = samples[:, size // 2 - half : size // 2 + half].astype(np.float64)
    place = (np.arange(near.shape[1]) + 0.5 - half) / width[:, None]
    window = np.where(np.abs(place) < 0.5, 0.5 + 0.5 * np.cos(2 * np.pi * place), 0)
    near = (near - (near * window).sum(axis=1, keepdims=True) / window.sum(axis=1, keepdims=True)) * window
    # twice as long, or the end would be compared with the beginning
    room = 1 << (2 * near.shape[1] - 1).bit_length()
    similar = np.fft.irfft(np.abs(np.fft.rfft(near, room, axis=1)) ** 2, axis=1)
    reach = int(np.ceil(_SLACK * period.max())) + 1
    offsets = np.arange(-reach, reach + 1)
    lags = np.maximum(np.rint(period).astype(np.intp)[:, None] + offsets, 1)
    power = np.maximum(similar[:, :1], _SILENCE)
    shares = np.take_along_axis(similar, lags, axis=1) / power / _of_window(lags / width[:, None])
    allowed = np.abs(offsets[1:-1]) <= _SLACK * period[:, None]
    best, row = np.where(allowed, shares[:, 1:-1], -np.inf).argmax(axis=1) + 1, np.arange(len(samples))
    shift, slope = _parabola.turn(shares, row, best)
    # at the edge of the allowed it may be a trough
    share = np.clip(shares[row, best] + np.maximum(slope * shift / 2, 0), 1e-6, 1 - 1e-6)
    decibels: NDArray[np.float64] = np.clip(10 * np.log10(share / (1 - share)), _LEAST_DB, _MOST_DB)
    return decibels


def _of_window(lag: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Hann's window's own autocorrelation at lags given as shares of its length (Boersma's equation 8)."""
    turn = 2 * np.pi * lag
    shares: NDArray[np.float64] = (1 - lag) * (2 / 3 + np.cos(turn) / 3) + np.sin(turn) / (2 * np.pi)
    return shares

"""Mel-frequency cepstral coefficients with their deltas, equal to librosa's.

Davis and Mermelstein (ASSP 1980), on Slaney's mel filters in decibels; the deltas are Savitzky and Golay's over nine
frames. A row holds the coefficients, then their slopes, then their curvatures.

Options:
    count: coefficients
    deltas: 2 slope and curvature, 1 slope only, 0 neither
    mels: mel filters
    fmin: where the lowest filter begins, in Hz
    fmax: where the highest ends, in Hz; 0 is half the sampling rate
    top_db: what is further below the loudest value of the clip is raised to there; 0 leaves it
    n_fft: samples of a frame, at 16 kHz
    hop: samples from one frame to the next
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features import _mel
from emocli.features._deltas import REACH, with_deltas
from emocli.sound.frames import BLOCK, Block, Framing
from emocli.sound.framewise import Framewise

MODALITY = "speech"


def extractor(
    *,
    count: int = 13,
    deltas: int = 2,
    mels: int = 128,
    fmin: float = 0.0,
    fmax: float = 0.0,
    top_db: float = 80.0,
    n_fft: int = 2048,
    hop: int = 512,
) -> Framewise:
    """Return the function from n sounds to n arrays (frames, count * (1 + deltas)) float32."""
    if not 1 <= count <= mels or deltas not in (0, 1, 2):
        raise EmoError(f"mfcc can't take count={count} of mels={mels} with deltas={deltas}; try 13 of 128 with 2")
    framing = Framing(n_fft, hop)
    log_mel = _mel.log_mel(n_fft, mels=mels, fmin=fmin, fmax=fmax, top_db=top_db)
    cosines = _cosines(mels, count)

    def rows(blocks: Iterable[Block]) -> NDArray[np.float32]:
        decibels = log_mel(blocks)
        # in pieces: in double precision an hour would take 115 MB
        pieces = [decibels[start : start + BLOCK] @ cosines for start in range(0, len(decibels), BLOCK)]
        return with_deltas(np.concatenate(pieces).astype(np.float32), deltas)

    return Framewise(framing, rows, REACH if deltas else 0, _mel.WHOLE if top_db else "")


def _cosines(mels: int, count: int) -> NDArray[np.float64]:
    """Return the first columns of the orthonormal DCT-II, (mels, count); in single precision they'd cost two digits."""
    angles = np.outer(2 * np.arange(mels) + 1, np.arange(count)) * np.pi / (2 * mels)
    scale = np.sqrt(np.where(np.arange(count) == 0, 1, 2) / mels)
    cosines: NDArray[np.float64] = np.cos(angles) * scale
    return cosines

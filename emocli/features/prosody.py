"""Prosody of each frame: pitch, how voiced it is, jitter, shimmer, and harmonics to noise.

A row holds the pitch in Hz (0 without one), the probability of a voice, jitter and shimmer (0.01 is one per cent) and
the ratio of harmonics to noise in decibels (-20 to 40); the last three are 0 in frames without a pitch.

The pitch is that of librosa.pyin (Mauch and Dixon, ICASSP 2014): the likeliest path through the candidates of the whole
clip. With tracker=yin it is that of librosa.yin (de Cheveigné and Kawahara, JASA 2002), each frame by itself; a frame
counts as voiced where it differs from itself a period later by less than 0.4, and the probability is 1 less that
difference. Jitter and shimmer are Praat's local measures of its pulses by cross-correlation, over up to eight cycles
about the frame's middle. Harmonics to noise is Boersma's (1993), from the autocorrelation at the pitch's period.

Options:
    fmin: lowest pitch in Hz
    fmax: highest pitch in Hz
    tracker: pyin, or yin, which streams
    n_fft: samples of a frame, at 16 kHz; two periods of the lowest pitch at least
    hop: samples from one frame to the next
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features import _cycles, _harmonicity, _pyin, _yin
from emocli.sound.frames import Block, Framing
from emocli.sound.framewise import Framewise
from emocli.sound.sounds import RATE_HZ

MODALITY = "speech"

Track = Callable[[Iterable[Block]], tuple[NDArray[np.float64], NDArray[np.float64]]]


def extractor(
    *, fmin: float = 60.0, fmax: float = 600.0, tracker: str = "pyin", n_fft: int = 2048, hop: int = 512
) -> Framewise:
    """Return the function from n sounds to n arrays (frames, 5) float32."""
    framing = Framing(n_fft, hop)
    shortest, longest = _yin.periods(fmin, fmax, n_fft)
    trackers: dict[str, Track] = {
        "pyin": lambda blocks: _pyin.track(blocks, _pyin.Grid(fmin, fmax, n_fft, hop)),
        "yin": lambda blocks: _yin.track(blocks, shortest, longest),
    }
    if tracker not in trackers:
        raise EmoError(f"prosody has no tracker {tracker!r}; choose pyin or yin")

    def rows(blocks: Iterable[Block]) -> NDArray[np.float32]:
        hz, voiced = trackers[tracker](blocks)
        found = np.stack([hz, voiced, *np.zeros((3, len(hz)))], axis=1)
        start = 0
        for block in blocks:
            _describe(block, found[start : start + len(block.samples)])
            start += len(block.samples)
        return found.astype(np.float32)

    whole = "pyin looks for the likeliest pitch of the whole clip; set tracker=yin" if tracker == "pyin" else ""
    return Framewise(framing, rows, whole=whole)


def _describe(block: Block, found: NDArray[np.float64]) -> None:
    """Fill in jitter, shimmer and harmonics to noise of a block's voiced frames."""
    voiced = np.flatnonzero(found[:, 0])
    if len(voiced):
        period = RATE_HZ / found[voiced, 0]
        found[voiced, 2], found[voiced, 3] = _cycles.irregularity(block.samples[voiced], period)
        found[voiced, 4] = _harmonicity.ratio(block.samples[voiced], period)

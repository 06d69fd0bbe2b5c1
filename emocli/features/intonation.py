"""One vector a clip: how the voice's pitch lies and moves, how often it is voiced, and how rough it is.

Twenty numbers from the frames of `prosody`, with pitch in semitones above 55 Hz: its mean, deviation, percentiles 5,
20, 50, 80 and 95, the range from the first of these to the last, and the mean step from one voiced frame to the next;
share of frames with a voice, mean and deviation of its probability; mean and deviation each of jitter, shimmer and
harmonics to noise; mean length of a voiced stretch in seconds, and stretches a second. A clip without a voice has zeros
for all that is of voiced frames. Beside the means of the spectrum it is what eGeMAPS is about, in half as many numbers:
-x utterance+intonation.

Options:
    fmin: lowest pitch in Hz
    fmax: highest pitch in Hz
    tracker: pyin, or yin, which is quicker
    n_fft: samples of a frame, at 16 kHz; two periods of the lowest pitch at least
    hop: samples from one frame to the next
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.features import prosody
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

_REFERENCE_HZ = 55.0
_PERCENTILES = (5, 20, 50, 80, 95)
_LEAP = 2.0
"""Semitones from one frame to the next from which on the tracker has changed its mind, not the voice its pitch."""


def extractor(
    *, fmin: float = 60.0, fmax: float = 600.0, tracker: str = "pyin", n_fft: int = 2048, hop: int = 256
) -> Callable[[Sequence[Sound]], NDArray[np.float32]]:
    """Return the function from n sounds to (n, 20) float32."""
    rows = prosody.extractor(fmin=fmin, fmax=fmax, tracker=tracker, n_fft=n_fft, hop=hop)

    def extract(sounds: Sequence[Sound]) -> NDArray[np.float32]:
        return np.stack([_described(frames, hop / RATE_HZ) for frames in rows(sounds)]).astype(np.float32)

    return extract


def _described(frames: NDArray[np.float32], seconds: float) -> NDArray[np.float64]:
    """Return the numbers of a clip from (frames, 5), `seconds` apart."""
    rows = frames.astype(np.float64)
    voiced = rows[:, 0] > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], voiced.astype(np.int8), [0]])))
    lengths = np.diff(edges)[::2] * seconds
    about = [voiced.mean(), rows[:, 1].mean(), rows[:, 1].std()]
    if not voiced.any():
        return np.array([*np.zeros(9), *about, *np.zeros(8)])
    rough = [number for column in (2, 3, 4) for number in (rows[voiced, column].mean(), rows[voiced, column].std())]
    stretches = [lengths.mean(), len(lengths) / (len(rows) * seconds)]
    return np.array([*_melody(rows[:, 0], voiced), *about, *rough, *stretches])


def _melody(hz: NDArray[np.float64], voiced: NDArray[np.bool_]) -> list[float]:
    """Return what there is to say of the pitch in voiced frames, in semitones."""
    every = 12 * np.log2(np.where(voiced, hz, _REFERENCE_HZ) / _REFERENCE_HZ)
    steps = np.abs(np.diff(every))[voiced[1:] & voiced[:-1]]
    steps = steps[steps < _LEAP]
    moved = steps.mean() if len(steps) else 0.0
    semitones = every[voiced]
    places = np.percentile(semitones, _PERCENTILES)
    return [semitones.mean(), semitones.std(), *places, places[-1] - places[0], moved]

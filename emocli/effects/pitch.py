"""Pitch: a voice higher or lower in the same time, stretched by a phase vocoder and resampled.

Flanagan and Golden (Bell System Technical Journal 1966): the phase of each bin goes on as fast as it did between two
frames of the sound, whatever the distance of the frames that are put together. Formants move with the pitch.

Options:
    semitones: change of pitch, -12 to 12
"""

import numpy as np
import soxr
from numpy.random import Generator
from numpy.typing import NDArray

from emocli.effects._effect import Effect, strengths
from emocli.sound import mixing
from emocli.sound.noises import Others
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

_SIZE, _HOP = 1024, 256
_WINDOW = np.hanning(_SIZE + 1)[:-1].astype(np.float32)


def effect(*, semitones: str = "-2:2") -> Effect:
    """Return the function that changes the pitch of a sound; its length and its loudness stay."""
    changes = strengths("semitones", semitones, -12, 12, "semitones")

    def higher(sound: Sound, random: Generator, others: Others) -> Sound:
        ratio = 2 ** (changes.draw(random) / 12)
        longer = _stretched(sound, ratio)
        shifted = np.zeros(len(sound), np.float32)
        resampled = soxr.resample(longer, RATE_HZ * ratio, RATE_HZ, quality="HQ")[: len(sound)]
        shifted[: len(resampled)] = resampled
        return mixing.as_loud_as(shifted, sound)

    return higher


def _stretched(sound: Sound, ratio: float) -> Sound:
    """Return a sound `ratio` times as long at the same pitch."""
    around = np.pad(sound, (_SIZE // 2, _SIZE // 2 + 2 * _HOP))
    frames = np.lib.stride_tricks.sliding_window_view(around, _SIZE)[::_HOP]
    spectra = np.fft.rfft(frames * _WINDOW, axis=1)
    places = np.arange(0, len(spectra) - 1, 1 / ratio)
    before = places.astype(np.int64)
    share = (places - before)[:, None]
    sizes = np.abs(spectra)
    # what a bin turns in a hop, to the nearest turn around that of its middle
    middle = 2 * np.pi * _HOP * np.arange(spectra.shape[1]) / _SIZE
    turns = np.angle(spectra[1:]) - np.angle(spectra[:-1]) - middle
    turns += middle - 2 * np.pi * np.rint(turns / (2 * np.pi))
    # a frame has turned as far as all before it, not as it will itself
    phases = np.angle(spectra[0]) + np.cumsum(turns[before], axis=0) - turns[before]
    made = ((1 - share) * sizes[before] + share * sizes[before + 1]) * np.exp(1j * phases)
    return _overlapped(np.fft.irfft(made, _SIZE, axis=1) * _WINDOW)[_SIZE // 2 :][: round(len(sound) * ratio)]


def _overlapped(frames: NDArray[np.float64]) -> Sound:
    """Return the sum of frames that lie a hop apart, as loud as one sound under the two windows."""
    parts = frames.reshape(len(frames), -1, _HOP)
    total = np.zeros((len(frames) + parts.shape[1] - 1, _HOP))
    for late in range(parts.shape[1]):
        total[late : late + len(frames)] += parts[:, late]
    return (total.ravel() / (_WINDOW @ _WINDOW / _HOP)).astype(np.float32)

"""Sounds added to one another at a ratio in decibels, and loudness that is kept or stays within full scale."""

import numpy as np
from numpy.typing import NDArray

from emocli.sound.sounds import Sound


def mix(sound: Sound, noise: Sound, snr_db: float) -> Sound:
    """Return a sound with a noise of the same length added, (samples,), in the ratio of their mean powers in decibels.

    Both are turned down together where the sum is beyond full scale, so that the ratio stays. Where either is silent
    there is no ratio, and the sound comes back as it is.
    """
    speech, disturbance = power(sound), power(noise)
    if not speech or not disturbance:
        return sound
    scale = np.sqrt(speech / disturbance) * 10 ** (-snr_db / 20)
    return within_full_scale(sound + np.float32(scale) * noise)


def power(sound: Sound) -> float:
    """Return the mean of the squared samples, 0 without any."""
    samples = sound.astype(np.float64)
    return float(samples @ samples) / len(samples) if len(samples) else 0.0


def within_full_scale(sound: Sound) -> Sound:
    """Return a sound turned down until it is nowhere beyond -1 to 1; one that is not comes back as it is."""
    peak = float(np.abs(sound).max(initial=0))
    return sound / np.float32(peak) if peak > 1 else sound


def as_loud_as(sound: NDArray[np.floating], other: Sound) -> Sound:
    """Return a sound with the mean power of another, as far as full scale lets it; silence stays silence."""
    own = power(sound.astype(np.float32))
    scale = np.sqrt(power(other) / own) if own else 0.0
    return within_full_scale((sound * scale).astype(np.float32))


def of_length(sound: Sound, samples: int, random: np.random.Generator) -> Sound:
    """Return a piece of a sound from a place of chance, over its end from its beginning on, (samples,)."""
    return np.take(sound, np.arange(samples) + random.integers(len(sound)), mode="wrap")

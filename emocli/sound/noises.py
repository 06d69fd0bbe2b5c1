"""Noise by its name: white, pink, and the babble of other people speaking at once."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from emocli.errors import EmoError
from emocli.sound import mixing
from emocli.sound.sounds import RATE_HZ, Sound

Others = Callable[[Generator], Sound]
"""A clip of chance out of the same corpus, of somebody else where the corpus names speakers."""

KINDS = ("white", "pink", "babble")
RATIOS_DB = (-20.0, 80.0)
"""Signal to noise that can be asked for, from the least to the most."""
TALKERS = 6
"""Clips that are babble unless said otherwise."""
_LOWEST_HZ, _TRIES = 20.0, 20


def make(kind: str, samples: int, random: Generator, others: Others, talkers: int = TALKERS) -> Sound:
    """Return (samples,) of a noise, of any loudness. Raises EmoError for one that is not among `KINDS`."""
    if kind == "white":
        return random.standard_normal(samples, np.float32)
    if kind == "pink":
        return _pink(samples, random)
    if kind == "babble":
        return _babble(samples, random, others, talkers)
    raise EmoError(f"no noise {kind!r}; choose {', '.join(KINDS)}")


def _pink(samples: int, random: Generator) -> Sound:
    """Noise whose power falls by 3 dB an octave from 20 Hz on."""
    size = 1 << max(1, (samples - 1).bit_length())
    bins = size // 2 + 1
    spectrum = random.standard_normal((bins, 2), np.float32).view(np.complex64)[:, 0]
    hertz = np.maximum(np.arange(bins) * (RATE_HZ / size), _LOWEST_HZ)
    spectrum /= np.sqrt(hertz).astype(np.float32)
    spectrum[0] = 0
    return np.fft.irfft(spectrum, size)[:samples].astype(np.float32)


def _babble(samples: int, random: Generator, others: Others, talkers: int) -> Sound:
    """Clips that are each as loud as any other, each from a place of chance on, and over its end from its beginning."""
    total, heard = np.zeros(samples, np.float32), 0
    for _ in range(talkers + _TRIES):
        clip = others(random)
        if loudness := mixing.power(clip):
            total += mixing.of_length(clip, samples, random) / np.float32(np.sqrt(loudness))
            heard += 1
        if heard == talkers:
            break
    return total

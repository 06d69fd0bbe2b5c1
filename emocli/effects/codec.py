"""Telephone: the band of 300 to 3,400 Hz at 8 kHz, in few bits that are finer for quiet sounds (G.711: 8 bits).

Sender and receiver filter alike; between them a sample is rounded behind the curve of µ-law or A-law.

Options:
    bits: bits of a sample, whole numbers from 3 to 16; 8 is the telephone
    law: mu (North America, Japan), a (elsewhere); any draws one of the two
    low: where the band begins, in Hz
    high: where it ends, in Hz, at most 3,800
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from emocli.effects._effect import Effect, strengths
from emocli.errors import EmoError
from emocli.sound import mixing
from emocli.sound.noises import Others
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

_MU, _A = 255.0, 87.6
_EDGE_HZ, _PAD = 200.0, 1024
Floats = NDArray[np.float64]


def effect(*, bits: str = "6:8", law: str = "any", low: float = 300.0, high: float = 3400.0) -> Effect:
    """Return the function that sends a sound over a telephone line; it keeps its length."""
    depths = strengths("bits", bits, 3, 16, "bits")
    if depths.low % 1 or depths.high % 1:
        raise EmoError(f"bits={bits} are no whole numbers; use 6:8, or 8")
    if law not in ("any", *_LAWS):
        raise EmoError(f"no law={law}; choose any, {', '.join(_LAWS)}")
    if not 0 <= low < high <= 3800:
        raise EmoError(f"low={low:g} and high={high:g} are no band in Hz from 0 to 3800")
    laws = list(_LAWS.values()) if law == "any" else [_LAWS[law]]

    def over_the_line(sound: Sound, random: Generator, others: Others) -> Sound:
        depth = int(random.integers(int(depths.low), int(depths.high) + 1))
        curve, back = laws[random.integers(len(laws))]
        size = 1 << (len(sound) + _PAD - 1).bit_length()
        half = size // 2
        band = _band(half // 2 + 1, low, high)
        # the lower half of the spectrum is the sound at 8 kHz
        sent = np.fft.irfft(np.fft.rfft(sound, size)[: half // 2 + 1] * band, half) / 2
        steps = 2 ** (depth - 1) - 1
        got = back(np.rint(curve(np.clip(sent, -1, 1)) * steps) / steps)
        received = np.fft.irfft(np.fft.rfft(got) * band * 2, size)[: len(sound)]
        return mixing.within_full_scale(received.astype(np.float32))

    return over_the_line


def _band(bins: int, low: float, high: float) -> Floats:
    """Return the gain of each bin up to 4 kHz: 1 from low to high, with slopes of 200 Hz outside that are cosines."""
    hertz = np.linspace(0, RATE_HZ / 4, bins)
    within = np.minimum(hertz - low, high - hertz) / _EDGE_HZ
    gain: Floats = 0.5 + 0.5 * np.cos(np.pi * np.clip(-within, 0, 1))
    return gain


def _mu(x: Floats) -> Floats:
    return _signed(x, np.log1p(_MU * np.abs(x)) / np.log1p(_MU))


def _mu_back(y: Floats) -> Floats:
    return _signed(y, np.expm1(np.abs(y) * np.log1p(_MU)) / _MU)


def _a(x: Floats) -> Floats:
    size = _A * np.abs(x)
    return _signed(x, np.where(size < 1, size, 1 + np.log(np.maximum(size, 1))) / (1 + np.log(_A)))


def _a_back(y: Floats) -> Floats:
    size = np.abs(y) * (1 + np.log(_A))
    return _signed(y, np.where(size < 1, size, np.exp(size - 1)) / _A)


def _signed(like: Floats, sizes: Floats) -> Floats:
    signed: Floats = np.copysign(sizes, like)
    return signed


_LAWS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "mu": (_mu, _mu_back),
    "a": (_a, _a_back),
}

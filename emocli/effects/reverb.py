"""Reverberation: the clip in a room, whose response is noise that dies away exponentially (Polack 1988).

The direct sound comes first and unchanged, then the room's, 60 dB weaker after RT60. The clip keeps its length and its
loudness; what rings on after its end is cut off.

Options:
    rt60: seconds in which the reverberation falls by 60 dB, 0.05 to 5
    direct: direct sound to reverberation in decibels (DRR), -20 to 40
"""

import math

import numpy as np
from numpy.random import Generator

from emocli.effects._effect import Effect, strengths
from emocli.sound import mixing
from emocli.sound.noises import Others
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"


def effect(*, rt60: str = "0.2:0.8", direct: str = "0:10") -> Effect:
    """Return the function that puts a sound into a room."""
    times = strengths("rt60", rt60, 0.05, 5, "seconds")
    ratios = strengths("direct", direct, -20, 40, "decibels")

    def distant(sound: Sound, random: Generator, others: Others) -> Sound:
        response = _response(times.draw(random), ratios.draw(random), random)[: len(sound)]
        size = 1 << (len(sound) + len(response) - 1).bit_length()
        spectrum = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
        return mixing.as_loud_as(np.fft.irfft(spectrum, size)[: len(sound)], sound)

    return distant


def _response(seconds: float, direct_db: float, random: Generator) -> Sound:
    """Return the impulse response of a room, (samples,): the direct sound is 1."""
    samples = math.ceil(seconds * RATE_HZ)
    falling = np.exp(np.arange(1, samples + 1, dtype=np.float32) * np.float32(-math.log(1000) / samples))
    late = random.standard_normal(samples, np.float32) * falling
    late *= np.float32(10 ** (-direct_db / 20) / math.sqrt(late @ late))
    return np.concatenate([np.ones(1, np.float32), late])

"""Loudness: the clip turned up or down; what is then beyond full scale is clipped, as a recorder does it.

Options:
    db: change in decibels, -60 to 60
"""

import numpy as np
from numpy.random import Generator

from emocli.effects._effect import Effect, strengths
from emocli.sound.noises import Others
from emocli.sound.sounds import Sound

MODALITY = "speech"


def effect(*, db: str = "-15:6") -> Effect:
    """Return the function that changes the level of a sound."""
    changes = strengths("db", db, -60, 60, "decibels")

    def louder(sound: Sound, random: Generator, others: Others) -> Sound:
        turned: Sound = np.clip(sound * np.float32(10 ** (changes.draw(random) / 20)), -1, 1)
        return turned

    return louder

"""Speed of the tape: faster and higher or slower and lower, by resampling (Ko et al., Interspeech 2015).

Options:
    factor: how much faster, 0.5 to 2: 1.1 is a tenth higher and that much shorter; drawn evenly by its logarithm
"""

import numpy as np
import soxr
from numpy.random import Generator

from emocli.effects._effect import Effect, strengths
from emocli.sound import mixing
from emocli.sound.noises import Others
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"


def effect(*, factor: str = "0.9:1.1") -> Effect:
    """Return the function that changes pitch and tempo of a sound together; its length is divided by the factor."""
    factors = strengths("factor", factor, 0.5, 2, "speed")

    def faster(sound: Sound, random: Generator, others: Others) -> Sound:
        return mixing.within_full_scale(
            np.asarray(soxr.resample(sound, RATE_HZ * factors.draw_ratio(random), RATE_HZ, quality="HQ"), np.float32)
        )

    return faster

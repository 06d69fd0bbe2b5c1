"""Noise behind the voice: white, pink (3 dB less an octave), or babble of other clips of the train part.

Babble is several clips at once, each as loud as any other, of other speakers where the corpus names them. The ratio is
that of the mean powers over the whole clip; where the sum is beyond full scale both are turned down.

Options:
    snr: signal to noise in decibels, -20 to 80
    kind: white, pink or babble; any draws one of the three
    talkers: clips that are babble
"""

from numpy.random import Generator

from emocli.effects._effect import Effect, strengths
from emocli.errors import EmoError
from emocli.sound import mixing, noises
from emocli.sound.noises import Others
from emocli.sound.sounds import Sound

MODALITY = "speech"


def effect(*, snr: str = "5:20", kind: str = "any", talkers: int = 6) -> Effect:
    """Return the function that adds noise to a sound; the sound keeps its length."""
    ratios = strengths("snr", snr, *noises.RATIOS_DB, "decibels")
    if kind not in ("any", *noises.KINDS):
        raise EmoError(f"no noise kind={kind}; choose any, {', '.join(noises.KINDS)}")
    if not 1 <= talkers <= 100:
        raise EmoError(f"talkers={talkers} is no number of clips from 1 to 100")
    kinds = noises.KINDS if kind == "any" else (kind,)

    def noisy(sound: Sound, random: Generator, others: Others) -> Sound:
        ratio, which = ratios.draw(random), kinds[random.integers(len(kinds))]
        return mixing.mix(sound, noises.make(which, len(sound), random, others, talkers), ratio)

    return noisy

"""What every effect is, and the range that its strength is drawn from."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from emocli import numerals
from emocli.errors import EmoError
from emocli.sound.noises import Others
from emocli.sound.sounds import Sound

Effect = Callable[[Sound, Generator, Others], Sound]
"""A sound, (samples,) float32 from -1 to 1 at 16 kHz and at least one sample, to the changed one, within -1 to 1; what
is drawn, and where other clips come from. The same draws give the same sound."""


@dataclass(frozen=True, slots=True)
class Range:
    """The strengths from `low` to `high`."""

    low: float
    high: float

    def draw(self, random: Generator) -> float:
        """Return a strength of chance, each as likely as any other."""
        return float(random.uniform(self.low, self.high))

    def draw_ratio(self, random: Generator) -> float:
        """Return a ratio of chance: half as much is as likely as twice as much."""
        return math.exp(random.uniform(math.log(self.low), math.log(self.high)))


def strengths(name: str, text: str, least: float, most: float, unit: str) -> Range:
    """Return the range that LOW:HIGH says, or one number for both; raises EmoError unless from least to most."""
    low, colon, high = text.partition(":")
    found = Range(numerals.number(low), numerals.number(high if colon else low))
    if not least <= found.low <= found.high <= most:
        raise EmoError(f"{name}={text} is no range LOW:HIGH of {unit} from {least:g} to {most:g}")
    return found

"""Probabilities smoothed over time."""

import math
from typing import Any

from emocli.errors import EmoError
from emocli.serving import verdicts

Probabilities = dict[str, float]
_LONGEST_SECONDS = 3600.0


def check(time_constant: float) -> None:
    """Raise EmoError for seconds that nothing can be averaged over."""
    if not 0 <= time_constant <= _LONGEST_SECONDS:
        raise EmoError(f"--smooth {time_constant:g} is no time to average over; use 0 to {_LONGEST_SECONDS:g} seconds")


def blend(old: Probabilities, new: Probabilities, elapsed_seconds: float, time_constant: float) -> Probabilities:
    """Return the exponential mean of what was and, `elapsed_seconds` later, is; 0 for no smoothing.

    It has a time constant in seconds and not a weight per answer, so that dropped ones change nothing. What is smoothed
    is not rounded: many small steps would be none.
    """
    weight = 1 - math.exp(-elapsed_seconds / time_constant) if time_constant > 0 else 1.0
    return {label: old[label] + weight * (new[label] - old[label]) for label in new}


class Smoother:
    """One voice's answers, smoothed exponentially; over a long silence they forget what was before it."""

    def __init__(self, time_constant: float) -> None:
        self._time_constant = time_constant
        self._last: tuple[float, Probabilities] | None = None

    def update(self, seconds: float, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer at `seconds`, smoothed; times must not fall."""
        probabilities = answer["probabilities"]
        if self._last is not None:
            then, old = self._last
            probabilities = blend(old, probabilities, seconds - then, self._time_constant)
        self._last = (seconds, probabilities)
        return {**answer, **verdicts.of(probabilities)}

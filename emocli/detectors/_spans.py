"""From a score per step of a sound to the spans in which somebody speaks."""

from collections.abc import Iterable

from emocli.errors import EmoError
from emocli.sound.sounds import RATE_HZ

Span = tuple[int, int]
"""[start, stop) in samples."""
_LONGEST = 3600


def check(shortest: float, silence: float, margin: float) -> None:
    """Raise EmoError for durations in seconds that can't be."""
    for name, seconds in {"shortest": shortest, "silence": silence, "margin": margin}.items():
        if not 0 <= seconds <= _LONGEST:
            raise EmoError(f"{name}={seconds} is no duration in speech; use 0 to {_LONGEST} seconds")


def spans(
    scores: Iterable[float],
    length: int,
    *,
    step: int,
    on: float,
    off: float,
    shortest: float,
    silence: float,
    margin: float,
) -> list[Span]:
    """Return where somebody speaks in a sound of `length` samples, in order, with a score every `step` samples.

    A span begins with a score of `on` and ends where scores stay below `off` for `silence` seconds; what is not longer
    than `shortest` seconds is dropped, what is left gets `margin` seconds on each side, or half of the gap between two.
    """
    found: list[Span] = []
    start = quiet = -1
    for place, score in enumerate(scores):
        if score >= on:
            start, quiet = place * step if start < 0 else start, -1
        elif score < off and start >= 0:
            quiet = place * step if quiet < 0 else quiet
            if place * step - quiet >= silence * RATE_HZ:
                found.append((start, quiet))
                start = quiet = -1
    if start >= 0:
        found.append((start, length))
    long = [(first, last) for first, last in found if last - first > shortest * RATE_HZ]
    return _widened(long, length, round(margin * RATE_HZ))


def _widened(found: list[Span], length: int, margin: int) -> list[Span]:
    stops = [0] + [stop for _, stop in found]
    starts = [start for start, _ in found] + [length]
    # before the first span and after the last there is nobody to share the gap with
    room = [starts[0], *((starts[i] - stops[i]) // 2 for i in range(1, len(found))), length - stops[-1]]
    return [
        (start - min(margin, room[place]), stop + min(margin, room[place + 1]))
        for place, (start, stop) in enumerate(found)
    ]

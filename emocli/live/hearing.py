"""A whole live session with a voice: sound, windows, model and lines put together."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from emocli.live import clock, pipeline, windows
from emocli.live.pipeline import Outcome, Stats
from emocli.live.smoothing import Smoother
from emocli.live.sound_sources import SoundSource
from emocli.live.windows import Window
from emocli.serving.listening import Listener, Spans
from emocli.sound import sounds

LEAST_SPEECH_SECONDS = 0.3
"""What is shorter in a window is a click, or the tail of a word that an earlier window has answered."""

Answer = dict[str, Any] | None
"""Label and probabilities, None without speech."""
Row = dict[str, Any]
"""A window as it is printed: number, start, end and speech in seconds, label and probabilities."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a session did."""

    stats: Stats
    answered: int
    """Windows with enough speech for an answer."""
    sound_seconds: float

    def told(self, provider: str) -> str:
        """Return how it went, in a line."""
        speed = f"; {self.sound_seconds:.1f} s of sound in {self.stats.seconds:.1f} s"
        return f"{self.stats.told(provider, 'windows')}, {self.answered} with a voice{speed}"


def hear(
    source: SoundSource,
    listen: Listener,
    write: Callable[[Row], object],
    *,
    length: float = windows.LENGTH_SECONDS,
    hop: float = windows.HOP_SECONDS,
    smooth_seconds: float = 0.0,
    stop: Event,
    note: Callable[[str], None],
) -> Heard:
    """Classify the voice in each window of `source` until it ends or `stop` is set, and `write` a row per window.

    Raises EmoError as the source, the detector and the engine do; whatever ends it, the source is released.
    """
    pieces = windows.cut(source.blocks, length, hop)
    if source.paced:
        pieces = clock.paced(pieces, windows.media_time, begin=0.0)
    smoother, clipping = Smoother(smooth_seconds), _Clipping(source.name, note)
    answered, seconds = 0, 0.0

    def find(window: Window) -> Spans:
        clipping.look(window)
        return listen.find_speech(window.samples)

    def answer(window: Window, spans: Spans) -> tuple[float, Answer]:
        speech = sum(last - first for first, last in spans) / sounds.RATE_HZ
        return speech, listen.classify(window.samples, spans) if speech >= LEAST_SPEECH_SECONDS else None

    def show(outcome: Outcome[Window, tuple[float, Answer]]) -> None:
        nonlocal answered, seconds
        window, (speech, said) = outcome.read, outcome.said
        seconds = window.end
        if said:
            answered += 1
            said = smoother.update(window.end, said)
        write(_row(window, speech, said))

    stats = pipeline.run(pieces, find, answer, show, live=source.live, stop=stop)
    return Heard(stats, answered, seconds)


def _row(window: Window, speech: float, said: Answer) -> Row:
    times = {"start": round(window.start, 3), "end": round(window.end, 3), "speech": round(speech, 2)}
    return {"window": window.index, **times, **(said or {"label": None})}


class _Clipping:
    """Says once that a sound is clipped."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self._name, self._note, self._told = name, note, False

    def look(self, window: Window) -> None:
        if not self._told and sounds.is_clipped(sounds.to_int16(window.samples)):
            self._told = True
            self._note(f"{self._name} is clipped from {window.start:.1f} s on: louder than its recorder could hold")

"""A whole live session with a voice: sound, windows, model and lines put together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from emocli.live import clock, pipeline, windows
from emocli.live.pipeline import Outcome, Stats
from emocli.live.smoothing import Smoother
from emocli.live.sound_sources import SoundSource
from emocli.live.windows import LEAST_SPEECH_SECONDS, Window
from emocli.serving.listening import Listener, Spans
from emocli.sound import sounds
from emocli.telling import Note

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
    seconds: float
    """It took, from its begin: of a sound that comes at its own pace no less than it lasts."""

    def told(self, provider: str) -> str:
        """Return how it went, in a line."""
        speed = f"; {self.sound_seconds:.1f} s of sound in {self.seconds:.1f} s"
        return f"{self.stats.told(provider, 'windows')}, {self.answered} with a voice{speed}"


def hear(
    source: SoundSource,
    listen: Listener,
    write: Callable[[Row], object],
    *,
    length: float,
    hop: float,
    smooth_seconds: float = 0.0,
    stop: Event,
    note: Note,
) -> Heard:
    """Classify the voice in the last `length` seconds of `source` every `hop` seconds until it ends or `stop` is set.

    `write` gets a row for each of these windows.
    Raises EmoError as the source, the detector and the engine do; whatever ends it, the source is released.
    """
    pieces = windows.cut(source.blocks, length, hop)
    if source.paced:
        pieces = clock.paced(pieces, windows.media_time, begin=0.0, sleep=source.over.wait)
    classify = Following(listen, length).classify if listen.follow else _each_anew(listen)
    clipping, rows = _Clipping(source.name, note), _Rows(write, smooth_seconds)

    def find(window: Window) -> Spans:
        clipping.look(window)
        return listen.find_speech(window.samples)

    def answer(window: Window, spans: Spans) -> tuple[float, Answer]:
        said = classify(window, spans)
        speech = _seconds(spans)
        return speech, said if speech >= LEAST_SPEECH_SECONDS else None

    begun = time.monotonic()
    stats = pipeline.run(pieces, find, answer, rows.show, live=source.live, stop=stop, over=source.over)
    return Heard(stats, rows.answered, rows.seconds, time.monotonic() - begun)


class _Rows:
    """Writes a row per window, smoothed, and counts."""

    def __init__(self, write: Callable[[Row], object], smooth_seconds: float) -> None:
        self._write, self._smoother = write, Smoother(smooth_seconds)
        self.answered, self.seconds = 0, 0.0

    def show(self, outcome: Outcome[Window, tuple[float, Answer]]) -> None:
        """Write what the engine said of a window."""
        window, (speech, said) = outcome.read, outcome.said
        self.seconds = window.end
        if said:
            self.answered += 1
            said = self._smoother.update(window.end, said)
        times = {"start": round(window.start, 3), "end": round(window.end, 3), "speech": round(speech, 2)}
        self._write({"window": window.index, **times, **(said or {"label": None})})


def _seconds(spans: Spans) -> float:
    return sum(last - first for first, last in spans) / sounds.RATE_HZ


def _each_anew(listen: Listener) -> Callable[[Window, Spans], Answer]:
    """Return what hears each window from its beginning."""
    return lambda window, spans: (
        listen.classify(window.samples, spans) if _seconds(spans) >= LEAST_SPEECH_SECONDS else None
    )


class Following:
    """Follows a voice with a model that keeps its state: what windows share is heard once.

    The state begins with the first word after a window of silence; the answer is about the last window's length.
    """

    def __init__(self, listen: Listener, length: float) -> None:
        assert listen.follow is not None
        self._listen, self._carrier = listen, listen.follow(length)
        self._heard: int | None = None

    def classify(self, window: Window, spans: Spans) -> Answer:
        """Return what is heard up to the last word of a window; windows come in order, some may be missing."""
        if not spans:
            self._heard = None
            return None
        begin = round(window.start * sounds.RATE_HZ)
        first, last = (spans[0][0], spans[-1][1]) if self._listen.cuts else (0, len(window.samples))
        if self._heard is None or self._heard < begin:
            self._carrier.begin()
            self._heard = begin + first
        if begin + last > self._heard:
            self._carrier.push(window.samples[self._heard - begin : last])
            self._heard = begin + last
        logits = self._carrier.logits()
        return None if logits is None else self._listen.say(logits)


class _Clipping:
    """Says once that a sound is clipped."""

    def __init__(self, name: str, note: Note) -> None:
        self._name, self._note, self._told = name, note, False

    def look(self, window: Window) -> None:
        if not self._told and sounds.is_clipped(sounds.to_int16(window.samples)):
            self._told = True
            self._note(f"{self._name} is clipped from {window.start:.1f} s on: louder than its recorder could hold")

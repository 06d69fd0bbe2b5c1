"""Ctrl-C as an ordinary end of a live session."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def ended_by_interrupt(stop: Event) -> Iterator[Event]:
    """Make the first Ctrl-C set `stop`, so that a recording is finished; a second one interrupts as usual.

    Gives an event that tells afterwards whether it was Ctrl-C that ended the session. For the main thread only.
    """
    interrupted = Event()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)

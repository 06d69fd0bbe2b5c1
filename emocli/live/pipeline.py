"""The live pipeline: source, detector and engine in a thread each, the sink in the caller's, bounded queues between.

What is read may be frames of a camera or windows of a sound. A queue drops its oldest piece when the source is live, so
that what is shown is never old; for files it makes the faster side wait, so that every piece comes out and the results
are the same on every run.
"""

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import Any, Generic, TypeVar

import numpy as np

from emocli.live.channel import Channel, Closed
from emocli.live.clock import Rate

Read = TypeVar("Read")
Found = TypeVar("Found")
Said = TypeVar("Said")

CAPACITY = 2
"""Pieces per queue: one being handed over and one ready; more would only make live results older."""
LATENCIES_KEPT = 10_000
POLL_SECONDS = 0.1
"""How often the caller's thread looks at `stop` while nothing comes."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a run did. A piece's latency, over the last 10,000, is from having read it to the sink's return."""

    read: int
    dropped: int
    processed: int
    fps: float
    """Pieces that came out per second, from the first to the last of them."""
    p50_ms: float
    p95_ms: float
    seconds: float
    """From the first piece that was read to the last that came out."""

    def told(self, provider: str, pieces: str = "frames") -> str:
        """Return how the run went, in a line; `provider` is what ran the model."""
        speed = f"{self.fps:.1f} {pieces}/s, latency {self.p50_ms:.1f} ms (p95 {self.p95_ms:.1f})"
        return f"{self.processed} {pieces} on {provider}, {self.dropped} dropped, {speed}"


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Read, Said]):
    """What was read, what the engine said of it, and how it went."""

    read: Read
    said: Said
    latency_seconds: float
    """From having read it to having the answer."""
    rate_hz: float
    """Answers per second, over the last few."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A piece on its way and the time at which it was read; each stage adds what it found."""

    read: Any
    born: float
    found: Any = None
    said: Any = None


_Items = Generator[_Item, None, None] | Channel[_Item]


def run(
    source: Generator[Read, None, None],
    find: Callable[[Read], Found],
    answer: Callable[[Read, Found], Said],
    sink: Callable[[Outcome[Read, Said]], object],
    *,
    live: bool,
    stop: Event,
    over: Event | None = None,
) -> Stats:
    """Pass the pieces of `source` through detector and engine to `sink`, in order, until they end or `stop` is set.

    `sink` runs in the calling thread, as windows demand. An error in any stage ends all of them; what was finished
    before it still reaches the sink, then it is raised here as it was. On return, by whatever way, the threads have
    ended and the source is closed. `over` is set when it has to end, for a source that waits for what may never come.
    """
    read, found, answered = channels = [Channel[_Item](CAPACITY, drop_oldest=live) for _ in range(3)]
    tally, faults = _Tally(), list[BaseException]()
    threads = [
        _stage("source", _dated(source, tally), lambda item: item, read, faults),
        _stage("detector", read, lambda item: replace(item, found=find(item.read)), found, faults),
        _stage("engine", found, lambda item: replace(item, said=answer(item.read, item.found)), answered, faults),
    ]
    try:
        _drain(answered, sink, stop, tally)
    finally:
        if over:
            over.set()
        for channel in channels:
            channel.close()
        for thread in threads:
            thread.join()
    if faults:
        raise faults[0]
    return tally.stats(dropped=sum(channel.dropped for channel in channels))


def _stage(
    name: str,
    items: _Items,
    work: Callable[[_Item], _Item],
    output: Channel[_Item],
    faults: list[BaseException],
) -> Thread:
    """Start a thread that works on `items` one by one; when it ends, so do its neighbours, each when it notices."""

    def loop() -> None:
        try:
            with closing(items):
                for item in items:
                    output.put(work(item))
        except Closed:
            pass
        except BaseException as fault:  # whatever it is, it belongs to the caller
            faults.append(fault)
        finally:
            output.end()

    # a daemon: a camera driver that hangs must not keep a second Ctrl-C from ending the process
    thread = Thread(target=loop, name=f"emo-{name}", daemon=True)
    thread.start()
    return thread


def _dated(source: Generator[Any, None, None], tally: "_Tally") -> Generator[_Item, None, None]:
    with closing(source):
        for piece in source:
            tally.read += 1
            yield _Item(piece, time.monotonic())


def _drain(answered: Channel[_Item], sink: Callable[[Outcome[Any, Any]], object], stop: Event, tally: "_Tally") -> None:
    while not stop.is_set():
        try:
            item = answered.get(POLL_SECONDS)
        except TimeoutError:
            continue
        except Closed:
            return
        now = time.monotonic()
        sink(Outcome(item.read, item.said, now - item.born, tally.rate.tick(now)))
        tally.note(item)


@dataclass(slots=True)
class _Tally:
    """Counts and times of a run."""

    read: int = 0
    processed: int = 0
    started: float = 0.0
    first: float = 0.0
    ended: float = 0.0
    rate: Rate = field(default_factory=Rate)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def note(self, item: _Item) -> None:
        """Note that the sink has `item`."""
        self.ended = time.monotonic()
        self.started, self.first = self.started or item.born, self.first or self.ended
        self.processed += 1
        self.latencies.append(self.ended - item.born)

    def stats(self, dropped: int) -> Stats:
        """Return the summary of the run."""
        spent, between = self.ended - self.started, self.ended - self.first
        fps = (self.processed - 1) / between if between > 0 else self.processed / spent if spent > 0 else 0.0
        p50, p95 = np.percentile(self.latencies, (50, 95)) * 1000 if self.latencies else (0.0, 0.0)
        times = round(fps, 1), round(float(p50), 1), round(float(p95), 1), spent
        return Stats(self.read, dropped, self.processed, *times)

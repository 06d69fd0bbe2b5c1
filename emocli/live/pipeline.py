"""The live pipeline: source, detector and engine in a thread each, the sink in the caller's, bounded queues between.

A queue drops its oldest frame when the source is live, so that what is shown is never old; for files it makes the
faster side wait, so that every frame comes out and the results are the same on every run.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event, Thread

import numpy as np

from emocli.image.faces import Face
from emocli.live.channel import Channel, Closed
from emocli.live.clock import Rate
from emocli.live.frames import Frame, Frames, Result
from emocli.serving.prediction import FaceRecord, Pixels

CAPACITY = 2
"""Frames per queue: one being handed over and one ready; more would only make live results older."""
LATENCIES_KEPT = 10_000
POLL_SECONDS = 0.1
"""How often the caller's thread looks at `stop` while no frame comes."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What a run did. A frame's latency is from having read it to having its faces; over the last 10,000 frames."""

    read: int
    dropped: int
    processed: int
    fps: float
    p50_ms: float
    p95_ms: float

    def told(self, provider: str) -> str:
        """Return how the run went, in a line; `provider` is what ran the model."""
        speed = f"{self.fps:.1f} frames/s, latency {self.p50_ms:.1f} ms (p95 {self.p95_ms:.1f})"
        return f"{self.processed} frames on {provider}, {self.dropped} dropped, {speed}"


@dataclass(frozen=True, slots=True)
class _Item:
    """A frame on its way and the time at which it was read; each stage adds what it found."""

    frame: Frame
    born: float
    faces: Sequence[Face] = ()
    records: Sequence[FaceRecord] = ()


_Items = Generator[_Item, None, None] | Channel[_Item]


def run(
    source: Frames,
    find_faces: Callable[[Pixels], Sequence[Face]],
    classify: Callable[[Pixels, Sequence[Face]], Sequence[FaceRecord]],
    sink: Callable[[Result], object],
    *,
    live: bool,
    stop: Event,
) -> Stats:
    """Pass the frames of `source` through detector and engine to `sink`, in order, until they end or `stop` is set.

    `sink` runs in the calling thread, as windows demand. An error in any stage ends all of them; what was finished
    before it still reaches the sink, then it is raised here as it was. On return, by whatever way, the threads have
    ended and the source is closed.
    """
    read, found, classified = channels = [Channel[_Item](CAPACITY, drop_oldest=live) for _ in range(3)]
    tally, faults = _Tally(), list[BaseException]()

    def detect(item: _Item) -> _Item:
        return replace(item, faces=find_faces(item.frame.pixels))

    def recognise(item: _Item) -> _Item:
        return replace(item, records=classify(item.frame.pixels, item.faces))

    threads = [
        _stage("source", _dated(source, tally), lambda item: item, read, faults),
        _stage("detector", read, detect, found, faults),
        _stage("engine", found, recognise, classified, faults),
    ]
    try:
        _drain(classified, sink, stop, tally)
    finally:
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


def _dated(source: Frames, tally: "_Tally") -> Generator[_Item, None, None]:
    with closing(source):
        for frame in source:
            tally.read += 1
            yield _Item(frame, time.monotonic())


def _drain(classified: Channel[_Item], sink: Callable[[Result], object], stop: Event, tally: "_Tally") -> None:
    while not stop.is_set():
        try:
            item = classified.get(POLL_SECONDS)
        except TimeoutError:
            continue
        except Closed:
            return
        sink(tally.result(item))


@dataclass(slots=True)
class _Tally:
    """Counts and times of a run."""

    read: int = 0
    processed: int = 0
    started: float = 0.0
    ended: float = 0.0
    rate: Rate = field(default_factory=Rate)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def result(self, item: _Item) -> Result:
        """Note that `item` is finished and return it for the sink."""
        self.ended = time.monotonic()
        self.started = self.started or item.born
        self.processed += 1
        latency_seconds = self.ended - item.born
        self.latencies.append(latency_seconds)
        return Result(item.frame, item.records, latency_seconds, self.rate.tick(self.ended))

    def stats(self, dropped: int) -> Stats:
        """Return the summary of the run."""
        spent = self.ended - self.started
        fps = self.processed / spent if spent > 0 else 0.0
        p50, p95 = np.percentile(self.latencies, (50, 95)) * 1000 if self.latencies else (0.0, 0.0)
        return Stats(self.read, dropped, self.processed, round(fps, 1), round(float(p50), 1), round(float(p95), 1))

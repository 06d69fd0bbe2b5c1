"""The live pipeline: order, back-pressure, dropping, errors and endings, driven by events and never by the clock."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from emocli.errors import EmoError
from emocli.image.faces import Face
from emocli.live import pipeline
from emocli.live.channel import Channel, Closed
from emocli.live.clock import Rate, paced
from emocli.live.frames import Frame, Frames, media_time
from emocli.live.pipeline import CAPACITY, Outcome, run
from emocli.serving.prediction import FaceRecord

Seen = Outcome[Frame, list[FaceRecord]]
FACE = Face((0, 0, 4, 4))
ENDLESS = float("inf")
LONG = 30.0
"""Seconds after which a test that hangs fails; nothing is expected to take them."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever a test does to a pipeline, its threads have ended when it returns."""
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("emo-")]


def numbered(count: float, closed: Event | None = None) -> Frames:
    """Frames whose pixels hold their own index, modulo 256."""
    try:
        for index in takewhile(lambda index: index < count, itertools.count()):
            yield Frame(index, index / 25, np.full((4, 4, 3), index % 256, np.uint8))
    finally:
        if closed:
            closed.set()


def find(frame: Frame) -> list[Face]:
    return [FACE]


def name(frame: Frame, faces: object) -> list[FaceRecord]:
    return [{"label": str(frame.pixels[0, 0, 0])}]


def test_every_frame_of_a_file_comes_out_in_order_with_its_own_faces() -> None:
    results: list[Seen] = []
    stats = run(numbered(50), find, name, results.append, live=False, stop=Event())
    assert [result.read.index for result in results] == list(range(50))
    assert [result.said[0]["label"] for result in results] == [str(index) for index in range(50)]
    assert (stats.read, stats.dropped, stats.processed) == (50, 0, 50)
    assert stats.p95_ms >= stats.p50_ms >= 0


def test_a_file_waits_for_a_slow_engine_instead_of_running_ahead() -> None:
    engine_may_go, reader_is_ahead = Event(), Event()
    most = 3 * CAPACITY + 3  # what queues and hands can hold
    given: list[int] = []

    def source() -> Frames:
        for frame in numbered(100):
            given.append(frame.index)
            if len(given) > CAPACITY:
                reader_is_ahead.set()
            yield frame

    def classify(frame: Frame, faces: object) -> list[FaceRecord]:
        if frame.index == 0:
            assert reader_is_ahead.wait(LONG)
            assert len(given) <= most
            engine_may_go.set()
        return name(frame, faces)

    stats = run(source(), find, classify, lambda result: None, live=False, stop=Event())
    assert engine_may_go.is_set()
    assert stats.processed == 100


def test_a_live_source_is_never_held_up_and_the_oldest_frames_go() -> None:
    all_read = Event()
    seen: list[int] = []

    def camera() -> Frames:
        yield from numbered(40)
        all_read.set()

    def detect(frame: Frame) -> list[Face]:
        assert all_read.wait(LONG)  # the first frame takes as long as all others need to arrive
        return [FACE]

    stats = run(camera(), detect, name, lambda result: seen.append(result.read.index), live=True, stop=Event())
    assert stats.read == 40
    assert stats.dropped + stats.processed == 40
    assert seen[-2:] == [38, 39]
    assert seen == sorted(seen)
    assert stats.processed <= CAPACITY + 1


def test_an_error_in_the_source_comes_after_the_frames_before_it() -> None:
    seen: list[int] = []

    def unplugged() -> Frames:
        yield from numbered(10)
        raise EmoError("camera 0 stopped")

    with pytest.raises(EmoError, match="camera 0 stopped"):
        run(unplugged(), find, name, lambda result: seen.append(result.read.index), live=False, stop=Event())
    assert seen == list(range(10))


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("stage", ["detector", "engine", "sink"])
def test_an_error_in_any_stage_ends_all_of_them_and_closes_the_source(stage: str, live: bool) -> None:
    closed = Event()

    calls = Counter[str]()

    def fails_at(name_of_stage: str) -> None:
        calls[name_of_stage] += 1
        if stage == name_of_stage and calls[stage] == 3:
            raise ZeroDivisionError(stage)

    def detect(frame: Frame) -> list[Face]:
        fails_at("detector")
        return [FACE]

    def classify(frame: Frame, faces: object) -> list[FaceRecord]:
        fails_at("engine")
        return name(frame, faces)

    with pytest.raises(ZeroDivisionError, match=stage):
        run(numbered(ENDLESS, closed), detect, classify, lambda result: fails_at("sink"), live=live, stop=Event())
    assert closed.is_set()


def test_a_reader_that_went_away_and_ctrl_c_pass_through() -> None:
    for fault in (BrokenPipeError, KeyboardInterrupt):
        closed = Event()

        def sink(result: Seen, fault: type[BaseException] = fault) -> None:
            raise fault

        with pytest.raises(fault):
            run(numbered(ENDLESS, closed), find, name, sink, live=False, stop=Event())
        assert closed.is_set()


def test_stop_set_by_the_sink_ends_the_run_at_that_frame() -> None:
    stop, closed = Event(), Event()
    seen: list[int] = []

    def quits(result: Seen) -> None:
        seen.append(result.read.index)
        if result.read.index == 5:
            stop.set()

    stats = run(numbered(ENDLESS, closed), find, name, quits, live=False, stop=stop)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert stats.processed == 6
    assert closed.is_set()


def test_stop_set_by_another_thread_ends_an_endless_source() -> None:
    stop, closed = Event(), Event()

    def camera() -> Frames:
        for frame in numbered(ENDLESS, closed):
            if frame.index == 100:
                stop.set()
            yield frame

    assert run(camera(), find, name, lambda result: None, live=True, stop=stop).read >= 100
    assert closed.is_set()


@pytest.mark.parametrize("stage", ["detector", "sink"])
def test_a_source_that_waits_is_told_when_it_is_over(stage: str) -> None:
    over = Event()

    def silent_after_one() -> Frames:
        yield from numbered(1)
        assert over.wait(LONG)

    def fails(*pieces: object) -> list[Face]:
        raise ZeroDivisionError

    stages = (fails, name, lambda result: None) if stage == "detector" else (find, name, fails)
    with pytest.raises(ZeroDivisionError):
        run(silent_after_one(), *stages, live=True, stop=Event(), over=over)


def test_an_empty_source_is_zero_frames_and_no_error() -> None:
    stats = run(numbered(0), find, name, lambda result: None, live=False, stop=Event())
    assert (stats.read, stats.processed, stats.fps, stats.p50_ms) == (0, 0, 0.0, 0.0)


def test_a_full_channel_gives_up_its_oldest_item() -> None:
    channel = Channel[int](2, drop_oldest=True)
    for item in range(5):
        channel.put(item)
    channel.end()
    assert list(channel) == [3, 4]
    assert channel.dropped == 3


def test_a_channel_ends_for_its_receiver_and_closes_for_its_sender() -> None:
    channel = Channel[int](2, drop_oldest=False)
    channel.put(1)
    with pytest.raises(TimeoutError):
        Channel[int](1, drop_oldest=False).get(0)
    channel.end()
    assert channel.get() == 1
    with pytest.raises(Closed):
        channel.get()
    channel.close()
    with pytest.raises(Closed):
        channel.put(2)


def test_a_sender_that_waits_for_room_is_released_when_the_receiver_goes() -> None:
    channel = Channel[int](1, drop_oldest=False)
    channel.put(1)
    released = Event()

    def send() -> None:
        with pytest.raises(Closed):
            channel.put(2)
        released.set()

    sender = threading.Thread(target=send)
    sender.start()
    channel.close()
    assert released.wait(LONG)
    sender.join()


def test_a_paced_file_waits_until_each_frame_is_due_and_never_when_it_is_late() -> None:
    clock = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        clock[0] += seconds

    for frame in paced(numbered(5), media_time, now=lambda: clock[0], sleep=sleep):
        if frame.index == 1:
            clock[0] += 0.1  # the viewer takes longer than two frames last
    assert slept == [0.04, 0.02]


def test_a_paced_sound_begins_before_its_first_window_is_due() -> None:
    clock = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        clock[0] += seconds

    assert list(paced((end for end in (0.5, 1.0)), lambda end: end, 0.0, lambda: clock[0], sleep)) == [0.5, 1.0]
    assert slept == [0.5, 0.5]


def test_the_rate_is_of_the_last_events() -> None:
    rate = Rate(window=3)
    assert rate.tick(0.0) == 0.0
    assert rate.tick(1.0) == 1.0
    assert rate.tick(1.5) == pytest.approx(2 / 1.5)
    assert rate.tick(2.0) == pytest.approx(2.0)


def test_the_rate_is_that_of_the_pace_and_latency_lasts_until_the_sink_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    tally, now = pipeline._Tally(), [0.0]
    monkeypatch.setattr(pipeline, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for second in (1.0, 1.5, 2.0, 2.5):
        now[0] = second + 0.1
        tally.note(pipeline._Item(None, born=second))
    found = tally.stats(0)
    assert (found.processed, found.fps, found.p50_ms, found.p95_ms) == (4, 2.0, 100.0, 100.0)
    assert found.seconds == pytest.approx(1.6)

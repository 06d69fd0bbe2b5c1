"""A whole live session: source, model and sinks put together."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TextIO

from emocli.live import pipeline, recording, sinks
from emocli.live.pipeline import Stats
from emocli.live.sources import Source
from emocli.serving.prediction import Predictor


def watch(
    source: Source,
    predict: Predictor,
    *,
    stop: Event,
    window: bool = False,
    lines: TextIO | None = None,
    save_video: Path | None = None,
    save_image: Path | None = None,
    force: bool = False,
    smooth_seconds: float = 0.0,
) -> Stats:
    """Classify the faces of `source` until it ends or `stop` is set, into each sink that is asked for.

    Raises EmoError as the source, the detector, the engine and the sinks do; whatever ends it, the source is released.
    """
    outputs: list[sinks.Sink] = [sinks.json_lines(lines)] if lines else []
    with ExitStack() as stack:
        stack.callback(source.frames.close)
        if save_video:
            outputs.append(stack.enter_context(recording.video_file(save_video, source.rate_hz, force=force)))
        if save_image:
            outputs.append(stack.enter_context(recording.picture_file(save_image, force=force)))
        if window:
            # here, because Qt is loaded by the first window only
            from emocli.live.window import window as opened

            outputs.append(stack.enter_context(opened(f"emo live: {source.name}", stop)))
        sink = sinks.all_of(*outputs)
        if smooth_seconds > 0:
            sink = sinks.smoothed(sink, smooth_seconds)
        return pipeline.run(source.frames, predict.find_faces, predict.classify, sink, live=source.live, stop=stop)


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

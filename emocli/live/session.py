"""A whole live session with faces: source, model and sinks put together."""

from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from typing import TextIO

from emocli.image.faces import Face
from emocli.live import pipeline, recording, sinks
from emocli.live.frames import Frame, Result
from emocli.live.pipeline import Outcome, Stats
from emocli.live.sources import Source
from emocli.serving.prediction import FaceRecord, Predictor


def watch(
    source: Source,
    predict: Predictor,
    *,
    stop: Event,
    window: bool = False,
    lines: TextIO | None = None,
    people: bool = False,
    save_video: Path | None = None,
    force: bool = False,
    smooth_seconds: float = 0.0,
) -> Stats:
    """Classify the faces of `source` until it ends or `stop` is set, into each sink that is asked for.

    `lines` gets a line for each frame, JSON or as for `people`.

    Raises EmoError as the source, the detector, the engine and the sinks do; whatever ends it, the source is released.
    """
    outputs: list[sinks.Sink] = [sinks.line_each(lines, people=people)] if lines else []
    with ExitStack() as stack:
        stack.callback(_close, source)
        if save_video:
            outputs.append(stack.enter_context(recording.video_file(save_video, source.rate_hz, force=force)))
        if window:
            # here, because Qt is loaded by the first window only
            from emocli.live.window import window as opened

            outputs.append(stack.enter_context(opened(f"emo live: {source.name}", stop)))
        sink = sinks.all_of(*outputs)
        if smooth_seconds > 0:
            sink = sinks.smoothed(sink, smooth_seconds)
        return pass_on(source, predict, sink, stop=stop)


def pass_on(source: Source, predict: Predictor, sink: sinks.Sink, *, stop: Event) -> Stats:
    """Pass frames through detector and engine to `sink` until they end or `stop` is set; see `pipeline.run`."""

    def find(frame: Frame) -> list[Face]:
        return predict.find_faces(frame.pixels)

    def classify(frame: Frame, faces: list[Face]) -> list[FaceRecord]:
        return predict.classify(frame.pixels, faces)

    def show(outcome: Outcome[Frame, list[FaceRecord]]) -> None:
        sink(Result(outcome.read, outcome.said, outcome.latency_seconds, outcome.rate_hz))

    return pipeline.run(source.frames, find, classify, show, live=source.live, stop=stop, over=source.over)


def _close(source: Source) -> None:
    # a thread that hangs in a camera's driver still has the generator: on a second Ctrl-C the process leaves without it
    with suppress(ValueError):
        source.frames.close()

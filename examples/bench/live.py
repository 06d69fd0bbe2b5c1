"""`emo live` with detector and engine overlapped in threads beside the same stages one after the other, in one run.

    python examples/bench/live.py [VIDEO] [MODEL.onnx]

Frames per second are those of a file, every frame of which is used. Latency is that of a camera of the same frame rate,
from a frame to its faces, oldest frames dropped; one after the other it is the time that a frame takes.
Without a video: noise of 640 x 480, in which every frame counts as one with one face. Without a model: a se-resnet with
random weights, as speed does not depend on them. YuNet finds the faces, or Haar where YuNet can't be had.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event

import cv2
import numpy as np

from emocli import onnx_file
from emocli.artifact import Header
from emocli.image.faces import Face
from emocli.labels import SEVEN
from emocli.live import session, sinks
from emocli.live.clock import paced
from emocli.live.frames import Frame, Frames, Result, media_time
from emocli.live.sources import Source, video
from emocli.serving.prediction import Pixels, Predictor, predictor

FRAMES, ROUNDS = 60, 5
FEATURES = {"command": "features", "name": "pixels", "params": {}, "detector": "none"}


def random_model(path: Path) -> Path:
    """Write a se-resnet with random weights."""
    import torch

    from emocli.models.se_resnet import build
    from emocli.training.export import to_onnx

    torch.manual_seed(0)
    model = to_onnx(build((1, 48, 48), len(SEVEN)), (1, 48, 48))
    onnx_file.write_header(model, Header("model", SEVEN, (FEATURES,), "fp32"))
    onnx_file.save(model, path)
    return path


def noise() -> Frames:
    """Frames without an end."""
    frames = np.random.default_rng(0).integers(0, 256, (8, 480, 640, 3), np.uint8)
    for index in range(FRAMES):
        yield Frame(index, index / 30, frames[index % len(frames)])


def start_of(path: Path) -> Frames:
    """The first frames of a video, decoded as they are asked for."""
    frames = video(path).frames
    for frame, _ in zip(frames, range(FRAMES), strict=False):
        yield frame
    frames.close()


def a_face_in_each(find: Callable[[Pixels], list[Face]]) -> Callable[[Pixels], list[Face]]:
    """The detector, with a made-up answer where it finds nothing, so that the engine always has work."""
    return lambda pixels: find(pixels) or [Face((200.0, 100.0, 240.0, 240.0))]


def one_after_the_other(frames: Frames, predict: Predictor, sink: sinks.Sink) -> tuple[float, list[float]]:
    """Return frames per second and the latency in ms of each frame."""
    latencies: list[float] = []
    start = time.perf_counter()
    for frame in frames:
        begin = time.perf_counter()
        faces = predict(frame.pixels)
        latencies.append((time.perf_counter() - begin) * 1000)
        sink(Result(frame, faces))
    return len(latencies) / (time.perf_counter() - start), latencies


def measure(make: Callable[[], Frames], predict: Predictor, sink: sinks.Sink) -> dict[str, float]:
    """Return one round's figures, each way once."""
    played = Source("file", make(), 30.0, live=False)
    filmed = Source("camera", paced(make(), media_time), 30.0, live=True)
    file = session.pass_on(played, predict, sink, stop=Event())
    camera = session.pass_on(filmed, predict, sink, stop=Event())
    fps, milliseconds = one_after_the_other(make(), predict, sink)
    return {
        "fps": file.fps,
        "sequential_fps": fps,
        "ratio": file.fps / fps,
        "camera_p50_ms": camera.p50_ms,
        "camera_p95_ms": camera.p95_ms,
        "camera_dropped": camera.dropped / camera.read,
        "sequential_p50_ms": float(np.percentile(milliseconds, 50)),
        "sequential_p95_ms": float(np.percentile(milliseconds, 95)),
    }


def medians(make: Callable[[], Frames], model: Path, threads: int) -> dict[str, float]:
    """Return the medians of rounds in which the ways take turns, after one round that is not counted."""
    cv2.setNumThreads(threads)
    found = predictor(model, threads=threads, note=lambda text: print(text, file=sys.stderr))
    predict = replace(found, find_faces=a_face_in_each(found.find_faces))
    with open(os.devnull, "w") as nothing:
        rounds = [measure(make, predict, sinks.line_each(nothing)) for _ in range(ROUNDS + 1)][1:]
    return {key: round(statistics.median(one[key] for one in rounds), 2) for key in rounds[0]}


def main(arguments: list[str]) -> None:
    """Print one JSON line per number of threads."""
    models = [Path(name) for name in arguments if name.endswith(".onnx")]
    videos = [Path(name) for name in arguments if not name.endswith(".onnx")]
    with tempfile.TemporaryDirectory() as folder:
        model = models[0] if models else random_model(Path(folder) / "model.onnx")
        for threads in (1, 2):
            row = medians(lambda: start_of(videos[0]) if videos else noise(), model, threads)
            print(json.dumps({"threads": threads, **row}), flush=True)


if __name__ == "__main__":
    from usage import words

    main(words(__doc__))

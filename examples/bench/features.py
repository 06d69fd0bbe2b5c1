"""Extractors and detectors beside their usual implementations, medians in one process on one thread.

    python examples/bench/features.py [PICTURE.jpg …]

Faces of the pictures named, or drawn noise where there is none, 48 x 48; detectors need a picture with a face.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli import registry
from emocli.detectors import _network
from emocli.errors import EmoError
from emocli.image import pictures
from emocli.image.faces import FaceImage

FACES, FEW, ROUNDS = 1000, 20, 7


def lbp_by_loop(image: NDArray[np.uint8]) -> list[int]:
    """The eight neighbours' pattern of every pixel, as tutorials write it."""
    rows, columns = image.shape
    codes = []
    for row in range(1, rows - 1):
        for column in range(1, columns - 1):
            code = 0
            for bit, (down, right) in enumerate(((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))):
                code |= int(image[row + down, column + right] >= image[row, column]) << bit
            codes.append(code)
    return codes


def medians(ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of both, taken in turn, after one call that is not counted."""
    times: tuple[list[float], list[float]] = [], []
    ours(), peer()
    for _ in range(ROUNDS):
        for call, taken in zip((ours, peer), times, strict=True):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def report(what: str, peer: str, ours: float, theirs: float, unit: str) -> None:
    """Print one JSON line."""
    row = {"what": what, unit: round(ours, 3), "peer": peer, f"peer_{unit}": round(theirs, 3)}
    print(json.dumps(row | {"ratio": round(theirs / ours, 2)}), flush=True)


def bench_extractors(images: list[FaceImage]) -> None:
    """Time each extractor on all faces against its peer on a few of them, per face."""
    few = [image.pixels for image in images[:FEW]]
    peers: list[tuple[str, str, Callable[[NDArray[np.uint8]], Any]]] = [
        ("pixels", "a copy by cv2.resize", lambda image: cv2.resize(image, (48, 48))),
        ("lbp", "a loop over pixels", lbp_by_loop),
    ]
    try:
        from skimage import feature

        peers += [
            ("lbp", "scikit-image", lambda image: feature.local_binary_pattern(image, 8, 1, "nri_uniform")),
            ("hog", "scikit-image", lambda image: feature.hog(image, 9, (8, 8), (2, 2), block_norm="L2-Hys")),
        ]
    except ImportError:
        print("scikit-image is not installed: no comparison with it", file=sys.stderr)
    for name, peer, call in peers:
        extract = registry.load("features", name)()
        ours, theirs = medians(lambda e=extract: e(images), lambda c=call: [c(image) for image in few])
        report(name, peer, ours / len(images) * 1e6, theirs / len(few) * 1e6, "us_per_face")


def bench_detectors(picture: NDArray[np.uint8]) -> None:
    """Time each detector on one frame, 640 pixels wide, against OpenCV's YuNet at the same size."""
    height, width = picture.shape[:2]
    frame = np.asarray(cv2.resize(picture, (640, height * 640 // width)), np.uint8)
    for size in (320, 640):
        small, _ = _network.frame(frame, size)
        for name in ("yunet", "scrfd", "haar"):
            options = {} if name == "haar" else {"size": size}
            try:
                detect = registry.load("detectors", name)(**options)
                peer = _opencv_yunet(small)
            except EmoError as fault:
                print(fault, file=sys.stderr)
                continue
            ours, theirs = medians(lambda d=detect: d(frame), peer)
            report(f"{name} {options or ''}".strip(), f"cv2.FaceDetectorYN {size}", ours * 1e3, theirs * 1e3, "ms")


def _opencv_yunet(frame: NDArray[np.uint8]) -> Callable[[], Any]:
    from emocli import download
    from emocli.detectors import yunet

    model = str(download.fetch(yunet.URL, yunet.SHA256))
    net = np.fromfile(model, np.uint8)
    peer = cv2.FaceDetectorYN.create("onnx", net, np.empty(0, np.uint8), frame.shape[1::-1], 0.6, 0.3)
    return lambda: peer.detect(frame)


def main(paths: list[str]) -> None:
    """Print one line per comparison."""
    cv2.setNumThreads(1)
    noise = np.random.default_rng(0).integers(0, 256, (FACES, 48, 48), dtype=np.uint8)
    bench_extractors([FaceImage(image) for image in noise])
    for path in map(Path, paths):
        bench_detectors(pictures.read(path))


if __name__ == "__main__":
    from usage import words

    main(words(__doc__))

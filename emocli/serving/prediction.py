"""A picture in, classified faces out: the one path of `emo predict` and `emo live`, so that they can't disagree."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from emocli import onnx_file, registry
from emocli.artifact import Header, expect
from emocli.data import padding
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.image import pictures
from emocli.image.faces import Face, FaceImage
from emocli.scores import views
from emocli.scores.metrics import softmax
from emocli.scores.views import PLAIN, Views
from emocli.serving.verdicts import verdict
from emocli.telling import Note

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB."""

WHOLE = "none"
"""The detector that takes the whole picture for the face, as cropped corpora need it."""


class FaceRecord(TypedDict, total=False):
    """One classified face, as it is printed."""

    box: list[float]
    """left, top, width, height in pixels."""
    score: float
    """The detector's, 0 to 1."""
    label: str
    probability: float
    probabilities: dict[str, float]
    track: int
    """The same number for the same face from frame to frame, where `emo live` follows them."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model with its own extractor and a detector. The halves may run in two threads, each in one only."""

    provider: str
    """What really runs the model, as its engine states it."""
    find_faces: Callable[[Pixels], list[Face]]
    classify: Callable[[Pixels, Sequence[Face]], list[FaceRecord]]
    answer: Callable[[Pixels, Sequence[Face]], NDArray[Any]]
    """A picture and its faces, at least one, to (faces, classes) logits."""

    def __call__(self, pixels: Pixels) -> list[FaceRecord]:
        """Return the faces of a picture, largest first."""
        return self.classify(pixels, self.find_faces(pixels))


def predictor(
    model: Path,
    *,
    detector: str = "auto",
    engine: str = "onnxruntime",
    threads: int = 1,
    seen: Views = PLAIN,
    note: Note,
) -> Predictor:
    """Open a model for pictures. How faces are cropped and turned into features comes from its header.

    `detector` is a registry name; "none" takes each picture for one face; "auto" is the detector the model was trained
    with, or for a model of cropped faces the best that can be had (`note` says which where it is not the best). The
    logits of a face are the mean over the views that are `seen`.
    Raises EmoError for what is not a model, or not one of faces, and for a detector that can't be had.
    """
    header = expect(onnx_file.read_header(model), ("model",), str(model))
    running = registry.load("engines", engine)(model, **registry.resolve("engines", engine, {"threads": threads}))
    if running.input_name != "face":
        raise EmoError(
            f"{model} reads {running.input_name}, not faces; make one with: emo features DATASET | emo train"
        )
    extract = extraction.from_header(header)
    name, params = _detector(header, detector)

    def answer(pixels: Pixels, faces: Sequence[Face]) -> NDArray[Any]:
        x = padding.batch(extract([FaceImage(pixels, None if name == WHOLE else face) for face in faces]))
        return views.logits(running, x, header, seen)

    def classify(pixels: Pixels, faces: Sequence[Face]) -> list[FaceRecord]:
        if not faces:
            return []
        chances = softmax(answer(pixels, faces).astype(np.float64))
        return [_record(face, row, header.labels) for face, row in zip(faces, chances, strict=True)]

    return Predictor(running.provider, extraction.detector(name, params, note=note), classify, answer)


def predictions(predict: Predictor, paths: Iterable[Path], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield {"path", "faces"} for each picture, {"path", "error"} for one that can't be read; memory does not grow.

    `counts` is kept up to date: pictures, faces, unreadable.
    """
    for path in paths:
        try:
            pixels = pictures.read(path)
        except EmoError as fault:
            counts["unreadable"] += 1
            yield {"path": str(path), "error": str(fault)}
            continue
        faces = predict(pixels)
        counts["pictures"] += 1
        counts["faces"] += len(faces)
        yield {"path": str(path), "faces": faces}


def _detector(header: Header, asked: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of the detector to use."""
    step = header.step("features") or {}
    if asked == "auto" and step.get("detector", WHOLE) != WHOLE:
        return step["detector"], step.get("detector_params", {})
    return asked, {}


def _record(face: Face, chances: NDArray[np.float64], labels: tuple[str, ...]) -> FaceRecord:
    return {
        "box": [round(float(value), 1) for value in face.box],
        "score": round(float(face.score), 3),
        **verdict(chances, labels),  # type: ignore[typeddict-item]
    }

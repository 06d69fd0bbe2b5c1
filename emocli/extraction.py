"""From pictures to what a model sees: detector and extractor by name, or as an artifact's header records them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import registry, store
from emocli.artifact import Header, Step
from emocli.errors import EmoError
from emocli.faces import Face, FaceImage

Extractor = Callable[[Sequence[FaceImage]], NDArray[Any]]
"""n faces, at least one, to (n, channels, size, size) uint8 or (n, d) float32."""
Detector = Callable[[NDArray[np.uint8]], list[Face]]
"""A picture, (h, w) gray or (h, w, 3) RGB uint8, to its faces, largest first."""
Process = Callable[[Sequence[FaceImage]], tuple[NDArray[Any], NDArray[np.bool_]]]
"""n pictures to the features of those that have a face, and which these are (n,)."""
Note = Callable[[str], None]

BEST, OFFLINE = "yunet", "haar"
"""What detector auto means, and what it falls back to."""


def start(
    name: str,
    params: Mapping[str, Any],
    detector: str,
    note: Note = lambda text: None,
    detector_params: Mapping[str, Any] | None = None,
) -> tuple[Process, Step]:
    """Return what makes features of pictures, and the step that records it; the largest face of a picture counts.

    `name` is an extractor or several joined by +. `note` gets remarks for the user. Raises EmoError for unknown names
    and options, and for models that can't be had.
    """
    extract, options = build(name, params)
    used, detect, detect_options = _detector(detector, detector_params or {}, note)
    step = {"command": "features", "name": name, "params": options, "detector": used, "detector_params": detect_options}
    return _process(extract, None if used == "none" else detect), step


def from_header(header: Header) -> Extractor:
    """Return the extractor that made the features `header` tells of: training and serving can't disagree."""
    step = _step(header)
    return build(step["name"], step["params"])[0]


def restart(header: Header, note: Note = lambda text: None) -> Process:
    """Return what made the features `header` tells of from pictures, detector included."""
    step = _step(header)
    found = step.get("detector", "none"), note, step.get("detector_params", {})
    return start(step["name"], step["params"], *found)[0]


def detector(name: str, params: Mapping[str, Any] | None = None, *, note: Note = lambda text: None) -> Detector:
    """Return a detector by name; `auto` is yunet, or haar with a note where yunet can't be had.

    Any other that can't be had raises EmoError.
    """
    return _detector(name, params or {}, note)[1]


def build(name: str, params: Mapping[str, Any]) -> tuple[Extractor, dict[str, Any]]:
    """Return an extractor and all of its options; `name` may join several: lbp+deep.

    Joined, `size=48` goes to every part that has the option and `lbp.points=8` to one, and the options come back under
    the longer names. Vectors are put in a row; extractors of images can't be joined.
    """
    parts = name.split("+")
    if len(parts) == 1:
        options = _resolved(name, params)
        return registry.load("features", name)(**options), options
    if len(set(parts)) < len(parts):
        raise EmoError(f"{name} names an extractor twice; name each once")
    shares = {part: _resolved(part, share) for part, share in _shares(parts, params).items()}
    extractors = {part: registry.load("features", part)(**options) for part, options in shares.items()}
    flat = {f"{part}.{key}": value for part, options in shares.items() for key, value in options.items()}
    return _joined(extractors), flat


def _step(header: Header) -> Step:
    step = header.step("features")
    if step is None:
        raise EmoError(f"this {header.kind} does not say which features it was made with; begin with: emo features")
    return step


def _process(extract: Extractor, detect: Detector | None) -> Process:
    def process(pictures: Sequence[FaceImage]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        images = [image if detect is None else _largest(image, detect) for image in pictures]
        faces = [image for image in images if image is not None]
        found = np.array([image is not None for image in images], bool)
        return extract(faces) if faces else np.empty((0, 0), np.float32), found

    return process


def _largest(image: FaceImage, detect: Detector) -> FaceImage | None:
    faces = detect(image.pixels)
    return FaceImage(image.pixels, faces[0]) if faces else None


def _detector(name: str, params: Mapping[str, Any], note: Note) -> tuple[str, Detector, dict[str, Any]]:
    """Return the name of the detector that is used, itself, and all of its options."""
    if name != "auto":
        options = registry.resolve("detectors", name, params)
        return name, registry.load("detectors", name)(**options), options
    if params:
        raise EmoError(f"detector auto takes no options; name the one they are for, such as {BEST}")
    try:
        return _detector(BEST, {}, note)
    except EmoError as fault:
        note(f"{fault}; using {OFFLINE} instead of {BEST}")
        return _detector(OFFLINE, {}, note)


def _shares(parts: Sequence[str], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return which part gets which of the options given for the whole."""
    shares: dict[str, dict[str, Any]] = {part: {} for part in parts}
    # an option given to one part wins over the same one given to all, whichever comes first
    for key, value in sorted(params.items(), key=lambda item: "." in item[0]):
        owner, dot, option = key.rpartition(".")
        takers = [owner] if dot else [part for part in parts if key in registry.options("features", part)]
        if not takers or not set(takers) <= set(parts):
            raise EmoError(f"no part of {'+'.join(parts)} has an option {key!r}; see: emo list extractors {parts[0]}")
        for part in takers:
            shares[part][option] = value
    return shares


def _resolved(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of an extractor; a model file is kept in the store and named by its content."""
    options = registry.resolve("features", name, params)
    # a header names content, never a path
    if (path := Path(options.get("model") or "")).is_file():
        options["model"] = store.file_digest(path)
        if not store.candidates(options["model"]):
            store.copy(path, options["model"])
    return options


def _joined(extractors: Mapping[str, Extractor]) -> Extractor:
    def extract(faces: Sequence[FaceImage]) -> NDArray[np.float32]:
        vectors = []
        for name, extractor in extractors.items():
            vectors.append(extractor(faces))
            if vectors[-1].ndim != 2:
                raise EmoError(f"{name} gives images, which can't be joined; join vectors (lbp, hog, geometry, deep)")
        return np.concatenate(vectors, axis=1)

    return extract

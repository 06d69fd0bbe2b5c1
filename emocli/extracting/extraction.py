"""From pictures or sounds to what a model sees: detector and extractor by name, or as a header records them."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import artifact, registry, shipped, store
from emocli.artifact import Header, Step
from emocli.data import people
from emocli.errors import EmoError
from emocli.extracting import joining, lengths
from emocli.extracting.joining import Extractor, Features
from emocli.image.faces import FaceImage
from emocli.sound.sounds import Sound
from emocli.telling import Note

Detector = Callable[[NDArray[Any]], list[Any]]
"""A picture, (h, w) gray or (h, w, 3) RGB uint8, to its faces, largest first; a sound, (samples,) float32, to the
spans [start, stop) in samples in which somebody speaks, in order."""
Process = Callable[[Sequence[Any]], tuple[Features, NDArray[np.bool_]]]
"""n pictures, sounds or signals to the features of those that have a face or a voice, and which these are (n,)."""

BEST, OFFLINE = {"face": "yunet", "speech": "silero"}, {"face": "haar", "speech": "energy"}
"""What detector auto means, and what it falls back to; in signals and texts there is nothing to find."""


def start(
    name: str,
    params: Mapping[str, Any],
    detector: str,
    note: Note = lambda text: None,
    detector_params: Mapping[str, Any] | None = None,
    modality: str = "",
    length: float = 0.0,
) -> tuple[Process, Step]:
    """Return what makes features of pictures, sounds or signals, and the step that records it.

    The largest face of a picture counts, and of a sound what lies between the first word and the last. `name` is an
    extractor or several joined by +; `modality` is what the data hold, where that is known. Sounds are then brought to
    `length` seconds, 0 for as long as they are. `note` gets remarks for the user. Raises EmoError for unknown names and
    options, those of another modality, and models that can't be had.
    """
    extract, options = build(name, params)
    kind = joining.modality(name.split("+"))
    if modality not in ("", kind):
        known = ", ".join(each for each in registry.names("features") if _kind("features", each) == modality)
        raise EmoError(f"{name} is for {kind} and these data hold {modality}; use --extractor {known}")
    lengths.check(length, kind)
    if kind not in BEST and detector != "none":
        raise EmoError(f"in {kind} there is nothing to find; leave out --detector {detector}")
    used, detect, detect_options = _detector(detector, detector_params or {}, note, kind)
    step = {"command": "features", "name": name, "params": options, "detector": used, "detector_params": detect_options}
    step |= _inherited(options)
    extract = lengths.of(length, extract)
    return _process(extract, None if used == "none" else functools.partial(_CUT[kind], detect=detect)), step


def modality(header: Header) -> str:
    """Return what the features are made of that `header` tells of: face, speech, physio or text."""
    return joining.modality(_step(header)["name"].split("+"))


def from_header(header: Header) -> Extractor:
    """Return the extractor that made the features `header` tells of: training and serving can't disagree."""
    step = _step(header)
    seconds = lengths.recorded(step, modality(header))
    return lengths.of(seconds, build(step["name"], step["params"])[0])


def restart(header: Header, modality: str = "") -> Process:
    """Return what made the features `header` tells of from pictures or sounds, detector included.

    Raises EmoError where `modality`, that of the data, is another one.
    """
    step = _step(header)
    if modality not in ("", kind := joining.modality(step["name"].split("+"))):
        raise EmoError(f"the model is for {kind} and these data hold {modality}; name other data, or another model")
    found = step.get("detector", "none"), lambda text: None, step.get("detector_params", {})
    return start(step["name"], step["params"], *found, modality, lengths.recorded(step, kind))[0]


def detector(
    name: str, params: Mapping[str, Any] | None = None, *, note: Note = lambda text: None, modality: str = "face"
) -> Detector:
    """Return a detector by name; `auto` is yunet, or haar with a note where yunet can't be had; silero, or energy.

    Any other that can't be had raises EmoError.
    """
    return _detector(name, params or {}, note, modality)[1]


def build(name: str, params: Mapping[str, Any]) -> tuple[Extractor, dict[str, Any]]:
    """Return an extractor and all of its options; `name` may join several: lbp+deep.

    Joined, `size=48` goes to every part that has the option and `lbp.points=8` to one, and the options come back under
    the longer names. Vectors are put in a row, frames of the same steps beside each other; images can't be joined.
    """
    parts = name.split("+")
    if len(parts) == 1:
        options = _resolved(name, params)
        return registry.load("features", name)(**options), options
    if len(set(parts)) < len(parts):
        raise EmoError(f"{name} names an extractor twice; name each once")
    resolved = {part: _resolved(part, share) for part, share in registry.shares("features", parts, params).items()}
    joining.modality(parts)
    extractors = {part: registry.load("features", part)(**options) for part, options in resolved.items()}
    flat = {f"{part}.{key}": value for part, options in resolved.items() for key, value in options.items()}
    return joining.joined(extractors), flat


def _inherited(options: Mapping[str, Any]) -> Step:
    """Return what features have from the model artifacts that make them: their terms, and whom they have learned from.

    A network of somebody else has no header and says nothing of either.
    """
    digests = [str(value) for key, value in options.items() if key.rpartition(".")[2] == "model"]
    networks = []
    for digest in digests:
        if digest.startswith("sha256:"):
            from emocli import onnx_file  # 60 ms, which extractors without a network do without

            with contextlib.suppress(EmoError):
                networks.append(onnx_file.read_header(store.find(digest)))
    met = {corpus: sorted(names) for corpus, names in people.of(*networks).items()}
    return artifact.terms(networks) | ({"people": met} if met else {})


def _step(header: Header) -> Step:
    step = header.step("features")
    if step is None or "params" not in step:
        raise EmoError(f"this {header.kind} does not say which features it was made with; begin with: emo features")
    return step


def _process(extract: Extractor, cut: Callable[[Any], Any] | None) -> Process:
    def process(items: Sequence[Any]) -> tuple[Features, NDArray[np.bool_]]:
        kept = [item if cut is None else cut(item) for item in items]
        found = np.array([item is not None for item in kept], bool)
        kept = [item for item in kept if item is not None]
        return extract(kept) if kept else np.empty((0, 0), np.float32), found

    return process


def _largest(image: FaceImage, detect: Detector) -> FaceImage | None:
    faces = detect(image.pixels)
    return FaceImage(image.pixels, faces[0]) if faces else None


def spoken(sound: Sound, spans: Sequence[tuple[int, int]]) -> Sound:
    """Return what of a sound lies between the first word and the last; `spans` are a detector's, one at least."""
    return sound[spans[0][0] : spans[-1][1]]


def _spoken(sound: Sound, detect: Detector) -> Sound | None:
    spans = detect(sound)
    return spoken(sound, spans) if spans else None


_CUT: dict[str, Callable[..., Any]] = {"face": _largest, "speech": _spoken}


def _detector(name: str, params: Mapping[str, Any], note: Note, modality: str) -> tuple[str, Detector, dict[str, Any]]:
    """Return the name of the detector that is used, itself, and all of its options."""
    if name != "auto":
        options = registry.resolve("detectors", name, params)
        if name != "none" and (kind := _kind("detectors", name)) != modality:
            raise EmoError(f"{name} is for {kind}, not for {modality}; use --detector {BEST[modality]}, auto or none")
        return name, registry.load("detectors", name)(**options), options
    best, offline = BEST[modality], OFFLINE[modality]
    if params:
        raise EmoError(f"detector auto takes no options; name the one they are for, such as {best}")
    try:
        return _detector(best, {}, note, modality)
    except EmoError as fault:
        note(f"{fault}; using {offline} instead of {best}")
        return _detector(offline, {}, note, modality)


def _kind(folder: str, name: str) -> str:
    return registry.describe(folder, name).modality


def _resolved(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of an extractor; a model file is kept in the store and named by its content."""
    options = registry.resolve("features", name, params)
    # a header names content, never a path
    model = str(options.get("model") or "")
    if (path := Path(shipped.named(model) or model)).is_file():
        options["model"] = store.file_digest(path)
        if not store.candidates(options["model"]):
            store.copy(path, options["model"])
    return options

"""Pictures, sounds, recordings or texts of one person to what a model says of each."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emocli import labels, named_files
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.extracting import by_person, extraction
from emocli.image import pictures
from emocli.physio import e4
from emocli.scores import personal
from emocli.serving import kinds, listening, prediction, reading, sensing
from emocli.sound import sound_files, sounds
from emocli.telling import Note

RESTING = "neutral"
"""The emotion of a sample that is named without one."""


def samples(named: Iterable[str], model: Header) -> list[tuple[Path, int]]:
    """Return each file of [LABEL=]FILE, a folder or a glob, with the place of its label among the model's, -1 for any.

    Raises EmoError for a name without a file, where the model has no such label, and for any beside another.
    """
    found = list(_samples(named, model))
    if len({place < 0 for _, place in found}) > 1:
        raise EmoError(f"--sample {personal.ANY}=: what is known of an emotion is worth more; give samples of one kind")
    return found


def _samples(named: Iterable[str], model: Header) -> Iterator[tuple[Path, int]]:
    kind = extraction.modality(model)
    suffixes = kinds.SUFFIXES[kind]
    for each in named:
        before, is_labelled, after = each.partition("=")
        label, files = (before, after) if is_labelled and not Path(each).exists() else (RESTING, each)
        label = labels.named(label, model.labels)
        if label not in model.labels and label != personal.ANY:
            raise EmoError(
                f"--sample {each}: the model has no label {label}; it has {', '.join(model.labels)}: LABEL=FILE, or "
                f"{personal.ANY}=FILE where the emotion is not known"
            )
        found = list(named_files.expand([files], suffixes))
        found = list(sensing.recordings(found)) if kind == "physio" else found
        if not found:
            raise EmoError(f"--sample {each}: no file in {files}; these are taken: {' '.join(sorted(suffixes))}")
        place = model.labels.index(label) if label in model.labels else -1
        yield from ((path, place) for path in found)


def answers(
    model: Path, header: Header, named: Sequence[tuple[Path, int]], *, detector: str, note: Note
) -> tuple[NDArray[np.float64], list[int]]:
    """Return (n, classes) logits and the places of their n labels of what `samples` gave.

    A picture gives those of its largest face, found and cut as `emo predict` does, a recording those of each window,
    a file of texts those of each line. Raises EmoError for a file that can't be read, and one in which nobody is found.
    """
    if by_person.asked_by(header):
        raise EmoError("the model sees each window against others of the same person already, and needs no samples")
    opened = {"face": _seen, "speech": _heard, "physio": _sensed, "text": _read}[extraction.modality(header)]
    found = [*opened(model, [path for path, _ in named], detector, note)]
    y = [place for (_, place), each in zip(named, found, strict=True) for _ in each]
    return np.concatenate(found).astype(np.float64), y


def _seen(model: Path, paths: Sequence[Path], detector: str, note: Note) -> Iterator[NDArray[np.float64]]:
    predict = prediction.predictor(model, detector=detector, note=note)
    for path in paths:
        pixels = pictures.read(path)
        faces = predict.find_faces(pixels)
        if not faces:
            raise _nobody(path, "no face is in it")
        if len(faces) > 1:
            note(f"{path}: has {len(faces)} faces, of which the largest is taken for the person")
        yield predict.answer(pixels, faces[:1])


def _heard(model: Path, paths: Sequence[Path], detector: str, note: Note) -> Iterator[NDArray[np.float64]]:
    finder = listening.finder_of_files(detector)
    listen = listening.listener(model, detector=finder, engine="onnxruntime", threads=1, note=note)
    for path in paths:
        sound = sounds.from_int16(sound_files.read(path).samples)
        spans = listen.find_speech(sound)
        if not spans:
            raise _nobody(path, "nobody speaks in it")
        yield listen.answer(sound, spans)[None]


def _sensed(model: Path, paths: Sequence[Path], detector: str, note: Note) -> Iterator[NDArray[np.float64]]:
    sense = sensing.sensor(model, engine="onnxruntime", threads=1)
    for path in paths:
        recording = e4.read(path)
        try:
            yield sense.answers(recording)[1]
        except EmoError as fault:
            raise EmoError(f"{path}: {fault}") from fault


def _read(model: Path, paths: Sequence[Path], detector: str, note: Note) -> Iterator[NDArray[np.float64]]:
    read = reading.reader(model, engine="onnxruntime", threads=1)
    for path in paths:
        found = [read.answer(text) for _, text in reading.lines(path)]
        if not found:
            raise EmoError(f"{path} has no text in it; name a file with a text a line")
        yield np.stack(found)


def _nobody(path: Path, why: str) -> EmoError:
    return EmoError(f"{path}: {why}, as far as the detector can tell; take another, or --detector none for all of it")

"""What a model of each kind takes, and how it is opened for files: faces, voices, signals, texts."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from emocli.errors import EmoError
from emocli.image import pictures
from emocli.scores.views import PLAIN, Views
from emocli.serving import listening, prediction, reading, sensing
from emocli.serving.either import Records
from emocli.sound import sound_files
from emocli.telling import Note

SUFFIXES = {
    "face": pictures.SUFFIXES,
    "speech": sound_files.SUFFIXES,
    "physio": sensing.SUFFIXES,
    "text": reading.SUFFIXES,
}
"""Which files are taken of a folder."""


@dataclass(frozen=True, slots=True)
class How:
    """How a model is run on files, and who hears of what is odd."""

    detector: str
    engine: str
    threads: int
    seen: Views
    counts: Counter[str]
    """Kept up to date while records are read: what was answered about, and what was `unreadable`."""
    note: Note


def opened(kind: str, model: Path, how: How) -> Records:
    """Open a model for files of its kind; raises EmoError for what such files have not."""
    return _OPENED[kind](model, how)


def _seeing(model: Path, how: How) -> Records:
    predict = prediction.predictor(
        model, detector=how.detector, engine=how.engine, threads=how.threads, seen=how.seen, note=how.note
    )
    return lambda paths: prediction.predictions(predict, paths, how.counts)


def _hearing(model: Path, how: How) -> Records:
    if how.seen.flip:
        raise EmoError("--flip is for faces: a voice has no mirror image")
    finder = listening.finder_of_files(how.detector)
    listen = listening.listener(
        model, detector=finder, engine=how.engine, threads=how.threads, seen=how.seen, note=how.note
    )
    return lambda paths: listening.predictions(listen, paths, how.counts, how.note)


def _sensing(model: Path, how: How) -> Records:
    _expect_whole("signals", how)
    sense = sensing.sensor(model, engine=how.engine, threads=how.threads)
    return lambda paths: sensing.predictions(sense, sensing.recordings(paths), how.counts)


def _reading(model: Path, how: How) -> Records:
    _expect_whole("texts", how)
    read = reading.reader(model, engine=how.engine, threads=how.threads)
    return lambda paths: reading.predictions(read, paths, how.counts)


def _expect_whole(what: str, how: How) -> None:
    if how.detector not in ("auto", "none") or how.seen != PLAIN:
        raise EmoError(f"in {what} nothing is to be found or turned; leave out --detector, --flip and --views")


_OPENED = {"face": _seeing, "speech": _hearing, "physio": _sensing, "text": _reading}

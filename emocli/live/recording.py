"""Results as files: an annotated video, an annotated picture."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np
from cv2.typing import MatLike

from emocli import outputs
from emocli.errors import EmoError
from emocli.live.drawing import annotated
from emocli.live.frames import Result
from emocli.live.quiet import quiet
from emocli.live.sinks import Sink
from emocli.live.sources import as_opencv_has_it

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
LONGEST_GAP_SECONDS = 60.0
"""A longer pause is cut, so that a camera that slept does not fill the disk with one picture."""


@contextmanager
def video_file(path: Path, rate_hz: float, *, force: bool) -> Iterator[Sink]:
    """Give a sink that writes annotated video to `path`, whole or not at all, as long as what it shows took.

    Raises EmoError for a file that exists, unless `force`, and for an ending that OpenCV can't write.
    """
    codec = CODECS.get(path.suffix.lower())
    if codec is None:
        raise EmoError(f"video can't be written as {path.name}; use one of {', '.join(CODECS)}")
    with outputs.output(str(path), force=force) as scratch, quiet(), ExitStack() as cleanup:
        # OpenCV chooses the container by the ending
        film = scratch.with_name(scratch.name + path.suffix)
        cleanup.callback(film.unlink, missing_ok=True)
        writer = _Film(film, codec, rate_hz)
        cleanup.callback(writer.close)
        yield writer.write
        writer.close()
        if not film.exists():
            raise EmoError(f"no frame came, so {path} was not written")
        if not _has(film, writer.written):
            raise EmoError(f"can't write {path}: the film broke off; nothing was written, is the disk full?")
        os.replace(film, scratch)


def _has(film: Path, count: int) -> bool:
    """Tell whether a film has so many frames, with the last of them: OpenCV does not say when a disk is full."""
    capture = cv2.VideoCapture(as_opencv_has_it(film), cv2.CAP_FFMPEG)
    counted = capture.get(cv2.CAP_PROP_FRAME_COUNT) >= count
    capture.set(cv2.CAP_PROP_POS_FRAMES, count - 1)
    there = capture.grab()
    capture.release()
    return counted and there


class _Film:
    """A video being written at a constant frame rate; a frame is repeated until the next one is due."""

    def __init__(self, path: Path, codec: str, rate_hz: float) -> None:
        self._path, self._codec, self._rate_hz = path, codec, rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start = 0.0
        self.written = 0
        self._last: MatLike = np.empty((0, 0, 3), np.uint8)

    def write(self, result: Result) -> None:
        """Add a result's picture at its time, or next where it has none; raises EmoError when OpenCV can't write."""
        picture = cv2.cvtColor(annotated(result), cv2.COLOR_RGB2BGR)
        writer = self._writer or self._open(picture.shape[1], picture.shape[0], result.frame.seconds or 0.0)
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        due = self._due(result.frame.seconds)
        while self.written < due:
            self._add(writer, self._last)
        if self.written == due:  # a frame that comes before its turn is left out
            self._add(writer, picture)
        self._last = picture

    def close(self) -> None:
        """Finish the file; harmless when it was finished or never begun."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _due(self, seconds: float | None) -> int:
        """Return the number of the place, at the film's constant rate, of a picture taken at `seconds`."""
        if seconds is None:
            return self.written
        due = round((seconds - self._start) * self._rate_hz)
        if due - self.written > LONGEST_GAP_SECONDS * self._rate_hz:
            self._start = seconds - self.written / self._rate_hz
            return self.written
        return due

    def _add(self, writer: cv2.VideoWriter, picture: MatLike) -> None:
        writer.write(picture)
        self.written += 1

    def _open(self, width: int, height: int, seconds: float) -> cv2.VideoWriter:
        self._size, self._start = (width, height), seconds
        path, codec = as_opencv_has_it(self._path), cv2.VideoWriter.fourcc(*self._codec)
        writer = cv2.VideoWriter(path, codec, self._rate_hz, self._size)
        if not writer.isOpened():
            raise EmoError(f"OpenCV can't write {self._codec} video of {width}×{height} here; try a .avi file")
        self._writer = writer
        return writer

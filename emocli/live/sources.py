"""Where frames come from: a camera, a video file, or pictures."""

import glob
import itertools
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import numpy as np

from emocli import named_files
from emocli.errors import EmoError
from emocli.image import pictures
from emocli.live import film_times, mirroring
from emocli.live.clock import paced
from emocli.live.frames import Frame, Frames, media_time
from emocli.live.quiet import quiet
from emocli.serving.prediction import Pixels
from emocli.sound import sound_files
from emocli.telling import tell

STILLS_RATE_HZ = 25.0
"""The frame rate that is assumed where a source states none, for writing video."""
_ATTEMPTS = 60
"""Reads of a film that may fail in a row before it is at its end: where it is damaged one or a few do."""
_MOST = 0.95
"""Share of the frames that a film promises below which it is asked how long it is; some only estimate how many."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open source. `frames` is read once, by one thread, and closing it releases the device or the file."""

    name: str
    frames: Frames
    rate_hz: float
    live: bool
    """True when frames come at their own pace whether anyone is ready or not, so that old ones must be dropped."""
    over: Event = field(default_factory=Event)
    """For others to set: nothing more is wanted, and nothing shall be waited for."""


def camera(number: int) -> Source:
    """Open camera `number`; raises EmoError when it can't be opened or gives no picture."""
    with quiet():
        capture = cv2.VideoCapture(number)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # a driver's queue only makes frames older
        first = _next(capture)
    if first is None:
        capture.release()
        raise EmoError(f"camera {number} can't be opened; see: emo doctor, or play a file with --source FILE")
    return Source(f"camera {number}", _camera_frames(capture, first, number), _rate(capture), live=True)


def video(path: Path, *, realtime: bool = False) -> Source:
    """Open a video file; raises EmoError when it is missing or holds no frame.

    Its frames come as fast as they are asked for, or with `realtime` at the pace of the file, as from a camera.
    """
    if not path.is_file():
        raise EmoError(f"{path} is not there; name a video, a picture or a folder of pictures")
    with quiet():
        capture = cv2.VideoCapture(as_opencv_has_it(path), cv2.CAP_FFMPEG)
        first = _next(capture)
    if first is None:
        capture.release()
        heard = ", or hear its sound: --model ravdess-int8" if path.suffix.lower() in sound_files.SUFFIXES else ""
        raise EmoError(
            f"{path} holds no video that OpenCV reads; convert it, for example: ffmpeg -i {path} video.mp4{heard}"
        )
    frames, over = _video_frames(path, capture, first), Event()
    if mirroring.is_mirrored(path):
        frames = _mirrored(frames, upright=capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 0)
    if realtime:
        frames = paced(frames, media_time, sleep=over.wait)
    return Source(path.name, frames, _rate(capture), live=realtime, over=over)


def stills(name: str) -> Source:
    """Open a picture, a folder of pictures or a glob as frames in sorted order; raises EmoError when there is none."""
    one, several = Path(name), named_files.expand([name], pictures.SUFFIXES)
    # what matches nothing is expanded to itself
    found = iter([pictures.read(one)]) if one.is_file() else _readable(path for path in several if path.exists())
    first = next(found, None)
    if first is None:
        raise EmoError(f"{name} holds no picture; name a video, a picture or a folder of pictures")
    frames = (Frame(index, None, pixels) for index, pixels in enumerate(itertools.chain([first], found)))
    return Source(one.name, frames, STILLS_RATE_HZ, live=False)


def opened(source: str, number: int, *, realtime: bool = False) -> Source:
    """Open what `source` names, or camera `number` where it names nothing; raises EmoError as these do."""
    return named(source, realtime=realtime) if source else camera(number)


def named(name: str, *, realtime: bool = False) -> Source:
    """Open what `name` names: a video file, a picture, a folder or a glob; raises EmoError for anything else."""
    path = Path(name)
    if path.is_file() and (not cv2.haveImageReader(as_opencv_has_it(path)) or _moves(path)):
        return video(path, realtime=realtime)
    if not path.exists() and not glob.has_magic(name):
        raise EmoError(f"{name} is not there; name a video, a picture or a folder of pictures")
    return stills(name)


def _moves(path: Path) -> bool:
    """Tell whether a picture is a GIF or PNG of several, which FFmpeg plays as a film; says which it doesn't play."""
    with open(path, "rb") as file:
        start = file.read(12)
    webp = start[:4] + start[8:] == b"RIFFWEBP"
    if not (start.startswith((b"GIF8", b"\x89PNG")) or webp) or cv2.imcount(as_opencv_has_it(path)) <= 1:
        return False
    if webp:
        tell(f"{path.name} has several pictures, of which the first is taken; for all make a GIF or a film of it")
    return not webp


def as_opencv_has_it(path: Path) -> Any:
    """Return a path for OpenCV, which dies of a text with bytes in it that are no UTF-8; its stubs know texts only."""
    return os.fsencode(path)


def _camera_frames(capture: cv2.VideoCapture, first: Pixels, number: int) -> Frames:
    start = time.monotonic()
    index, pixels = 0, first
    try:
        while True:
            yield Frame(index, time.monotonic() - start, pixels)
            following = _next(capture)
            if following is None:
                raise EmoError(f"camera {number} stopped giving pictures after {index + 1} frames; is it unplugged?")
            index, pixels = index + 1, following
    finally:
        capture.release()


def _video_frames(path: Path, capture: cv2.VideoCapture, first: Pixels) -> Frames:
    """Yield the frames of a film, those behind a damaged place too; says how many are missing."""
    times = _Rising(step := 1 / _rate(capture))
    index, damaged, promised = 0, False, capture.get(cv2.CAP_PROP_FRAME_COUNT)
    pixels: Pixels | None = first
    try:
        while pixels is not None:
            yield Frame(index, times.next(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000), pixels)
            pixels, failed = _next_whole(capture)
            index, damaged = index + 1, damaged or failed > 0
    finally:
        capture.release()
    if damaged or (index < _MOST * promised and not film_times.is_whole(path, times.last + step)):
        tell(f"{path.name} is damaged or cut off: it says that it has {promised:.0f} frames, {index} could be read")


def _mirrored(frames: Frames, *, upright: bool) -> Frames:
    """Yield frames mirrored as their film says, of which OpenCV did only the turn: none or a half, else a quarter."""
    try:
        for frame in frames:
            # what is mirrored from left to right has been turned upside down
            yield replace(frame, pixels=np.ascontiguousarray(np.flip(frame.pixels, axis=0 if upright else 1)))
    finally:
        frames.close()


def _next_whole(capture: cv2.VideoCapture) -> tuple[Pixels | None, int]:
    """Return the next picture of a film that can be read, and how many reads failed before; None, 0 at the end."""
    for failed in range(_ATTEMPTS):
        if (pixels := _next(capture)) is not None:
            return pixels, failed
    return None, 0


class _Rising:
    """A film's times in seconds, made to rise: films that were joined begin again in the middle, some have no times."""

    def __init__(self, step: float) -> None:
        self._step, self.last, self._added = step, -step, 0.0

    def next(self, seconds: float) -> float:
        """Return when the next frame is: as the film says, or a step after the one before, and from there on."""
        seconds = max(0.0, seconds)
        if seconds + self._added <= self.last:
            self._added = self.last + self._step - seconds
        self.last = seconds + self._added
        return self.last


def _readable(paths: Iterable[Path]) -> Iterator[Pixels]:
    """Yield the pictures in some files; says which are none and goes on."""
    for path in paths:
        try:
            yield pictures.read(path)
        except EmoError as fault:
            tell(f"{fault}; left out")


def _next(capture: cv2.VideoCapture) -> Pixels | None:
    """Return the next picture as RGB, or None at the end."""
    there, bgr = capture.read()
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8) if there else None


def _rate(capture: cv2.VideoCapture) -> float:
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    return rate_hz if 1.0 <= rate_hz <= 1000.0 else STILLS_RATE_HZ

"""Picture files: from what the user named (files, folders, globs, a list on stdin) to RGB pixels."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".jp2", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)
"""What is taken for a picture inside a folder; a file that is named itself is read whatever its name is."""


def read(path: Path) -> NDArray[np.uint8]:
    """Return a picture as (height, width, 3) RGB uint8, turned upright by its EXIF; raises EmoError when it is none."""
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as fault:
        raise EmoError(f"can't read {path} ({fault.strerror}); check the name") from fault
    try:
        pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if encoded.size else None
    except cv2.error as fault:  # a header that promises more pixels than OpenCV allows
        raise EmoError(f"{path} can't be decoded as an image; {fault.err}") from fault
    if pixels is None:
        raise EmoError(f"{path} is not an image that OpenCV reads; videos go to: emo live --source {path}")
    return np.asarray(pixels, np.uint8)


def expand(names: Iterable[str], *, stdin: BinaryIO | None = None) -> Iterator[Path]:
    """Yield the picture files behind files, folders (recursive), globs and `-` (paths on `stdin`), sorted within each.

    A name without any file comes back as it is, so that reading it says what is wrong and the others go on.
    """
    for name in names:
        if name == "-":
            if stdin is None or stdin.isatty():
                raise EmoError(
                    "`-` takes a list of paths from a pipe; for example: find photos -print0 | emo predict -"
                )
            for listed in listed_paths(stdin):
                yield from _inside(listed)
        else:
            yield from _inside(name)


def listed_paths(stream: BinaryIO) -> Iterator[str]:
    """Yield the paths in a stream as they arrive, one per line, or between NULs as `find -print0` writes them.

    Raises EmoError when there is nothing in it.
    """
    separator = rest = b""
    empty = True
    while chunk := os.read(stream.fileno(), 1 << 16):
        rest, empty = rest + chunk, False
        separator = separator or (b"\0" if b"\0" in rest else b"\n" if b"\n" in rest else b"")
        if separator:
            *paths, rest = rest.split(separator)
            yield from (os.fsdecode(path) for path in paths if path.strip())
    if empty:
        raise EmoError("the list of paths is empty; did the previous command fail?")
    if rest.strip():
        yield os.fsdecode(rest)


def _inside(name: str) -> Iterator[Path]:
    path = Path(name)
    if path.is_dir():
        yield from _walk(path)
    elif glob.has_magic(name) and not path.exists():
        matches = sorted(glob.glob(name, recursive=True))
        for match in matches or [name]:
            yield from _inside(match) if match != name else (path,)
    else:
        yield path


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith("."):
                yield Path(parent, name)

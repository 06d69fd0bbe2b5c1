"""Image files as samples: read in order, checked, kept encoded unless all are small and alike."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.data.samples import Corpus, Sample
from emocli.datasets import _files
from emocli.errors import EmoError
from emocli.image import decoding

SMALL = 64
"""Up to this many pixels a side, images of one size become arrays; larger ones stay encoded."""
_PROBED = 16
_MANY = 1 << 26
"""Pixels far below what a picture may have."""
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG"
"""How the files begin."""
_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_START_OF_SCAN, _END_OF_JPEG = b"\xda", b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file that is to become a sample; the fields mean what they mean in Sample."""

    path: Path
    id: str
    y: int | tuple[float, ...]
    split: str = ""
    group: str = ""
    landmarks: NDArray[np.float32] | None = None


def corpus(
    pictures: Sequence[Picture], labels: tuple[str, ...], license: str, notes: Counter[str], source: Any = None
) -> Corpus:
    """Return a corpus of the pictures: arrays when a look at some shows small ones of one size, else encoded files.

    `source` is a hash of the lists that they are labelled by, where there are any.
    Raises EmoError when there are none, and while it is read when not one of them is readable.
    """
    if not pictures:
        skipped = _files.skipped(notes)
        raise EmoError(f"no images of this corpus are there{skipped}; check the folder, or see: emo list datasets")
    shape = _common_shape([picture.path for picture in pictures])
    source = source or hashlib.sha256()
    return Corpus(labels, license, samples(pictures, shape, notes, source), notes=notes, source=source)


def samples(
    pictures: Iterable[Picture], shape: tuple[int, int, int] | None, notes: Counter[str], source: Any
) -> Iterator[Sample]:
    """Yield a sample for every readable picture: arrays of `shape` (channels, height, width), or encoded if None.

    Unreadable pictures are counted in `notes`; `source` is a hash that gets names and bytes. Raises EmoError after the
    last picture when none was readable.
    """
    read = 0
    for picture in pictures:
        data = _bytes(picture.path)
        x = _encoded(data) if shape is None else _array(data, shape, notes)
        if x is None:
            notes["unreadable image skipped"] += 1
            continue
        source.update(picture.id.encode())
        source.update(data)
        read += 1
        yield Sample(x, picture.y, picture.split, picture.group, picture.id, picture.landmarks)
    if not read:
        raise EmoError("none of the images can be read; are they whole, and JPEG, PNG or TIFF?")


def _common_shape(paths: Sequence[Path]) -> tuple[int, int, int] | None:
    """Return the (channels, height, width) that some of the images share, if that is small; None otherwise.

    There are three channels as soon as one of all the images is coloured.
    """
    some = (_decode(_bytes(path), cv2.IMREAD_COLOR) for path in paths[:: max(1, len(paths) // _PROBED)])
    shapes = {pixels.shape[:2] for pixels in some if pixels is not None}
    if len(shapes) != 1:
        return None
    height, width = shapes.pop()
    return (3 if any(map(_is_coloured, paths)) else 1, height, width) if max(height, width) <= SMALL else None


def _is_coloured(path: Path) -> bool:
    pixels = _decode(_bytes(path), cv2.IMREAD_COLOR)
    return pixels is not None and bool((pixels != pixels[..., :1]).any())


def _bytes(path: Path) -> bytes:
    """Return the file's bytes; none when it is absent, not allowed to be read, or not a plain file."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def _decode(data: bytes, flags: int) -> NDArray[np.uint8] | None:
    """Return the pixels as OpenCV gives them, or None for what is no whole image."""
    if not data or not _has_end(data):  # OpenCV fills up a file that was cut, and writes on stderr about it
        return None
    try:
        return decoding.decoded(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _has_end(data: bytes) -> bool:
    """Tell whether the end of a JPEG or a PNG is there; other files are not judged."""
    if data.startswith(_JPEG):
        return _has_end_of_scan(data)
    return not data.startswith(_PNG) or b"IEND" in data


def _has_end_of_scan(jpeg: bytes) -> bool:
    """Tell whether a JPEG's own end is there: those of a thumbnail before the picture and of what follows don't count.

    The segments of the header say how long they are, and may hold anything; in the picture after them no end can be.
    """
    place = 2
    while marker := _MARKER.search(jpeg, place):
        place = marker.end()
        if marker[1] == _START_OF_SCAN:
            return jpeg.find(_END_OF_JPEG, place) >= 0
        place += int.from_bytes(jpeg[place : place + 2])
    return False


def _array(data: bytes, shape: tuple[int, int, int], notes: Counter[str]) -> NDArray[np.uint8] | None:
    """Return the image as (channels, height, width), scaled to the shape if it isn't so already."""
    channels, height, width = shape
    pixels = _decode(data, cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        return None
    if pixels.shape[:2] != (height, width):
        notes[f"image of another size scaled to {width}x{height}"] += 1
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _encoded(data: bytes) -> bytes | None:
    """Return the bytes of a readable JPEG or PNG as they are, another format as PNG, None for an unreadable one."""
    if data.startswith((_JPEG, _PNG)):
        return data if _is_readable(data) else None
    pixels = _decode(data, cv2.IMREAD_ANYCOLOR)
    return None if pixels is None else cv2.imencode(".png", pixels)[1].tobytes()


def _is_readable(data: bytes) -> bool:
    # an eighth of a JPEG's size decodes several times faster; of a thin one nothing is left, and of a vast one too much
    eighth = _decode(data, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    if eighth is not None and eighth.size * 64 <= _MANY:
        return True
    return _decode(data, cv2.IMREAD_GRAYSCALE) is not None

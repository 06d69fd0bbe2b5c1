"""Encoded pictures to pixels, upright, without the words of OpenCV and libpng on stderr about their faults."""

import re
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

# what is wrong with a picture an error of ours says in one line
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_PNG = b"\x89PNG\r\n\x1a\n"
_OF_PICTURE = (b"IHDR", b"PLTE", b"IDAT")
"""Parts of a PNG, of which one that is damaged is the end of all."""
_AVIF = re.compile(rb"....ftypavi[fs]", re.DOTALL)
_TURNED, _MIRRORED = (re.compile(rb"\0\0\0\x09" + name + rb"(.)", re.DOTALL) for name in (b"irot", b"imir"))


def decoded(data: Bytes, flags: int) -> Bytes | None:
    """Return a picture as OpenCV gives it, None for what it doesn't read or nothing.

    Raises cv2.error for one with more pixels than OpenCV allows.
    """
    if not data.size:
        return None
    avif = _AVIF.match(data[:12].tobytes())
    # what is upright says an AVIF itself, and not its EXIF
    if (readable := _readable_png(data) if data[:8].tobytes() == _PNG else data) is None:
        return None
    pixels = cv2.imdecode(readable, flags | cv2.IMREAD_IGNORE_ORIENTATION if avif else flags)
    if pixels is None:
        return None
    whole = np.asarray(pixels, np.uint8)
    return _upright(whole, data) if avif else whole


def _readable_png(data: Bytes) -> Bytes | None:
    """Return a PNG without what libpng has something to say about, None for one whose picture is damaged.

    Its colour profile OpenCV doesn't use.
    """
    profile, place, kind = slice(0), len(_PNG), b""
    while kind != b"IEND" and (kind := data[place + 4 : place + 8].tobytes()):
        end = place + 12 + int.from_bytes(data[place : place + 4].tobytes())
        part, sum_of_it = data[place + 4 : end - 4].data, int.from_bytes(data[end - 4 : end].tobytes())
        if kind == b"iCCP":
            profile = slice(place, end)
        # one that is cut off in the middle OpenCV refuses without a word
        elif kind in _OF_PICTURE and end <= len(data) and zlib.crc32(part) != sum_of_it:
            return None
        place = end
    return np.delete(data, profile) if profile.stop else data


def _upright(pixels: Bytes, avif: Bytes) -> Bytes:
    """Return an AVIF's pixels turned, then mirrored, as it says before them (ISO/IEC 23008-12)."""
    says = avif.tobytes().partition(b"mdat")[0]
    if turned := _TURNED.search(says):
        pixels = np.rot90(pixels, turned[1][0] & 3)
    if mirrored := _MIRRORED.search(says):
        pixels = np.flip(pixels, axis=mirrored[1][0] & 1)
    return np.ascontiguousarray(pixels)

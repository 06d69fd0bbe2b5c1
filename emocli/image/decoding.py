"""Encoded pictures to pixels, upright, without OpenCV's words on stderr about faults and libpng's about profiles."""

import re

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

# what is wrong with a picture an error of ours says in one line
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_PNG = b"\x89PNG\r\n\x1a\n"
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
    pixels = cv2.imdecode(_without_profile(data), flags | cv2.IMREAD_IGNORE_ORIENTATION if avif else flags)
    if pixels is None:
        return None
    whole = np.asarray(pixels, np.uint8)
    return _upright(whole, data) if avif else whole


def _without_profile(data: Bytes) -> Bytes:
    """Return a PNG without its colour profile, which OpenCV doesn't use and libpng often has something to say about."""
    if data[:8].tobytes() != _PNG:
        return data
    place = len(_PNG)
    while (kind := data[place + 4 : place + 8].tobytes()) not in (b"", b"IDAT"):
        end = place + 12 + int.from_bytes(data[place : place + 4].tobytes())
        if kind == b"iCCP":
            return np.concatenate([data[:place], data[end:]])
        place = end
    return data


def _upright(pixels: Bytes, avif: Bytes) -> Bytes:
    """Return an AVIF's pixels turned, then mirrored, as it says before them (ISO/IEC 23008-12)."""
    says = avif.tobytes().partition(b"mdat")[0]
    if turned := _TURNED.search(says):
        pixels = np.rot90(pixels, turned[1][0] & 3)
    if mirrored := _MIRRORED.search(says):
        pixels = np.flip(pixels, axis=mirrored[1][0] & 1)
    return np.ascontiguousarray(pixels)

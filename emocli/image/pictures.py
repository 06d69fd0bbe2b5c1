"""Picture files as RGB pixels."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.image import decoding

SUFFIXES = frozenset((
    ".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".jp2",
    ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
))  # fmt: skip
"""What is taken for a picture inside a folder; a file that is named itself is read whatever its name is."""
_MOST_BYTES = 1 << 28


def read(path: Path) -> NDArray[np.uint8]:
    """Return a picture as (height, width, 3) RGB uint8, turned upright as it says; raises EmoError when it is none."""
    if path.exists() and not (path.is_file() and path.stat().st_size <= _MOST_BYTES):
        raise EmoError(f"{path} is no plain file of at most 256 MB, as pictures are; copy or convert it")
    try:
        encoded = np.fromfile(path, np.uint8)
    except OSError as fault:
        raise EmoError(f"can't read {path} ({fault.strerror}); check the name") from fault
    try:
        pixels = decoding.decoded(encoded, cv2.IMREAD_COLOR_RGB)
    except cv2.error as fault:  # a header that promises more pixels than OpenCV allows
        raise EmoError(f"{path} can't be decoded as an image; {fault.err}") from fault
    if pixels is None:
        hint = (
            "copy it again"
            if path.suffix.lower() in SUFFIXES
            else "convert a picture to JPEG; a video goes to emo live --source, anything else to a model of its kind"
        )
        raise EmoError(f"{path} is not an image that OpenCV reads; {hint}")
    return pixels

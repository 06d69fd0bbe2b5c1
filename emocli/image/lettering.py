"""Text as OpenCV's letters can write it into a picture: they are those of ASCII, all others become question marks."""

import unicodedata

import cv2
import numpy as np
from numpy.typing import NDArray

FONT = cv2.FONT_HERSHEY_SIMPLEX
_LONGEST = 32
"""Letters of a name."""


def written(name: str) -> str:
    """Return a name without accents, with what the letters lack by its number, and not too long."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    letters = (
        "" if unicodedata.combining(each) else each if " " <= each <= "~" else f"<{ord(each):x}>" for each in plain
    )
    whole = "".join(letters)
    return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 3]}..."


def width(text: str, scale: float) -> int:
    """Return how many pixels a line of thin letters takes."""
    (pixels, _), _ = cv2.getTextSize(text, FONT, scale, 1)
    return pixels


def put(picture: NDArray[np.uint8], text: str, place: tuple[int, int], scale: float, colour: tuple[int, ...]) -> None:
    """Write a line of thin letters, which begins at a place."""
    cv2.putText(picture, text, place, FONT, scale, colour, 1, cv2.LINE_AA)

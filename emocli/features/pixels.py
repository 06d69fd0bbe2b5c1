"""The face itself: aligned, cropped, resized, gray or colour, optionally equalized.

A face with landmarks is turned upright by a similarity transform to a stored template; one with a box only is cropped
to the square around it; without a detector the whole picture is the face. Borders are repeated, never black.

Options:
    size: height and width of the crop in pixels
    channels: 1 gray, 3 RGB
    equalize: none, hist (histogram equalisation) or clahe (contrast limited, 4 x 4 tiles), of the lightness
    eye_distance: pixels between the eyes of an aligned face; 0 is 0.38 of the size, as in FER2013
    margin: room on each side of an unaligned box, as a part of its longer side
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.features._crop import cropper
from emocli.image.faces import FaceImage


def extractor(
    *, size: int = 48, channels: int = 1, equalize: str = "none", eye_distance: float = 0.0, margin: float = 0.0
) -> Callable[[Sequence[FaceImage]], NDArray[np.uint8]]:
    """Return the function from n faces to (n, channels, size, size) uint8."""
    return cropper(size=size, channels=channels, equalize=equalize, eye_distance=eye_distance, margin=margin)

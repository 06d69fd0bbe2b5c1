"""The pictures of a data artifact, decoded, with the landmarks that the corpus has."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.image.faces import Face, FaceImage

Pixels = NDArray[np.uint8]


def faces(pictures: Sequence[Pixels], points: NDArray[np.float32] | None) -> list[FaceImage]:
    """Return n pictures with their landmarks, (n, points, 2) where there are any."""
    marks = [None] * len(pictures) if points is None else points
    return [
        FaceImage(pixels, None if mark is None else _marked(pixels, mark))
        for pixels, mark in zip(pictures, marks, strict=True)
    ]


def decoded(data: NDArray[np.uint8], name: str) -> Pixels:
    """Return the encoded picture as gray (height, width) or RGB (height, width, 3); `name` is for the error."""
    import cv2

    from emocli.image import decoding

    try:
        image = decoding.decoded(data, cv2.IMREAD_ANYCOLOR)
    except cv2.error:  # more pixels than OpenCV is allowed
        image = None
    if image is None:
        raise EmoError(f"image {name} can't be decoded; import the corpus again")
    return np.ascontiguousarray(image if image.ndim == 2 else image[:, :, ::-1], np.uint8)


def upright(x: Pixels) -> Pixels:
    """(channels, height, width) to gray (height, width) or RGB (height, width, 3)."""
    return x[0] if x.shape[0] == 1 else x.transpose(1, 2, 0)


def _marked(pixels: Pixels, points: NDArray[np.float32]) -> Face | None:
    if not np.isfinite(points).all():
        return None
    height, width = pixels.shape[:2]
    return Face((0.0, 0.0, float(width), float(height)), 1.0, points)

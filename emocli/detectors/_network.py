"""What the detectors that are networks share: the frame they see, and how boxes become faces."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.image.faces import Face

STRIDES = (8, 16, 32)
"""Pixels between the places that each of a detector's three levels looks at."""


def check(size: int, score: float, overlap: float) -> None:
    """Raise EmoError for options that can't be."""
    if 0 < size < 32 or size < 0 or not 0 < score < 1 or not 0 < overlap <= 1:
        raise EmoError(f"size={size} is 0 or at least 32, score={score} and overlap={overlap} lie between 0 and 1")


def frame(pixels: NDArray[np.uint8], size: int) -> tuple[NDArray[np.uint8], float]:
    """Return the picture as (h, w, 3) RGB, h and w multiples of 32, and its scale; `size` bounds the longer side.

    The scaled picture lies in the top left corner; the rest is black. A size of 0 leaves the scale as it is.
    """
    height, width = pixels.shape[:2]
    scale = size / max(height, width) if size else 1.0
    if scale != 1:
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = _scaled(pixels, width, height)
    if pixels.ndim == 2:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if height % 32 or width % 32:
        pixels = np.pad(pixels, ((0, -height % 32), (0, -width % 32), (0, 0)))
    return pixels, scale


def _scaled(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    # a resize looks at four pixels only; halving first costs a tenth of averaging at once, and lines alias in neither
    while pixels.shape[0] >= 2 * height and pixels.shape[1] >= 2 * width:
        half = pixels.shape[1] // 2, pixels.shape[0] // 2
        even = pixels[: 2 * half[1], : 2 * half[0]]
        pixels = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@lru_cache(maxsize=16)
def places(height: int, width: int, anchors: int) -> NDArray[np.float32]:
    """Return where a frame is looked at, in the order of the network's outputs: (n, 3) x, y, stride in pixels."""
    levels = []
    for stride in STRIDES:
        y, x = np.mgrid[0:height:stride, 0:width:stride]
        level = np.stack([x, y, np.full_like(x, stride)], axis=-1).reshape(-1, 3)
        levels.append(level.repeat(anchors, axis=0))
    return np.concatenate(levels).astype(np.float32)


def faces(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], points: NDArray[np.float32], scale: float, overlap: float
) -> list[Face]:
    """Return faces, largest first, of (n, 4) left, top, width, height; (n,) scores; (n, 10) landmarks of the frame.

    Of boxes whose intersection over union is more than `overlap` the one with the best score stays.
    """
    # the candidates are above the threshold already
    best = np.asarray(cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.0, overlap), np.intp).ravel()
    found = [
        Face(_box(boxes[index] / scale), float(scores[index]), (points[index] / scale).reshape(5, 2)) for index in best
    ]
    return sorted(found, key=lambda face: face.box[2] * face.box[3], reverse=True)


def _box(numbers: NDArray[np.float32]) -> tuple[float, float, float, float]:
    left, top, width, height = numbers.tolist()
    return left, top, width, height

"""Viola and Jones's cascade of Haar features, from OpenCV's wheel: works offline, upright frontal faces only.

It gives boxes without landmarks, so faces are cropped, not aligned; with eyes=true those faces whose two eyes the eye
cascade finds have these two as landmarks and are aligned by them. Its answer is yes or no: every score is 1.

Options:
    scale: factor between the sizes that are searched, above 1; nearer to 1 finds more and takes longer
    neighbours: hits in one place that make a face; more means fewer false ones
    smallest: least side of a face as a part of the picture's shorter side
    eyes: look for the eyes too
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.image.faces import Face


def detector(
    *, scale: float = 1.2, neighbours: int = 5, smallest: float = 0.1, eyes: bool = False
) -> Callable[[NDArray[np.uint8]], list[Face]]:
    """Return the function from a picture, (h, w) gray or (h, w, 3) RGB uint8, to its faces, largest first."""
    if not 1 < scale <= 10 or not 0 <= neighbours <= 1000 or not 0 <= smallest <= 1:
        raise EmoError(f"haar can't take scale={scale}, neighbours={neighbours}, smallest={smallest}")
    frontal = _cascade("haarcascade_frontalface_default.xml")
    eye = _cascade("haarcascade_eye_tree_eyeglasses.xml") if eyes else None

    def detect(pixels: NDArray[np.uint8]) -> list[Face]:
        gray = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        least = max(1, int(smallest * min(gray.shape)))
        boxes = frontal.detectMultiScale(gray, scale, neighbours, minSize=(least, least))
        found = [(int(left), int(top), int(width), int(height)) for left, top, width, height in boxes]
        # equal sizes in a fixed order, whatever thread found which
        found.sort(key=lambda box: (-box[2] * box[3], box))
        return [Face(box, 1.0, None if eye is None else _eyes(eye, gray, box)) for box in found]

    return detect


def _cascade(name: str) -> Any:
    # OpenCV 5 has neither the class nor the files
    folder, make = getattr(cv2, "data", None), getattr(cv2, "CascadeClassifier", None)
    if folder is None or make is None:
        raise EmoError("this OpenCV has no Haar cascades; run: pip install 'opencv-python<5'")
    return make(str(Path(folder.haarcascades) / name))


def _eyes(cascade: Any, gray: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.float32] | None:
    """Return the centres of the two eyes (2, 2), left one first; None unless each half of the face has one."""
    left, top, width, height = box
    upper = np.ascontiguousarray(gray[top : top + int(0.6 * height), left : left + width])
    least = max(1, width // 8)
    hits = [
        (x + w / 2, y + h / 2, w) for x, y, w, h in cascade.detectMultiScale(upper, 1.05, 3, minSize=(least, least))
    ]
    sides = [[hit for hit in hits if (hit[0] > width / 2) == right] for right in (False, True)]
    if not all(sides):
        return None
    (x1, y1, _), (x2, y2, _) = (max(side, key=lambda hit: hit[2]) for side in sides)
    # eyes that are close together or far from level are a nostril or a brow
    if x2 - x1 < 0.25 * width or abs(y2 - y1) > 0.35 * (x2 - x1):
        return None
    return np.array([(left + x1, top + y1), (left + x2, top + y2)], np.float32)

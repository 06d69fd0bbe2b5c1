"""The face crop that every picture extractor begins with: aligned where there are landmarks, else a square."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.image.faces import Face, FaceImage

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

LARGEST = 4096
"""Pixels of the side of a crop at most."""
TEMPLATE = ((0.31, 0.381), (0.69, 0.381), (0.5, 0.593), (0.35, 0.753), (0.65, 0.753))
"""Eyes, nose and mouth corners as parts of the crop's side: where FER2013's cropped faces have them (medians of 3,178
pictures, landmarks by YuNet, made symmetric), so that a model of cropped pictures sees detected faces as large."""


def cropper(
    *, size: int, channels: int = 1, equalize: str = "none", eye_distance: float = 0, margin: float = 0
) -> Callable[[Sequence[FaceImage]], Pixels]:
    """Return the function that makes (n, channels, size, size) uint8 of n faces; raises EmoError for odd options.

    A face with landmarks is turned upright and scaled to `eye_distance` pixels between the eyes (0: the template's).
    One without is cropped to the square around its box, `margin` of the box's longer side added on each. No face: the
    whole picture. What lies beyond the picture repeats its border.
    """
    if not 8 <= size <= LARGEST or channels not in (1, 3):
        raise EmoError(f"size={size}, channels={channels} can't be; size is 8 to {LARGEST}, channels 1 or 3")
    if not (eye_distance == 0 or 1 <= eye_distance < size) or not 0 <= margin <= 2:
        raise EmoError(
            f"eye_distance={eye_distance} must be 0, or 1 to less than the size, {size}, and margin={margin} 0 to 2"
        )
    target, tone = template(size, eye_distance), _equalizer(equalize)

    def crops(faces: Sequence[FaceImage]) -> Pixels:
        out = np.empty((len(faces), channels, size, size), np.uint8)
        for place, image in zip(out, faces, strict=True):
            pixels = tone(_crop(image, target, size, channels, margin))
            place[:] = pixels if channels == 1 else pixels.transpose(2, 0, 1)
        return out

    return crops


def template(size: int, eye_distance: float = 0) -> Points:
    """Return where landmarks (5, 2) belong in a crop of `size` pixels, scaled about their middle to `eye_distance`."""
    points = np.array(TEMPLATE) * size
    middle = points.mean(axis=0)
    scale = eye_distance / (points[1, 0] - points[0, 0]) if eye_distance else 1.0
    return np.asarray((points - middle) * scale + middle)


def five_points(landmarks: NDArray[np.float32]) -> Points:
    """Return eyes, nose and mouth corners of (68, 2) landmarks in iBUG's order; (5, 2) and two eyes (2, 2) stay."""
    points = landmarks.astype(np.float64)
    if len(points) != 68:
        return points
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


def similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that turns, scales and moves `source` (k, 2) closest to `target` in the least squares.

    Umeyama's closed form (PAMI 1991) without reflection, where it is a division of complex numbers.
    """
    flat, goal = source @ (1, 1j), target @ (1, 1j)
    centred = flat - flat.mean()
    turn = np.vdot(centred, goal - goal.mean()) / np.vdot(centred, centred).real
    move = goal.mean() - turn * flat.mean()
    return np.array([(turn.real, -turn.imag, move.real), (turn.imag, turn.real, move.imag)])


def _crop(image: FaceImage, target: Points, size: int, channels: int, margin: float) -> Pixels:
    pixels, face = image.pixels, image.face
    height, width = pixels.shape[:2]
    if face is None:
        return _square(pixels, (0, 0, width, height), size, channels)
    if _usable(face):
        points = five_points(np.asarray(face.landmarks))
        return _aligned(pixels, similarity(points, target[: len(points)]), size, channels)
    left, top, box_width, box_height = face.box
    more = margin * max(box_width, box_height)
    return _square(pixels, (left - more, top - more, box_width + 2 * more, box_height + 2 * more), size, channels)


def _usable(face: Face) -> bool:
    # a corpus marks points it could not place with NaN or the same place: its box still says where the face is
    points = face.landmarks
    return points is not None and bool(np.isfinite(points).all()) and bool(np.ptp(points, axis=0).any())


def _square(pixels: Pixels, box: tuple[float, ...], size: int, channels: int) -> Pixels:
    height, width = pixels.shape[:2]
    side = max(1, round(max(box[2:])))
    left, top = round(box[0] + (box[2] - side) / 2), round(box[1] + (box[3] - side) / 2)
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        cut = pixels[top : top + side, left : left + side]
    elif (shrink := side // max(LARGEST, 2 * size) + 1) > 1:
        # a line of a few bytes can be as long as a wall: its square would fill the memory
        less = cv2.resize(pixels, (max(1, width // shrink), max(1, height // shrink)), interpolation=cv2.INTER_AREA)
        return _square(np.asarray(less, np.uint8), tuple(edge / shrink for edge in box), size, channels)
    else:
        rows = np.arange(top, top + side).clip(0, height - 1)
        cut = pixels[np.ix_(rows, np.arange(left, left + side).clip(0, width - 1))]
    cut = _colours(cut, channels)
    if side == size:
        return cut
    # averaging when it shrinks, or fine lines alias
    return np.asarray(cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR))


def _aligned(pixels: Pixels, matrix: NDArray[np.float64], size: int, channels: int) -> Pixels:
    shrink = max(1, int(1 / np.hypot(matrix[0, 0], matrix[1, 0])))
    left, top, right, bottom = _reach(pixels, matrix, size, 2 * shrink)
    cut = _colours(pixels[top:bottom, left:right], channels)
    matrix = matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ (left + (shrink - 1) / 2, top + (shrink - 1) / 2)
    matrix[:, :2] *= shrink
    if shrink > 1:
        # the warp looks at four pixels only: whole multiples are averaged first, or fine lines alias
        width, height = max(1, (right - left) // shrink), max(1, (bottom - top) // shrink)
        cut = np.asarray(
            cv2.resize(cut[: height * shrink, : width * shrink], (width, height), interpolation=cv2.INTER_AREA)
        )
    return np.asarray(
        cv2.warpAffine(cut, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _reach(pixels: Pixels, matrix: NDArray[np.float64], size: int, more: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of the picture that the crop sees, never empty."""
    height, width = pixels.shape[:2]
    corners = np.array([(0, 0), (size, 0), (0, size), (size, size)]) - matrix[:, 2]
    corners = corners @ np.linalg.inv(matrix[:, :2]).T
    low, high = corners.min(axis=0) - more, corners.max(axis=0) + more
    left, top = (int(np.clip(low[axis], 0, limit - 1)) for axis, limit in enumerate((width, height)))
    right, bottom = (int(np.clip(high[axis] + 1, 1, limit)) for axis, limit in enumerate((width, height)))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _colours(pixels: Pixels, channels: int) -> Pixels:
    if channels == 1:
        return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    return pixels if pixels.ndim == 3 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)


def _equalizer(name: str) -> Callable[[Pixels], Pixels]:
    if name == "none":
        return lambda pixels: pixels
    if name not in ("hist", "clahe"):
        raise EmoError(f"equalize={name} is unknown; use none, hist or clahe")
    gray = cv2.equalizeHist if name == "hist" else cv2.createCLAHE(2.0, (4, 4)).apply

    def equalize(pixels: Pixels) -> Pixels:
        if pixels.ndim == 2:
            return np.asarray(gray(pixels), np.uint8)
        light = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb), np.uint8)
        light[..., 0] = gray(np.ascontiguousarray(light[..., 0]))
        return np.asarray(cv2.cvtColor(light, cv2.COLOR_YCrCb2RGB), np.uint8)

    return equalize

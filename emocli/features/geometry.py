"""Distances and angles between facial landmarks, free of the head's place, size and tilt.

All distances between two landmarks in units of the distance between the eyes, then cosine and sine of each landmark's
direction from the landmarks' centre, measured from the line through the eyes: 20 numbers of 5 landmarks, 2,414 of 68.

Options:
    angles: the directions too, not only the distances
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features._crop import five_points
from emocli.image.faces import FaceImage


def extractor(*, angles: bool = True) -> Callable[[Sequence[FaceImage]], NDArray[np.float32]]:
    """Return the function from n faces to (n, d) float32; it raises EmoError for a face without landmarks."""

    def extract(faces: Sequence[FaceImage]) -> NDArray[np.float32]:
        points = _landmarks(faces)
        # as complex numbers, dividing by the vector between the eyes undoes size and tilt at once
        eyes = np.array([np.diff(five_points(each)[:2] @ (1, 1j))[0] for each in points])
        if not np.isfinite(points).all() or not eyes.all():
            raise EmoError("some faces have landmarks that are not numbers or both eyes in one place; leave them out")
        upright = (points @ (1, 1j)) / eyes.reshape(-1, 1)
        first, second = np.triu_indices(points.shape[1], 1)
        distances = np.abs(upright[:, first] - upright[:, second])
        if not angles:
            return np.asarray(distances, np.float32)
        rays = upright - upright.mean(axis=1, keepdims=True)
        rays = rays / np.maximum(np.abs(rays), 1e-9)
        return np.concatenate([distances, rays.real, rays.imag], axis=1).astype(np.float32)

    return extract


def _landmarks(faces: Sequence[FaceImage]) -> NDArray[np.float64]:
    """Return the landmarks of all faces: (n, 5 or 68, 2)."""
    found = [image.face.landmarks for image in faces if image.face is not None and image.face.landmarks is not None]
    counts = {len(points) for points in found}
    if len(found) < len(faces) or not counts <= {5, 68}:
        raise EmoError("geometry needs 5 or 68 landmarks, which some pictures lack; use --detector yunet or scrfd")
    if len(counts) > 1:
        raise EmoError("geometry can't mix faces with 5 and with 68 landmarks; detect all of them: --detector yunet")
    return np.array(found, np.float64).reshape(len(faces), -1, 2)

"""A face in a picture: where it is, and the picture it is in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face. box is (left, top, width, height) in pixels and may reach over the border; score is 0 to 1."""

    box: tuple[float, float, float, float]
    score: float = 1.0
    landmarks: NDArray[np.float32] | None = None
    """(5, 2): eyes, nose, mouth corners, each pair left to right; (2, 2): only the eyes; (68, 2): in iBUG's order."""


@dataclass(frozen=True, slots=True)
class FaceImage:
    """A picture, (height, width) gray or (height, width, 3) RGB uint8; without `face` all of it is the face."""

    pixels: NDArray[np.uint8]
    face: Face | None = None

"""Views of pictures: each a little larger, turned, shifted, and all of these of its mirror image."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Move:
    """A small change of the view: zoom about the middle, turn in degrees, shift in shares of the side."""

    zoom: float = 1.0
    turn: float = 0.0
    right: float = 0.0
    down: float = 0.0


MOVES = (
    Move(),
    Move(zoom=1.1),
    Move(turn=5),
    Move(turn=-5),
    Move(zoom=0.95),
    Move(right=0.01, down=0.01),
    Move(zoom=1.05, right=-0.02, down=-0.01),
)
"""The views in the order in which they are taken: what training shows anyway, near the middle of its range."""


def shown(x: NDArray[Any], count: int, *, flip: bool) -> Iterator[NDArray[Any]]:
    """Yield pictures (n, channels, height, width) as each of `count` views shows them, as they are first."""
    # moved after it is mirrored: so a picture and its mirror image have the same views
    sides = [x, np.ascontiguousarray(x[..., ::-1])] if flip else [x]
    for move in MOVES[:count]:
        yield from (_moved(side, move) for side in sides)


def _moved(x: NDArray[Any], move: Move) -> NDArray[Any]:
    """Return pictures after a move, bicubic as in training; what comes from outside repeats the border."""
    if move == Move():
        return x
    import cv2

    height, width = x.shape[2:]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), move.turn, move.zoom)
    matrix[:, 2] += move.right * width, move.down * height
    planes = [
        cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for plane in x.reshape(-1, height, width)
    ]
    return np.stack(planes).reshape(x.shape)

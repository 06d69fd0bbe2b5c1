"""A contact sheet: lines of pictures, each line with its name, as one PNG."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.image import lettering

SIDE, GAP = 96, 4
"""Small pictures are enlarged by a whole factor to at least this many pixels; pixels between two of them."""
_LARGEST = 256
_INK = (40, 40, 40)


@dataclass(frozen=True, slots=True)
class Line:
    """Pictures beside each other, (k, channels, h, w) uint8, gray or RGB; names are written at their left."""

    names: tuple[str, ...]
    pictures: NDArray[np.uint8]


def write(lines: Sequence[Line], path: Path) -> None:
    """Write the lines, all of pictures of one size, as a PNG."""
    height, width = _cell(*lines[0].pictures.shape[2:])
    columns = max(len(line.pictures) for line in lines)
    lines = [Line(tuple(map(lettering.written, line.names)), line.pictures) for line in lines]
    margin = max(lettering.width(name, 0.45) for line in lines for name in line.names) + 16
    sheet = np.full((len(lines) * (height + GAP) + GAP, margin + columns * (width + GAP), 3), 255, np.uint8)
    for row, line in enumerate(lines):
        top = GAP + row * (height + GAP)
        for place, name in enumerate(line.names):
            lettering.put(sheet, name, (8, top + 20 + 18 * place), 0.45, _INK)
        for column, picture in enumerate(line.pictures):
            left = margin + column * (width + GAP)
            sheet[top : top + height, left : left + width] = _resized(picture, height, width)
    path.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())


def _cell(height: int, width: int) -> tuple[int, int]:
    side = max(height, width)
    factor = -(-SIDE // side) if side < SIDE else min(1.0, _LARGEST / side)
    return max(1, round(height * factor)), max(1, round(width * factor))


def _resized(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """(channels, h, w) to (height, width, 3) BGR; enlarged pixels stay squares, so that nothing is made up."""
    upright = np.ascontiguousarray(np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0)[:, :, ::-1])
    how = cv2.INTER_NEAREST if height >= picture.shape[1] else cv2.INTER_AREA
    return np.asarray(cv2.resize(upright, (width, height), interpolation=how), np.uint8)

"""Local binary patterns: histograms of uniform patterns over a grid of cells.

Ojala, Pietikäinen, Mäenpää (PAMI 2002); for faces Ahonen et al. (PAMI 2006), for expressions Shan et al. (IVC 2009).
With 8 points there are 59 patterns: 58 uniform ones and one bin for all others. Histograms sum to 1 per cell.

Options:
    size: height and width of the face crop in pixels
    grid: cells along each side
    points: neighbours on the circle, 4 to 16
    radius: of the circle in pixels
    equalize: none, hist or clahe, of the lightness
    eye_distance: pixels between the eyes of an aligned face; 0 is 0.38 of the size, as in FER2013
    margin: room on each side of an unaligned box, as a part of its longer side
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features._crop import cropper
from emocli.image.faces import FaceImage

# more at a time leave the cache, fewer are all overhead
_CHUNK_PIXELS = 50_000


def extractor(
    *,
    size: int = 48,
    grid: int = 6,
    points: int = 8,
    radius: float = 1.0,
    equalize: str = "none",
    eye_distance: float = 0.0,
    margin: float = 0.0,
) -> Callable[[Sequence[FaceImage]], NDArray[np.float32]]:
    """Return the function from n faces to (n, grid * grid * patterns) float32."""
    if not 4 <= points <= 16 or not 0 < radius < size / 2 or not 1 <= grid <= size:
        raise EmoError(f"lbp can't take points={points}, radius={radius}, grid={grid} at size={size}")
    crops = cropper(size=size, equalize=equalize, eye_distance=eye_distance, margin=margin)
    labels, bins = _labels(points), points * (points - 1) + 3
    cell = np.arange(size) * grid // size
    cells = cell[:, None] * grid + cell
    pixels_per_cell = np.bincount(cells.ravel())[:, None]
    chunk = max(1, _CHUNK_PIXELS // size**2)

    def extract(faces: Sequence[FaceImage]) -> NDArray[np.float32]:
        images = crops(faces)[:, 0]
        out = np.empty((len(images), grid * grid, bins), np.float32)
        for start in range(0, len(images), chunk):
            part = out[start : start + chunk]
            patterns = labels[_codes(images[start : start + chunk], points, radius)]
            where = np.arange(len(part))[:, None, None] * grid * grid + cells
            counts = np.bincount((where * bins + patterns).ravel(), minlength=part.size)
            part[:] = counts.reshape(part.shape) / pixels_per_cell
        return out.reshape(len(images), -1)

    return extract


def _codes(images: NDArray[np.uint8], points: int, radius: float) -> NDArray[np.uint16]:
    """Return each pixel's pattern, a bit per neighbour that is at least as light; images and result (n, h, w).

    Neighbours between pixels are interpolated, those beyond the border are black. The arithmetic is that of
    scikit-image, digit by digit: on even areas rounding alone decides whether a neighbour is as light.
    """
    border = int(np.ceil(radius))
    padded = np.pad(images, ((0, 0), (border, border), (border, border)))
    codes = np.zeros(images.shape, np.uint16)
    across: dict[float, NDArray[Any]] = {}
    for point in range(points):
        angle = 2 * np.pi * point / points
        down, right = round(-radius * np.sin(angle), 5), round(radius * np.cos(angle), 5)
        if right not in across:
            across[right] = _between(padded, right, border, 2)
        codes |= (_between(across[right], down, border, 1) >= images).astype(np.uint16) << point
    return codes


def _between(values: NDArray[Any], offset: float, border: int, axis: int) -> NDArray[Any]:
    """Return `values` without their border along an axis, `offset` pixels on, interpolated where that is no pixel."""
    count = values.shape[axis] - 2 * border
    start = border + int(np.floor(offset))
    near = _part(values, start, count, axis)
    if offset == int(offset):
        return near
    places = np.arange(count) + offset
    weight = (places - np.floor(places)).reshape(-1, *(1,) * (2 - axis))
    between: NDArray[Any] = (1 - weight) * near + weight * _part(values, start + 1, count, axis)
    return between


def _part(values: NDArray[Any], start: int, count: int, axis: int) -> NDArray[Any]:
    return values[(slice(None),) * axis + (slice(start, start + count),)]


def _labels(points: int) -> NDArray[np.intp]:
    """Return every pattern's bin, in scikit-image's order: by number of ones, then by where they begin; others last."""
    ones_first = (np.arange(2**points)[:, None] >> np.arange(points)) & 1
    begins = ones_first > np.roll(ones_first, 1, axis=1)
    ones = ones_first.sum(axis=1)
    turn = (points - begins.argmax(axis=1)) % points
    bins = np.where(ones == 0, 0, 1 + (ones - 1) * points + turn)
    bins[begins.sum(axis=1) > 1] = points * (points - 1) + 2
    return bins

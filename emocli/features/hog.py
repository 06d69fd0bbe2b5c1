"""Histograms of oriented gradients: Dalal and Triggs (CVPR 2005), blocks normalised by L2-Hys.

The numbers are those of scikit-image's hog with the same options.

Options:
    size: height and width of the face crop in pixels
    cell: height and width of a cell in pixels
    block: cells along each side of a block
    orientations: bins over 180 degrees
    equalize: none, hist or clahe, of the lightness
    eye_distance: pixels between the eyes of an aligned face; 0 is 0.38 of the size, as in FER2013
    margin: room on each side of an unaligned box, as a part of its longer side
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features._crop import cropper
from emocli.image.faces import FaceImage

_CHUNK_PIXELS = 20_000


def extractor(
    *,
    size: int = 48,
    cell: int = 8,
    block: int = 2,
    orientations: int = 9,
    equalize: str = "none",
    eye_distance: float = 0.0,
    margin: float = 0.0,
) -> Callable[[Sequence[FaceImage]], NDArray[np.float32]]:
    """Return the function from n faces to (n, blocks * block * block * orientations) float32."""
    if cell < 2 or block < 1 or not 2 <= orientations <= 180 or size // max(cell, 1) < block:
        raise EmoError(f"hog can't take cell={cell}, block={block}, orientations={orientations} at size={size}")
    crops = cropper(size=size, equalize=equalize, eye_distance=eye_distance, margin=margin)
    tables = _tables(orientations)
    chunk = max(1, _CHUNK_PIXELS // size**2)

    def extract(faces: Sequence[FaceImage]) -> NDArray[np.float32]:
        images = crops(faces)[:, 0]
        # one chunk at least, so that no faces give (0, d)
        starts = range(0, max(1, len(images)), chunk)
        parts = [_cells(images[start : start + chunk], cell, orientations, tables) for start in starts]
        return np.concatenate([_blocks(part, block) for part in parts])

    return extract


def _tables(orientations: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return orientation bin and length of every gradient that whole numbers can make: (511 * 511,) each."""
    steps = np.arange(-255, 256)
    degrees = np.rad2deg(np.arctan2(steps[:, None], steps)) % 180
    bins = np.floor(degrees / (180 / orientations)).astype(np.int64)
    return bins.ravel(), np.hypot(steps[:, None], steps).astype(np.float64).ravel()


def _cells(
    images: NDArray[np.uint8], cell: int, orientations: int, tables: tuple[NDArray[np.int64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the mean gradient per orientation of (n, size, size) images: (n, cells, cells, orientations)."""
    count, along = len(images), images.shape[1] // cell
    used = along * cell
    light = images.astype(np.int64)
    # entry of the tables: 511 * (row gradient + 255) + column gradient + 255; gradients are 0 on the border
    entry = np.full(images.shape, 511 * 255 + 255)
    entry[:, 1:-1] += 511 * (light[:, 2:] - light[:, :-2])
    entry[:, :, 1:-1] += light[:, :, 2:] - light[:, :, :-2]
    entry = entry[:, :used, :used]
    bins, lengths = tables
    place = np.arange(used) // cell
    where = np.arange(count)[:, None, None] * along**2 + (place[:, None] * along + place)
    index = (where * orientations + bins[entry]).ravel()
    total = np.bincount(index, lengths[entry].ravel(), minlength=count * along**2 * orientations)
    return total.reshape(count, along, along, orientations) / cell**2


def _blocks(cells: NDArray[np.float64], block: int) -> NDArray[np.float32]:
    """Return the normalised blocks of `cells`, flattened: (n, d). L2-Hys: L2, clipped at 0.2, L2 again."""
    windows = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(1, 2))
    blocks = windows.transpose(0, 1, 2, 4, 5, 3).reshape(*windows.shape[:3], -1)
    for limit in (0.2, np.inf):
        blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + 1e-10), limit)
    return blocks.reshape(len(cells), -1).astype(np.float32)

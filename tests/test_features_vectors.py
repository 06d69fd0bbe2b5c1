"""LBP, HOG and geometry: the published numbers, one face like many, and faces they can't take."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emocli import registry
from emocli.errors import EmoError
from emocli.image.faces import Face, FaceImage

RNG = np.random.default_rng(0)
MARKS = np.array([(30, 40), (70, 42), (50, 60), (36, 80), (66, 78)], np.float32)


def _images(size: int) -> list[FaceImage]:
    """Noise, even areas, edges and a constant picture: even areas are where rounding decides an LBP."""
    noise = RNG.integers(0, 256, (3, size, size), dtype=np.uint8)
    stairs = (np.add.outer(np.arange(size), np.arange(size)) // 7 * 20 % 256).astype(np.uint8)
    coarse = (noise[0] // 64 * 64).astype(np.uint8)
    return [FaceImage(each) for each in (*noise, stairs, coarse, np.full((size, size), 77, np.uint8))]


def _landmarks(points: NDArray[np.float32]) -> FaceImage:
    return FaceImage(np.zeros((100, 100), np.uint8), Face((0, 0, 100, 100), 1.0, points))


@pytest.mark.parametrize("points, radius, size, grid", [(8, 1.0, 48, 6), (8, 2.0, 50, 7), (16, 2.0, 48, 4)])
def test_lbp_is_that_of_scikit_image(points: int, radius: float, size: int, grid: int) -> None:
    feature = pytest.importorskip("skimage.feature")
    images = _images(size)
    found = registry.load("features", "lbp")(points=points, radius=radius, size=size, grid=grid)(images)
    bins = points * (points - 1) + 3
    cell = np.arange(size) * grid // size
    for image, vector in zip(images, found.reshape(len(images), grid, grid, bins), strict=True):
        codes = feature.local_binary_pattern(image.pixels, points, radius, "nri_uniform").astype(int)
        for row, column in np.ndindex(grid, grid):
            part = codes[np.ix_(cell == row, cell == column)]
            assert np.array_equal(
                vector[row, column], np.float32(np.bincount(part.ravel(), minlength=bins) / part.size)
            )


@pytest.mark.parametrize("size, cell, block, orientations", [(48, 8, 2, 9), (64, 8, 3, 8), (50, 7, 1, 12)])
def test_hog_is_that_of_scikit_image(size: int, cell: int, block: int, orientations: int) -> None:
    feature = pytest.importorskip("skimage.feature")
    images = _images(size)
    found = registry.load("features", "hog")(size=size, cell=cell, block=block, orientations=orientations)(images)
    for image, vector in zip(images, found, strict=True):
        expected = feature.hog(image.pixels, orientations, (cell, cell), (block, block), block_norm="L2-Hys")
        assert np.allclose(vector, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["lbp", "hog"])
def test_many_faces_give_what_each_alone_gives(name: str) -> None:
    images = _images(48) * 3
    extract = registry.load("features", name)()
    together = extract(images)
    assert together.dtype == np.float32
    assert np.array_equal(together, np.concatenate([extract([image]) for image in images]))


@pytest.mark.parametrize("points", [MARKS, RNG.uniform(0, 100, (68, 2)).astype(np.float32)])
def test_geometry_does_not_see_place_size_and_tilt(points: NDArray[np.float32]) -> None:
    turned = points @ np.array([(0.8, 0.6), (-0.6, 0.8)], np.float32) * 3 + 40
    still, moved = registry.load("features", "geometry")()([_landmarks(points), _landmarks(turned)])
    assert len(still) == {5: 20, 68: 2414}[len(points)]
    assert np.allclose(still, moved, atol=1e-4)


def test_geometry_measures_in_distances_between_the_eyes() -> None:
    wide = MARKS.copy()
    wide[3:] += np.array([(-10, 0), (10, 0)], np.float32)
    still, smiling = registry.load("features", "geometry")(angles=False)([_landmarks(MARKS), _landmarks(wide)])
    assert still.shape == (10,) and still[0] == pytest.approx(1)
    eyes = np.hypot(*(MARKS[1] - MARKS[0]))
    assert smiling[-1] == pytest.approx(np.hypot(*(wide[4] - wide[3])) / eyes, rel=1e-5)


@pytest.mark.parametrize(
    "images",
    [
        [FaceImage(np.zeros((48, 48), np.uint8))],
        [_landmarks(MARKS), FaceImage(np.zeros((48, 48), np.uint8), Face((0, 0, 48, 48)))],
        [_landmarks(MARKS[:2])],
    ],
)
def test_geometry_without_landmarks_says_which_detector_gives_them(images: list[FaceImage]) -> None:
    with pytest.raises(EmoError, match="--detector yunet"):
        registry.load("features", "geometry")()(images)


@pytest.mark.parametrize("name, options", [("lbp", {"points": 20}), ("lbp", {"grid": 0}), ("hog", {"cell": 40})])
def test_odd_options_are_refused_at_once(name: str, options: dict[str, int]) -> None:
    with pytest.raises(EmoError, match=name):
        registry.load("features", name)(**options)

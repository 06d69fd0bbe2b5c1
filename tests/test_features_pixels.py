"""The face crop: where it looks, what it leaves alone, and that one face is cropped like many."""

import tracemalloc

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emocli import registry
from emocli.errors import EmoError
from emocli.features._crop import five_points, similarity, template
from emocli.image.faces import Face, FaceImage

RNG = np.random.default_rng(0)


def _noise(height: int, width: int, *colours: int) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, (height, width, *colours), dtype=np.uint8)


def _placed(
    points: NDArray[np.float64], *, turn: float, scale: float, move: tuple[float, float]
) -> NDArray[np.float64]:
    rotation = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
    return points @ rotation.T * scale + move


def _dots(points: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """A black picture with a soft white dot on each point."""
    y, x = np.mgrid[:side, :side]
    light = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points)
    return (255 * np.minimum(light, 1)).astype(np.uint8)


def test_a_cropped_gray_picture_of_the_right_size_is_not_touched() -> None:
    images = [FaceImage(_noise(48, 48)) for _ in range(3)]
    crops = registry.load("features", "pixels")()(images)
    assert crops.shape == (3, 1, 48, 48) and crops.dtype == np.uint8
    assert np.array_equal(crops[:, 0], [image.pixels for image in images])


def test_many_faces_are_cropped_like_each_alone() -> None:
    face = Face((10, 20, 60, 50), 1.0, np.float32([(30, 30), (60, 35), (45, 50), (33, 60), (55, 63)]))
    pictures = [_noise(100, 120), _noise(90, 100, 3)]
    images = [FaceImage(picture, each) for picture in pictures for each in (None, face, Face(face.box))]
    for options in ({}, {"channels": 3, "size": 64}, {"equalize": "clahe"}, {"equalize": "hist", "channels": 3}):
        extract = registry.load("features", "pixels")(**options)
        assert np.array_equal(extract(images), np.concatenate([extract([image]) for image in images]))


def test_the_similarity_is_found_again() -> None:
    points = template(112)
    there = _placed(points, turn=0.4, scale=2.5, move=(30, -8))
    matrix = similarity(there, points)
    assert np.allclose(there @ matrix[:, :2].T + matrix[:, 2], points)
    expected, _ = cv2.estimateAffinePartial2D(there, points)
    assert np.allclose(matrix, expected, atol=1e-6)


@pytest.mark.parametrize("scale", [0.8, 1.7, 3.4])
@pytest.mark.parametrize("turn", [0.0, 0.5, -2.0])
def test_landmarks_land_on_the_template(turn: float, scale: float) -> None:
    goal = template(64, eye_distance=20)
    there = _placed(goal - 32, turn=turn, scale=scale, move=(150, 150))
    face = Face((0, 0, 300, 300), 1.0, there.astype(np.float32))
    crop = registry.load("features", "pixels")(size=64, eye_distance=20.0)([FaceImage(_dots(there, 300), face)])[0, 0]
    for x, y in goal:
        part = crop[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].astype(float)
        rows, columns = np.mgrid[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4]
        assert abs((part * rows).sum() / part.sum() - y) < 0.5
        assert abs((part * columns).sum() / part.sum() - x) < 0.5


def test_the_eyes_are_as_far_apart_as_asked() -> None:
    for size, asked, distance in ((100, 0.0, 38.0), (50, 0.0, 19.0), (128, 50.0, 50.0)):
        points = template(size, asked)
        assert np.hypot(*(points[1] - points[0])) == pytest.approx(distance)


def test_a_box_over_the_border_repeats_the_border() -> None:
    pixels = np.full((40, 40), 200, np.uint8)
    pixels[:, 0] = 90
    crop = registry.load("features", "pixels")(size=40)([FaceImage(pixels, Face((-40, 0, 40, 40)))])
    assert (crop == 90).all()


def test_a_box_becomes_a_square_with_its_margin() -> None:
    pixels = _noise(100, 100)
    crop = registry.load("features", "pixels")(size=40, margin=0.5)([FaceImage(pixels, Face((45, 40, 10, 20)))])[0, 0]
    assert np.array_equal(crop, pixels[30:70, 30:70])


def test_landmarks_that_are_no_places_leave_the_box() -> None:
    pixels, box = _noise(60, 60), (5, 5, 48, 48)
    extract = registry.load("features", "pixels")()
    for bad in (np.full((5, 2), np.nan), np.full((5, 2), 7)):
        spoilt = extract([FaceImage(pixels, Face(box, 1.0, bad.astype(np.float32)))])
        assert np.array_equal(spoilt[0, 0], pixels[5:53, 5:53])


def test_68_landmarks_are_reduced_to_the_five() -> None:
    marks = np.zeros((68, 2), np.float32)
    marks[36:42], marks[42:48], marks[30], marks[48], marks[54] = (1, 1), (5, 1), (3, 3), (2, 5), (4, 5)
    assert five_points(marks).tolist() == [[1, 1], [5, 1], [3, 3], [2, 5], [4, 5]]


def test_fine_lines_are_averaged_when_a_face_shrinks() -> None:
    lines = np.zeros((800, 800), np.uint8)
    lines[::2] = 255
    marks = _placed(template(48), turn=0.0, scale=10, move=(150, 150)).astype(np.float32)
    faces = [FaceImage(lines, Face((0, 0, 800, 800), 1.0, points)) for points in (None, marks)]
    crops = registry.load("features", "pixels")()(faces)
    assert crops.min() > 110 and crops.max() < 145


def test_equalizing_spreads_a_flat_picture() -> None:
    pixels = (100 + np.arange(48 * 48).reshape(48, 48) // 144).astype(np.uint8)
    for way in ("hist", "clahe"):
        assert np.ptp(registry.load("features", "pixels")(equalize=way)([FaceImage(pixels)])) > np.ptp(pixels)


@pytest.mark.parametrize("options", [{"size": 4}, {"channels": 2}, {"equalize": "x"}, {"eye_distance": 48.0}])
def test_odd_options_are_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(EmoError):
        registry.load("features", "pixels")(**options)


def test_a_line_as_long_as_a_wall_takes_no_more_memory_than_a_picture() -> None:
    extract, line = registry.load("features", "pixels")(), np.full((1, 200_000), 9, np.uint8)
    line[:, 100_000:] = 200
    tracemalloc.start()
    (crop,) = extract([FaceImage(line)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6
    assert crop[0, 24, 2] == 9 and crop[0, 24, -3] == 200

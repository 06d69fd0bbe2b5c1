"""Face detectors on real pictures: the boxes of the published implementations, largest first, one way for all."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from real_faces import keep_networks, network, picture

from emocli import registry, store
from emocli.errors import EmoError
from emocli.image.faces import Face

NETWORKS = ("yunet", "scrfd")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that has the networks."""
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    return keep_networks(tmp_path)


def _by_place(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.box)


def _cv2_faces(pixels: NDArray[np.uint8], score: float, overlap: float) -> list[Face]:
    model = str(network("face_detection_yunet_2023mar.onnx"))
    peer = cv2.FaceDetectorYN.create(model, "", pixels.shape[1::-1], score, overlap)
    _, rows = peer.detect(np.ascontiguousarray(pixels[..., ::-1]))
    rows = np.zeros((0, 15), np.float32) if rows is None else rows
    return [Face(tuple(row[:4].tolist()), float(row[14]), row[4:14].reshape(5, 2)) for row in rows]


def _insightface_faces(pixels: NDArray[np.uint8], score: float) -> list[Face]:
    zoo = pytest.importorskip("insightface.model_zoo.scrfd")
    height, width = (side + -side % 32 for side in pixels.shape[:2])
    peer = zoo.SCRFD(str(network("det_500m.onnx")))
    peer.prepare(-1, det_thresh=score)
    boxes, points = peer.detect(np.ascontiguousarray(pixels[..., ::-1]), input_size=(width, height))
    return [
        Face((left, top, right - left, bottom - top), float(confidence), marks)
        for (left, top, right, bottom, confidence), marks in zip(boxes.tolist(), points, strict=True)
    ]


def _agree(ours: list[Face], theirs: list[Face]) -> None:
    assert len(ours) == len(theirs) > 0
    for one, other in zip(_by_place(ours), _by_place(theirs), strict=True):
        assert np.abs(np.subtract(one.box, other.box)).max() < 1
        assert one.landmarks is not None and other.landmarks is not None
        assert np.abs(one.landmarks - other.landmarks).max() < 1
        assert one.score == pytest.approx(other.score, abs=0.01)


@pytest.mark.parametrize("name", ["single_face.jpg", "multi_face.jpg"])
@pytest.mark.parametrize("side", [640, 333])
def test_yunet_is_that_of_opencv(name: str, side: int, kept: Path) -> None:
    pixels = picture(name)
    scale = side / max(pixels.shape)
    pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    _agree(registry.load("detectors", "yunet")(size=0)(pixels), _cv2_faces(pixels, 0.6, 0.3))


@pytest.mark.parametrize("name", ["single_face.jpg", "multi_face.jpg"])
def test_scrfd_is_that_of_insightface(name: str, kept: Path) -> None:
    # insightface fits a picture into a canvas that has the same shape already here, so that neither side scales
    pixels = picture(name)
    pixels = pixels[: pixels.shape[0] // 32 * 32, : pixels.shape[1] // 32 * 32]
    _agree(registry.load("detectors", "scrfd")(size=0)(pixels), _insightface_faces(pixels, 0.5))


@pytest.mark.parametrize("name, least", [("yunet", 5), ("scrfd", 5), ("haar", 4)])
def test_faces_come_largest_first(name: str, least: int, kept: Path) -> None:
    faces = registry.load("detectors", name)()(picture("multi_face.jpg"))
    assert len(faces) >= least
    assert all(one.box[2] * one.box[3] >= other.box[2] * other.box[3] for one, other in pairwise(faces))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_eyes_are_above_the_mouth_and_the_left_one_left(name: str, kept: Path) -> None:
    for face in registry.load("detectors", name)()(picture("multi_face.jpg")):
        assert face.landmarks is not None and face.landmarks.shape == (5, 2)
        (left, right), (mouth, other) = face.landmarks[:2], face.landmarks[3:]
        assert left[0] < right[0] and mouth[0] < other[0] and max(left[1], right[1]) < min(mouth[1], other[1])


@pytest.mark.parametrize("name", [*NETWORKS, "haar"])
def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(name: str, kept: Path) -> None:
    pixels = picture("single_face.jpg")
    detect = registry.load("detectors", name)()
    large = np.asarray(cv2.resize(pixels, None, fx=2, fy=2), np.uint8)
    (small_face,), (large_face,) = detect(pixels), detect(large)
    assert np.allclose(np.multiply(small_face.box, 2), large_face.box, atol=0.15 * large_face.box[3])


@pytest.mark.parametrize("name", [*NETWORKS, "haar"])
def test_a_gray_picture_and_one_without_faces_are_taken(name: str, kept: Path) -> None:
    detect = registry.load("detectors", name)()
    gray = np.asarray(cv2.cvtColor(picture("single_face.jpg"), cv2.COLOR_RGB2GRAY), np.uint8)
    assert len(detect(gray)) == 1
    assert detect(np.zeros((70, 45), np.uint8)) == []


@pytest.mark.parametrize("name", [*NETWORKS, "haar"])
def test_the_same_frame_gives_the_same_faces_after_others(name: str, kept: Path) -> None:
    detect, frame = registry.load("detectors", name)(), picture("multi_face.jpg")
    first = detect(frame)
    detect(picture("single_face.jpg"))
    for one, again in zip(first, detect(frame), strict=True):
        assert one.box == again.box and one.score == again.score
        assert np.array_equal(one.landmarks, again.landmarks)


def test_haar_finds_the_two_eyes_when_asked() -> None:
    (face,) = registry.load("detectors", "haar")(eyes=True)(picture("single_face.jpg"))
    assert np.allclose(face.landmarks, [(228, 247), (312, 245)], atol=6)


def test_no_detector_is_one_face_that_fills_the_picture() -> None:
    assert registry.load("detectors", "none")()(np.zeros((30, 40, 3), np.uint8)) == [Face((0.0, 0.0, 40.0, 30.0))]


@pytest.mark.parametrize("name, options", [("yunet", {"size": 8}), ("scrfd", {"score": 0.0}), ("haar", {"scale": 1.0})])
def test_odd_options_are_refused_at_once(name: str, options: dict[str, object], kept: Path) -> None:
    with pytest.raises(EmoError):
        registry.load("detectors", name)(**options)


def test_a_spoilt_network_in_the_store_is_not_run(kept: Path) -> None:
    for file in (kept / "downloads").iterdir():
        file.write_bytes(b"spoilt")
    with pytest.raises(EmoError, match="not det_500m"):
        registry.load("detectors", "scrfd")()
    assert store.home() == kept

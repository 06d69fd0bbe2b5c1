"""Detector and extractor by name, joined, and again from a header."""

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Run
from real_faces import keep_networks, picture
from scored import write_photos

from emocli import pipes, registry
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.extracting import extraction, featurizing, pieces
from emocli.image.faces import Face, FaceImage

RNG = np.random.default_rng(0)
IMAGES = [FaceImage(RNG.integers(0, 256, (48, 48), dtype=np.uint8)) for _ in range(5)]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that has the detectors' networks."""
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    return keep_networks(tmp_path)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store and a network that is not there."""
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return tmp_path


def test_joined_extractors_give_their_vectors_in_a_row() -> None:
    extract, options = extraction.build("lbp+hog", {"size": "64", "lbp.points": "16", "hog.cell": 16})
    lbp = registry.load("features", "lbp")(size=64, points=16)(IMAGES)
    hog = registry.load("features", "hog")(size=64, cell=16)(IMAGES)
    assert np.array_equal(extract(IMAGES), np.concatenate([lbp, hog], axis=1))
    assert options["lbp.size"] == options["hog.size"] == 64 and options["lbp.points"] == 16


def test_an_option_for_one_part_wins_over_the_same_for_all() -> None:
    for given in ({"size": 64, "lbp.size": 32}, {"lbp.size": 32, "size": 64}):
        options = extraction.build("lbp+hog", given)[1]
        assert options["lbp.size"] == 32 and options["hog.size"] == 64


def test_the_options_that_come_back_make_the_same_again() -> None:
    for name, given in (("pixels", {"size": "64"}), ("lbp+hog", {"grid": 4})):
        extract, options = extraction.build(name, given)
        again, same = extraction.build(name, options)
        assert same == options and np.array_equal(extract(IMAGES), again(IMAGES))


@pytest.mark.parametrize(
    "name, params, said",
    [
        ("pixel", {}, "did you mean pixels"),
        ("lbp+lbp", {}, "twice"),
        ("lbp+hog", {"colour": 1}, "none of lbp, hog"),
        ("lbp+hog", {"deep.model": "x"}, "none of lbp, hog"),
        ("lbp+hog", {"hog.points": 8}, "hog has no option"),
        ("lbp+", {}, "no ''"),
    ],
)
def test_names_and_options_that_are_not_there_are_refused(name: str, params: dict[str, object], said: str) -> None:
    with pytest.raises(EmoError, match=said):
        extraction.build(name, params)


def test_images_cannot_be_joined() -> None:
    extract, _ = extraction.build("lbp+pixels", {})
    with pytest.raises(EmoError, match="pixels gives images"):
        extract(IMAGES)


def test_a_header_makes_the_same_features_again(kept: Path) -> None:
    frames = [FaceImage(picture("multi_face.jpg")), FaceImage(picture("single_face.jpg"))]
    process, step = extraction.start("pixels", {"size": 64, "equalize": "hist"}, "yunet")
    header = Header("features", ("happy",), (step,))
    features, found = process(frames)
    assert found.all() and np.array_equal(features, extraction.restart(header)(frames)[0])
    detect = extraction.detector("yunet")
    live = [extraction.from_header(header)([FaceImage(each.pixels, detect(each.pixels)[0])]) for each in frames]
    assert np.array_equal(features, np.concatenate(live))


@pytest.mark.parametrize("name", ["pixels", "lbp", "hog+geometry"])
def test_a_batch_of_frames_gives_what_each_alone_gives(name: str, kept: Path) -> None:
    frame = picture("single_face.jpg")
    frames = [FaceImage(np.roll(frame, (3 * step, 5 * step), (0, 1))) for step in range(5)]
    process, _ = extraction.start(name, {}, "auto")
    assert np.array_equal(process(frames)[0], np.concatenate([process([each])[0] for each in frames]))


def test_pictures_without_a_face_are_told_apart(kept: Path) -> None:
    empty, frame = FaceImage(np.zeros((64, 64), np.uint8)), FaceImage(picture("single_face.jpg"))
    process, _ = extraction.start("pixels", {}, "yunet")
    features, found = process([empty, frame, empty])
    assert found.tolist() == [False, True, False] and len(features) == 1
    features, found = process([empty])
    assert found.tolist() == [False] and len(features) == 0


def test_no_detector_leaves_a_corpus_its_own_landmarks() -> None:
    marks = np.array([(15, 20), (33, 20), (24, 28), (17, 36), (31, 36)], np.float32)
    process, step = extraction.start("geometry", {}, "none")
    features, found = process([FaceImage(image.pixels, Face((0, 0, 48, 48), 1.0, marks)) for image in IMAGES])
    assert found.all() and features.shape == (5, 20)
    assert step["detector"] == "none" and step["detector_params"] == {}


def test_auto_is_recorded_as_what_was_used(kept: Path) -> None:
    notes: list[str] = []
    step = extraction.start("pixels", {}, "auto", notes.append)[1]
    assert step["detector"] == "yunet" and step["detector_params"]["size"] == 320 and not notes


def test_auto_without_a_network_uses_haar_and_says_so_once(offline: Path) -> None:
    notes: list[str] = []
    step = extraction.start("pixels", {}, "auto", notes.append)[1]
    assert step["detector"] == "haar"
    assert len(notes) == 1 and "using haar" in notes[0] and "can't download" in notes[0]


@pytest.mark.parametrize("name", ["yunet", "scrfd"])
def test_a_detector_asked_for_by_name_that_cannot_be_had_is_an_error(name: str, offline: Path) -> None:
    with pytest.raises(EmoError, match="put the file at"):
        extraction.detector(name)


def test_few_photos_are_decoded_at_once_and_the_features_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pipes.read(str(write_photos(tmp_path / "d.h5")), "dataset")
    tracemalloc.start()
    featurizing.write(source, tmp_path / "f.h5", "pixels", {}, "none", {}, limit=0, note=lambda text: None)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()
    monkeypatch.setattr(pieces, "MOST", 1 << 40)
    featurizing.write(source, tmp_path / "all.h5", "pixels", {}, "none", {}, limit=0, note=lambda text: None)
    assert (tmp_path / "f.h5").read_bytes() == (tmp_path / "all.h5").read_bytes()


def test_what_lies_between_the_rows_that_are_asked_for_is_not_decoded(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "d.h5", n=5, side=50)
    with h5py.File(photos, "a") as file:
        start, stop = file["face/end"][0], file["face/end"][2]
        file["face/x"][start:stop] = np.zeros(stop - start, np.uint8)
    with hdf5.open_data(photos) as data:
        assert len(data.raw(np.array([0, 3, 4]))) == 3
        with pytest.raises(EmoError, match="can't be decoded"):
            data.raw(np.array([0, 1]))


def test_photos_that_are_taken_whole_are_told_of(tmp_path: Path, emo: Run) -> None:
    photos = write_photos(tmp_path / "d.h5", n=6, side=80)
    assert b"pictures are taken whole" in emo("features", photos, "-o", tmp_path / "f.h5").stderr
    assert emo("features", "synthetic", "--limit", 5, "-o", tmp_path / "g.h5").stderr == b""


def test_a_header_without_features_is_refused() -> None:
    with pytest.raises(EmoError, match="emo features"):
        extraction.from_header(Header("dataset", ("happy",), ({"command": "dataset", "name": "x", "params": {}},)))


def test_a_header_without_the_options_of_its_features_is_refused() -> None:
    header = Header("model", ("a", "b"), ({"command": "features", "name": "logmel"},))
    for read in (extraction.from_header, extraction.restart):
        with pytest.raises(EmoError, match="does not say which features it was made with"):
            read(header)

"""From a picture to classified faces, and from what the user named to pictures."""

import io
import json
import os
import re
import shutil
import subprocess
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import closed_folder
import cv2
import numpy as np
import pytest
from conftest import Run
from small_model import write_model

from emocli import labels, named_files, onnx_file
from emocli.errors import EmoError
from emocli.image import pictures
from emocli.image.faces import Face
from emocli.image.pictures import SUFFIXES
from emocli.scores.metrics import softmax
from emocli.serving.prediction import predictions, predictor

YUNET = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx")


@pytest.fixture
def yunet(store_of_the_tests: Path, corpora: Path) -> Iterator[None]:
    """YuNet's file, where it would be after the first download."""
    (store_of_the_tests / "downloads").mkdir(exist_ok=True)
    place = store_of_the_tests / "downloads" / YUNET
    shutil.copyfile(corpora / "models/face_detection_yunet_2023mar.onnx", place)
    yield
    place.unlink()


def picture(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((60, 50, 3), value, np.uint8))
    return path


def test_a_cropped_picture_is_one_face_with_all_its_probabilities(model: Path, notes: list[str]) -> None:
    predict = predictor(model, detector="none", note=notes.append)
    (face,) = predict(np.random.default_rng(0).integers(0, 255, (60, 50, 3), np.uint8))
    assert face["box"] == [0, 0, 50, 60]
    assert list(face["probabilities"]) == list(labels.SEVEN)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert face["label"] == max(face["probabilities"], key=lambda name: face["probabilities"][name])
    assert face["probability"] == face["probabilities"][face["label"]]
    assert (predict.provider, notes) == ("CPUExecutionProvider", [])


def test_a_picture_of_the_corpus_s_own_size_reaches_the_model_as_it_is(model: Path, notes: list[str]) -> None:
    import onnxruntime

    gray = np.random.default_rng(1).integers(0, 255, (48, 48), np.uint8)
    (face,) = predictor(model, detector="none", note=notes.append)(np.dstack([gray] * 3))
    logits = onnxruntime.InferenceSession(model).run(["logits"], {"face": gray[None, None]})[0]
    assert list(face["probabilities"].values()) == pytest.approx(softmax(logits)[0].tolist(), abs=1e-4)


def test_faces_of_one_picture_are_classified_as_each_alone(model: Path, notes: list[str]) -> None:
    predict = predictor(model, detector="haar", note=notes.append)
    pixels = np.random.default_rng(2).integers(0, 255, (200, 200, 3), np.uint8)
    faces = [Face((10, 10, 60, 60)), Face((100, 90, 80, 70)), Face((-20, 150, 90, 90))]
    alone = [predict.classify(pixels, [face])[0] for face in faces]
    for together, single in zip(predict.classify(pixels, faces), alone, strict=True):
        assert together["box"] == single["box"]
        assert together["probabilities"] == pytest.approx(single["probabilities"], abs=1e-4)


def test_no_face_is_an_empty_list(model: Path, notes: list[str]) -> None:
    predict = predictor(model, detector="haar", note=notes.append)
    assert predict(np.zeros((100, 100, 3), np.uint8)) == []


def test_auto_is_yunet_for_a_model_of_cropped_faces(model: Path, notes: list[str], corpora: Path, yunet: None) -> None:
    predict = predictor(model, note=notes.append)
    assert len(predict(pictures.read(corpora / "video/single_face.jpg"))) == 1
    assert len(predict(pictures.read(corpora / "video/multi_face.jpg"))) == 5
    assert notes == []


def test_auto_is_the_detector_the_model_was_trained_with(tmp_path: Path, notes: list[str], corpora: Path) -> None:
    photo = pictures.read(corpora / "video/single_face.jpg")
    trained = predictor(write_model(tmp_path / "model.onnx", detector="haar"), note=notes.append)
    named = predictor(write_model(tmp_path / "cropped.onnx"), detector="haar", note=notes.append)
    assert trained(photo) == named(photo) != []
    assert notes == []


def test_what_is_no_model_of_faces_is_one_line(tmp_path: Path, features_file: Path, notes: list[str]) -> None:
    with pytest.raises(EmoError, match="voice"):
        predictor(write_model(tmp_path / "voice.onnx", modality="voice"), note=notes.append)
    with pytest.raises(EmoError, match="not a whole ONNX"):
        predictor(features_file, note=notes.append)
    bare = onnx_file.load(write_model(tmp_path / "bare.onnx"))
    del bare.metadata_props[:]
    onnx_file.save(bare, tmp_path / "bare.onnx")
    with pytest.raises(EmoError, match="without an emo header"):
        predictor(tmp_path / "bare.onnx", note=notes.append)
    with pytest.raises(EmoError, match="haars"):
        predictor(write_model(tmp_path / "model.onnx"), detector="haars", note=notes.append)


def test_an_unreadable_picture_is_a_record_and_the_others_go_on(tmp_path: Path, model: Path, notes: list[str]) -> None:
    predict = predictor(model, detector="none", note=notes.append)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    names = [picture(tmp_path / "a.png"), tmp_path / "text.png", tmp_path / "empty.png", tmp_path / "gone.png"]
    counts = Counter[str]()
    records = list(predictions(predict, [*names, picture(tmp_path / "b.png")], counts))
    assert [Path(record["path"]).name for record in records] == [*(name.name for name in names), "b.png"]
    assert ["error" in record for record in records] == [False, True, True, True, False]
    assert counts == {"pictures": 2, "faces": 2, "unreadable": 3}


def test_gray_transparent_and_deep_pictures_are_read_as_rgb(tmp_path: Path) -> None:
    for name, pixels in {
        "gray": np.full((8, 8), 200, np.uint8),
        "transparent": np.full((8, 8, 4), 200, np.uint8),
        "deep": np.full((8, 8, 3), 200 << 8, np.uint16),
    }.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
        read = pictures.read(tmp_path / f"{name}.png")
        assert (read.shape, read.dtype, int(read[0, 0, 0])) == ((8, 8, 3), np.uint8, 200)


@pytest.mark.parametrize("suffix", ["avif", "jpg", "png", "tif", "webp"])
def test_a_picture_is_upright_whatever_way_it_lies_in_its_file(tmp_path: Path, suffix: str) -> None:
    image = pytest.importorskip("PIL.Image")
    if not pytest.importorskip("PIL.features").check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    upright = np.kron(np.array([[0, 60], [120, 180], [240, 90]], np.uint8), np.ones((16, 16), np.uint8))
    ways = ["FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_90", "TRANSVERSE", "ROTATE_270"]
    for orientation, way in enumerate(ways, 2):
        exif = image.Exif()
        exif[0x0112] = orientation
        lies = image.fromarray(upright).convert("RGB").transpose(getattr(image.Transpose, way))
        lies.save(tmp_path / f"{way}.{suffix}", exif=exif, quality=95)
        found = pictures.read(tmp_path / f"{way}.{suffix}")[..., 0]
        np.testing.assert_allclose(found[8::16, 8::16], upright[8::16, 8::16], atol=8, err_msg=way)


def test_of_a_picture_with_a_fault_only_our_own_line_is_printed(tmp_path: Path, emo: Run) -> None:
    whole = cv2.imencode(".tif", np.zeros((48, 48, 3), np.uint8))[1].tobytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    png = cv2.imencode(".png", np.zeros((48, 48), np.uint8))[1].tobytes()
    profile = b"iCCP" + b"ICC\0\0" + zlib.compress(bytes(200))
    chunk = (len(profile) - 4).to_bytes(4) + profile + zlib.crc32(profile).to_bytes(4)
    (tmp_path / "profile.png").write_bytes(png[:33] + chunk + png[33:])  # the header takes 33 bytes
    for name, place in {"bad-header": 20, "bad-picture": 45}.items():
        (tmp_path / f"{name}.png").write_bytes(png[:place] + bytes([png[place] ^ 1]) + png[place + 1 :])
    done = emo("predict", tmp_path, "-m", "fer2013-int8", "--detector", "none", "--json")
    assert [("error" in json.loads(line)) for line in done.stdout.splitlines()] == [True, True, True, False]
    assert all(line.startswith(b"emo: ") for line in done.stderr.splitlines())


def test_files_of_one_name_are_told_apart_in_the_table(tmp_path: Path, shell: Run) -> None:
    for name in ("anna/1.png", "ben/1.png", "ben/2.png"):
        picture(tmp_path / name)
    done = shell("emo predict anna ben -m fer2013-int8 --detector none --table")
    shown = [line.split()[1] for line in done.stdout.decode().splitlines() if ".png" in line]
    assert shown == ["anna/1.png", "ben/1.png", "2.png"]


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    upright = np.zeros((40, 20, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.jpg"), upright)
    jpeg = (tmp_path / "photo.jpg").read_bytes()
    # EXIF with the one tag 0x0112, orientation 6: the camera was held sideways
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    (tmp_path / "photo.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + jpeg[2:])
    assert pictures.read(tmp_path / "photo.jpg").shape == (20, 40, 3)


def test_folders_are_read_to_the_bottom_in_order_and_only_their_pictures(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/10.PNG", "a/deep/x.png", "c.png", ".hidden.png"):
        picture(tmp_path / "photos" / name)
    (tmp_path / "photos/notes.txt").write_text("no picture")
    found = [
        str(path.relative_to(tmp_path / "photos")) for path in named_files.expand([str(tmp_path / "photos")], SUFFIXES)
    ]
    assert found == ["c.png", "a/deep/x.png", "b/10.PNG", "b/2.jpg"]


def test_a_folder_that_can_t_be_read_comes_back_so_that_reading_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("open/1.png", "closed/2.png"):
        picture(tmp_path / name)
    closed_folder.close(monkeypatch, "closed")
    found = list(named_files.expand([str(tmp_path)], SUFFIXES))
    assert found == [tmp_path / "open/1.png", tmp_path / "closed"]
    with pytest.raises(EmoError, match="closed is no plain file"):
        pictures.read(found[1])


def test_globs_are_expanded_unless_a_file_has_that_very_name(tmp_path: Path) -> None:
    for name in ("2.png", "1.png", "[1].png"):
        picture(tmp_path / name)
    assert [path.name for path in named_files.expand([f"{tmp_path}/?.png"], SUFFIXES)] == ["1.png", "2.png"]
    assert [path.name for path in named_files.expand([f"{tmp_path}/[1].png"], SUFFIXES)] == ["[1].png"]
    assert [path.name for path in named_files.expand([f"{tmp_path}/*.gif"], SUFFIXES)] == ["*.gif"]


def test_an_empty_name_is_no_model_rather_than_the_one_that_ships(emo: Run) -> None:
    done = emo("predict", "photo.jpg", "--model", "")
    assert done.returncode == 1 and b"an empty name is no model" in done.stderr and not done.stdout


def test_two_stars_are_any_folders_each_file_comes_once_and_links_are_not_followed(tmp_path: Path) -> None:
    for name in ("top.png", "a/one.png", "a/b/two.png", "a/.hidden/three.png"):
        picture(tmp_path / name)
    (tmp_path / "a" / "again").symlink_to(tmp_path)

    def found(pattern: str) -> list[str]:
        return [str(each.relative_to(tmp_path)) for each in named_files.expand([f"{tmp_path}/{pattern}"], SUFFIXES)]

    assert found("**/*.png") == ["a/b/two.png", "a/one.png", "top.png"]
    assert found("**/b") == found("a/**/b/*.png") == ["a/b/two.png"]
    assert found("a/**") == ["a/b/two.png", "a/one.png"]
    assert found("[ab]*") == found("**/[ab]") == ["a/one.png", "a/b/two.png"]


@pytest.mark.parametrize("flag", ["-print", "-print0"])
def test_a_list_of_paths_comes_from_find(tmp_path: Path, flag: str) -> None:
    names = {"a b.png", "ü.png"} | ({"two\nlines.png"} if flag == "-print0" else set())
    for name in names:
        (tmp_path / name).touch()
    found = subprocess.Popen(["find", str(tmp_path), "-name", "*.png", flag], stdout=subprocess.PIPE)
    assert found.stdout
    with found.stdout as stdin:
        assert {os.path.relpath(path, tmp_path) for path in named_files.expand(["-"], SUFFIXES, stdin=stdin)} == names
    assert found.wait() == 0


def test_paths_are_taken_as_they_arrive_and_the_last_needs_no_newline(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as stream:
        paths = named_files.expand(["-"], SUFFIXES, stdin=stream)
        os.write(writer, b"one.png\ntw")
        assert next(paths) == Path("one.png")
        os.write(writer, b"o.png")
        os.close(writer)
        assert list(paths) == [Path("two.png")]


def test_a_terminal_and_nothing_at_all_are_refused_as_a_list() -> None:
    terminal, keyboard = os.openpty()
    with (
        open(terminal, "rb", buffering=0),
        open(keyboard, "rb", buffering=0) as stdin,
        pytest.raises(EmoError, match="from a pipe"),
    ):
        list(named_files.expand(["-"], SUFFIXES, stdin=io.BufferedReader(stdin)))
    with open(os.devnull, "rb") as stdin, pytest.raises(EmoError, match="did the previous command fail"):
        list(named_files.expand(["-"], SUFFIXES, stdin=stdin))


@pytest.mark.parametrize("name", ["https://example.com/a.jpg?size=9", "file:///tmp/*.jpg"])
def test_an_address_is_no_file_and_told_as_it_was_given(name: str) -> None:
    with pytest.raises(EmoError, match=f"^{re.escape(name)} is an address, .*download it first"):
        next(named_files.expand(["x.jpg", name], SUFFIXES))


def test_a_folder_without_a_picture_is_one_line(tmp_path: Path, emo: Run) -> None:
    (tmp_path / "photo.heic").write_bytes(b"x")
    for model in ([], ["-m", "fer2013-int8"]):
        done = emo("predict", tmp_path, *model)
        assert done.returncode == 1
        assert b"no file in" in done.stderr.splitlines()[-1]
        assert not done.stdout


def test_a_small_file_that_is_a_huge_picture_is_refused(tmp_path: Path, emo: Run) -> None:
    cv2.imwrite(str(tmp_path / "huge.png"), np.zeros((20000, 20000), np.uint8))
    assert (tmp_path / "huge.png").stat().st_size < 1 << 20
    done = emo("predict", tmp_path / "huge.png")
    assert done.returncode == 1 and b"can't be decoded as an image" in done.stdout


def test_a_named_picture_needs_no_stdin(tmp_path: Path, shell: Run) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 48, 3), np.uint8))
    shell("emo predict a.png -m fer2013-int8 --detector none <&-").check_returncode()
    assert b"takes a list of paths" in shell("emo predict - -m fer2013-int8 <&- || true").stderr


def test_a_name_that_is_no_utf_8_is_json_all_the_same(tmp_path: Path, emo: Run) -> None:
    picture = tmp_path / os.fsdecode(b"caf\xe9.png")
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 48, 3), np.uint8))
    (tmp_path / "a.png").rename(picture)
    done = emo("predict", tmp_path, "-m", "fer2013-int8", "--detector", "none", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["path"] == str(picture)

"""The preview: a line per class, the original beside what training makes of it, the same picture for the same seed."""

import os
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Run
from numpy.typing import NDArray
from scored import write_photos

from emocli import labels, pipes, previewing
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.image import contact_sheet
from emocli.image.contact_sheet import GAP, SIDE, Line

CELL = SIDE + GAP


def sheet(file: Path, path: Path, given: dict[str, object] | None = None, **words: int) -> NDArray[np.uint8]:
    """Draw the preview of a file and return it, (h, w, 3)."""
    words = {"rows": 1, "columns": 4, "seed": 0, **words}
    previewing.write(pipes.read(str(file), "dataset", "features"), path, given or {}, **words)
    return np.asarray(cv2.imread(str(path)), np.uint8)


def cell(picture: NDArray[np.uint8], line: int, column: int, columns: int = 4) -> NDArray[np.int64]:
    """Return one picture of a sheet; columns count from the right edge, whatever room the names take."""
    left = picture.shape[1] - (columns - column) * CELL
    return picture[GAP + line * CELL :, left:][:SIDE, :SIDE].astype(np.int64)


def written(path: Path, x: np.ndarray, y: np.ndarray, kind: str = "features", meaning: str = "label") -> Path:
    writer = Writer(path, count=len(x))
    writer.append(x)
    header = Header(kind, labels.SEVEN[:3], ({"command": "features", "name": "pixels"},))
    writer.finish(header, y, meaning, np.full(len(x), "train"))
    return path


def test_each_class_has_lines_of_its_own_and_only_its_samples(features_file: Path, tmp_path: Path) -> None:
    picture = sheet(features_file, tmp_path / "p.png", rows=2, columns=5)
    assert picture.shape[0] == 6 * CELL + GAP
    # in these features brightness tells the class
    bright = [[cell(picture, line, column, 5).mean() // 60 for column in range(5)] for line in range(6)]
    assert bright == [[0] * 5] * 2 + [[1] * 5] * 2 + [[3] * 5] * 2


def test_the_same_seed_gives_the_same_picture_and_another_seed_other_samples(
    features_file: Path, tmp_path: Path
) -> None:
    first, again, other = (sheet(features_file, tmp_path / "p.png", seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_augmented_views_stand_beside_their_original(features_file: Path, tmp_path: Path) -> None:
    plain = sheet(features_file, tmp_path / "p.png", columns=1)
    views = sheet(features_file, tmp_path / "v.png", {"flip": 1.0})
    for line in range(3):
        original = cell(views, line, 0)
        assert np.array_equal(original, cell(plain, line, 0, 1))
        assert all(np.array_equal(cell(views, line, column), original[:, ::-1]) for column in (1, 2, 3))


def test_an_option_by_itself_is_seen_by_itself_and_with_augment_on_top_of_the_defaults(tmp_path: Path) -> None:
    x = np.broadcast_to(np.arange(48, dtype=np.uint8) * 5, (3, 1, 48, 48))
    file = written(tmp_path / "f.h5", x, np.arange(3))
    alone = sheet(file, tmp_path / "a.png", {"mask": 1.0})
    above = slice(0, 2 * SIDE // 5)  # a mask leaves the eyes and the brow as they are
    assert all(np.array_equal(cell(alone, 0, 0)[above], cell(alone, 0, column)[above]) for column in (1, 2, 3))
    full = sheet(file, tmp_path / "b.png", {"mask": 1.0, "augment": "full"})
    assert not any(np.array_equal(cell(full, 0, 0)[above], cell(full, 0, column)[above]) for column in (1, 2, 3))


def test_every_sample_is_mixed_with_another(tmp_path: Path) -> None:
    x = np.broadcast_to(np.array([0, 100, 200], np.uint8)[:, None, None, None], (3, 1, 48, 48))
    mixed = sheet(written(tmp_path / "f.h5", x, np.arange(3)), tmp_path / "p.png", {"mixup": 1.0})
    assert all(abs(cell(mixed, line, 1).mean() - 100 * line) > 1 for line in range(3))


def test_a_class_without_samples_keeps_its_line_and_unlabelled_samples_are_left_out(tmp_path: Path) -> None:
    votes = np.array([[4, 1, 0], [0, 0, 0], [3, 0, 1], [0, 0, 5]], np.float32)
    x = np.full((4, 1, 48, 48), 100, np.uint8)
    picture = sheet(written(tmp_path / "f.h5", x, votes, meaning="votes"), tmp_path / "p.png", columns=2)
    shown = [[(cell(picture, line, column, 2) == 100).all() for column in (0, 1)] for line in range(3)]
    assert shown == [[True, True], [False, False], [True, False]]


def test_colour_pictures_of_any_size_are_shown_whole(emo: Run, tmp_path: Path) -> None:
    for name, shape in (("happy", (30, 60, 3)), ("sad", (200, 100, 3))):
        (tmp_path / "faces" / name).mkdir(parents=True)
        picture = np.full(shape, (200, 20, 20), np.uint8)
        cv2.imwrite(str(tmp_path / "faces" / name / "a.png"), picture)
    done = emo("dataset", "folder", "faces", "-o", "d.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    drawn = sheet(tmp_path / "d.h5", tmp_path / "p.png", {"shear": 5.0}, columns=2)
    assert all((cell(drawn, line, 0, 2) == (200, 20, 20)).all() for line in (0, 1))


def test_one_photo_is_held_at_a_time(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "d.h5")
    tracemalloc.start()
    sheet(photos, tmp_path / "p.png")
    assert tracemalloc.get_traced_memory()[1] < 24 << 20
    tracemalloc.stop()


def test_dataset_preview_is_the_same_command_and_reads_a_pipe(shell: Run, features_file: Path, tmp_path: Path) -> None:
    done = shell(
        f"cat {features_file} | emo dataset preview --rows 2 -o one.png; emo preview {features_file} --rows 2 > two.png"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_folder_of_the_same_name_does_not_hide_a_kept_dataset(shell: Run, tmp_path: Path) -> None:
    done = shell(
        f"""cd {tmp_path}; mkdir mine; emo dataset synthetic -p count=30 --as mine
        emo features mine --limit 3 | emo info - --json"""
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b'"kind": "features"' in done.stdout


def test_a_kept_dataset_is_found_by_its_name(shell: Run) -> None:
    done = shell(
        "emo dataset synthetic -p count=21 --as drawn; emo dataset preview drawn -o drawn.png; test -s drawn.png"
    )
    assert done.returncode == 0, done.stderr


def test_an_existing_picture_is_replaced_only_with_force(emo: Run, features_file: Path, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_text("mine")
    done = emo("preview", features_file, "-o", tmp_path / "p.png")
    assert done.returncode == 1 and b"--force" in done.stderr and (tmp_path / "p.png").read_text() == "mine"
    assert emo("preview", features_file, "-o", tmp_path / "p.png", "--force").returncode == 0


def test_without_torch_the_plain_grid_works_and_views_name_the_line_that_adds_it(
    emo: Run, features_file: Path, tmp_path: Path
) -> None:
    # what python says where torch is not installed
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    path = os.pathsep.join([str(tmp_path), str(Path(previewing.__file__).parents[1])])
    bare = {"env": {**os.environ, "PYTHONPATH": path}}
    assert emo("preview", features_file, "-o", tmp_path / "p.png", **bare).returncode == 0
    done = emo("preview", features_file, "--mask", "1", "-o", tmp_path / "v.png", **bare)
    assert done.returncode == 1 and done.stderr.strip().endswith(b"pip install 'emocli[train]'")
    assert not (tmp_path / "v.png").exists()


@pytest.mark.parametrize(
    ("given", "words", "says"),
    [
        ({}, {"rows": 0}, "nothing to show"),
        ({"mask": 1.0}, {"columns": 1}, "nothing to show"),
        ({}, {"columns": 5000}, "more than 2,000 pictures"),
        ({"noise": -1.0}, {}, "--noise -1.0 is too small"),
        ({"augment": "much"}, {}, "none, light, full"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    features_file: Path, tmp_path: Path, given: dict[str, object], words: dict[str, int], says: str
) -> None:
    with pytest.raises(EmoError, match=says):
        sheet(features_file, tmp_path / "p.png", given, **words)


def test_vectors_are_no_pictures(tmp_path: Path) -> None:
    file = written(tmp_path / "v.h5", np.ones((3, 8), np.float32), np.arange(3))
    with pytest.raises(EmoError, match="holds vectors, which are no pictures"):
        sheet(file, tmp_path / "p.png")


def test_data_without_labels_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "v.h5", np.ones((3, 1, 8, 8), np.uint8), np.zeros((3, 3), np.float32), meaning="votes")
    with pytest.raises(EmoError, match="no labelled samples"):
        sheet(file, tmp_path / "p.png")


def test_a_name_that_is_nothing_is_refused(emo: Run, tmp_path: Path) -> None:
    done = emo("preview", "nothing.h5", "-o", tmp_path / "p.png")
    assert done.returncode == 1 and b"neither a file nor a kept dataset" in done.stderr


def test_names_are_written_in_letters_that_a_sheet_has(tmp_path: Path) -> None:
    for number, name in enumerate(("wütend", "wutend")):
        contact_sheet.write([Line((name,), np.zeros((1, 1, 96, 96), np.uint8))], tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


@pytest.mark.parametrize("modality", ["speech", "face"])
def test_what_has_nothing_to_see_or_no_classes_is_told_in_one_line(tmp_path: Path, modality: str) -> None:
    writer = Writer(tmp_path / "x.h5", modality=modality)
    if modality == "speech":
        writer.append_ragged([np.ones(99, np.int16)])
    else:
        writer.append(np.zeros((1, 1, 48, 48), np.uint8))
    step = {"command": "dataset", "name": "clips", "params": {}}
    names = ("a", "b") if modality == "speech" else ()
    writer.finish(Header("dataset", names, (step,)), np.array([0 if names else -1]), "label", np.array(["train"]))
    source = pipes.read(str(tmp_path / "x.h5"), "dataset")
    with pytest.raises(EmoError, match="nothing to see" if modality == "speech" else "has no labels"):
        previewing.write(source, tmp_path / "x.png", {}, rows=1, columns=1, seed=0)

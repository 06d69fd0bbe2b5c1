"""Data artifacts with arrays that emo would not write: one line, whoever reads them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import Run, write_features

from emocli.artifact import Header
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.telling import harmless

N = 30
ARRAYS: dict[str, tuple[str, Any]] = {
    "no parts": ("split", None),
    "parts that are no codes": ("split", np.zeros(N, np.float32)),
    "parts below zero": ("split", np.full(N, -5, np.int8)),
    "two parts of each": ("split", np.zeros((N, 2), np.uint8)),
    "numbers for groups": ("group", np.arange(N)),
    "two ids of each": ("id", np.full((N, 2), b"a")),
    "a scalar more": ("face/more", np.uint8(3)),
    "a named type more": ("more", np.dtype("f4")),
    "a table of fields": ("y", np.zeros(N, [("a", "i4"), ("b", "f4")])),
    "words for labels": ("y", np.full(N, b"happy")),
    "labels that are no whole numbers": ("y", np.zeros(N, np.float32)),
    "labels of three axes": ("y", np.zeros((N, 3, 2), np.float32)),
    "copies of half rows": ("original", np.zeros(N)),
    "pictures without channels": ("face/x", np.zeros((N, 48, 48), np.uint8)),
    "pictures of two channels": ("face/x", np.zeros((N, 2, 48, 48), np.uint8)),
    "pictures without pixels": ("face/x", np.zeros((N, 1, 0, 48), np.uint8)),
    "pictures of float numbers": ("face/x", np.zeros((N, 1, 48, 48), np.float32)),
    "pictures that are masks": ("face/x", np.zeros((N, 1, 48, 48), bool)),
    "vectors of doubles": ("face/x", np.zeros((N, 5))),
    "vectors of codes": ("face/x", np.zeros((N, 5), np.uint8)),
    "ends of two axes": ("face/end", np.zeros((N, 2), np.int64)),
    "ends between values": ("face/end", np.linspace(0, N, N)),
    "landmarks on a line": ("face/landmarks", np.zeros((N, 3), np.float32)),
    "landmarks of doubles": ("face/landmarks", np.zeros((N, 5, 2))),
    "landmarks of no known face": ("face/landmarks", np.zeros((N, 37, 2), np.float32)),
    "landmarks of some": ("face/landmarks", np.zeros((2, 5, 2), np.float32)),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_features(tmp_path / "f.h5", n=N)
    return tmp_path / "f.h5"


def _read(file: Path) -> None:
    with hdf5.open_data(file):
        pass


@pytest.mark.parametrize("damage", ARRAYS)
def test_arrays_of_another_kind_are_refused_by_every_reader(file: Path, damage: str) -> None:
    name, array = ARRAYS[damage]
    with h5py.File(file, "a") as data:
        if name in data:
            del data[name]
        if array is not None:
            data[name] = array
    for read in (_read, hdf5.verify, hdf5.kind):
        with pytest.raises(EmoError, match="make it again"):
            read(file)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_one_value_or_vote_that_is_no_number_is_refused(tmp_path: Path, value: float) -> None:
    def write(x: np.ndarray, votes: np.ndarray) -> Path:
        with h5py.File(tmp_path / "f.h5", "w") as file:
            file["y"], file["split"], file["face/x"] = votes, np.zeros(len(votes), np.uint8), x
            file["y"].attrs["meaning"] = "votes"
            file.attrs["emo"], file.attrs["sha256"] = Header("features", ("a", "b"), ()).to_json(), f"sha256:{0:064}"
        return tmp_path / "f.h5"

    x, votes = np.zeros((5000, 2), np.float32), np.ones((5000, 2), np.float32)
    _read(write(x, votes))
    x[4500, 1] = value
    with pytest.raises(EmoError, match=r"values that are not numbers .NaN. after row 4096"):
        _read(write(x, votes))
    votes[7, 0] = value
    with pytest.raises(EmoError, match="labels that are not numbers"):
        _read(write(x, votes))


def test_ends_without_a_sign_are_ends(file: Path) -> None:
    with h5py.File(file, "a") as data:
        x = data["face/x"][:]
        del data["face/x"]
        data["face/x"], data["face/end"] = x.reshape(-1), (np.arange(N, dtype=np.uint64) + 1) * (x.size // N)
    with hdf5.open_data(file) as data:
        assert data._ragged is not None and data._ragged.lengths.tolist() == [x.size // N] * N


def test_a_name_that_is_no_text_is_damage(file: Path) -> None:
    with h5py.File(file, "a") as data:
        space = h5py.h5s.create_simple((1,))
        h5py.h5d.create(data.id, b"\xff\xfe", h5py.h5t.STD_U8LE, space)
    with pytest.raises(EmoError, match="is damaged"):
        hdf5.verify(file)


def test_samples_of_no_known_kind_are_refused(file: Path) -> None:
    with h5py.File(file, "a") as data:
        data.move("face", "brain")
    with pytest.raises(EmoError, match="lacks the arrays"):
        _read(file)


def test_samples_of_two_kinds_are_not_read_as_one(file: Path) -> None:
    with h5py.File(file, "a") as data:
        data.copy("face", "speech")
    with pytest.raises(EmoError, match="samples of more than one kind"):
        _read(file)


@pytest.mark.parametrize(("meaning", "columns"), [("votes", 99), ("valence-arousal", None), ("nonsense", 3), (5, 3)])
def test_answers_of_another_meaning_are_refused(file: Path, meaning: str, columns: int | None) -> None:
    with h5py.File(file, "a") as data:
        if columns:
            del data["y"]
            data["y"] = np.zeros((N, columns), np.float32)
        data["y"].attrs["meaning"] = meaning
    with pytest.raises(EmoError, match="make it again"):
        _read(file)


@pytest.mark.parametrize("value", [5, np.zeros(3), np.bytes_(b"\xff\xfe{}")])
def test_a_header_that_is_no_text_is_refused(file: Path, value: Any) -> None:
    with h5py.File(file, "a") as data:
        data.attrs["emo"] = value
    with pytest.raises(EmoError, match=r"no emo header|damaged"):
        hdf5.read_header(file)


@pytest.mark.parametrize("value", ["", "sha256:0", b"\xff", "sha256:" + "\x1b" * 64])
def test_a_stated_hash_that_is_none_is_refused(file: Path, value: Any) -> None:
    with h5py.File(file, "a") as data:
        data.attrs["sha256"] = value
    with pytest.raises(EmoError, match="damaged emo header"):
        hdf5.read_header(file)


def test_nothing_that_is_named_moves_the_cursor(emo: Run, file: Path, tmp_path: Path) -> None:
    assert harmless("\x1b[31mred\udcff \n") == "\\x1b[31mred\\udcff \\n" and harmless("größer 🙂") == "größer 🙂"
    done = emo("info", tmp_path / "\x1b[2Jgone.h5")
    assert done.returncode == 1 and b"\\x1b[2Jgone.h5" in done.stderr and b"\x1b" not in done.stderr
    with h5py.File(file, "a") as data:
        data.attrs["emo"] = data.attrs["emo"].replace("happy", "\\u001b[31m").replace("angry", "\\u001b[31m")
    with pytest.raises(EmoError, match="damaged emo header"):
        hdf5.read_header(file)


def test_a_class_that_can_not_be_shown_is_refused_at_import(emo: Run, tmp_path: Path) -> None:
    for name in ("\x1b[31mhappy", "sad"):
        (tmp_path / "faces" / name).mkdir(parents=True)
        (tmp_path / "faces" / name / "1.png").write_bytes(b"never opened")
    done = emo("dataset", "folder", tmp_path / "faces", "-o", tmp_path / "d.h5")
    assert done.returncode == 1 and b"a class is called \\x1b[31mhappy" in done.stderr
    assert not (tmp_path / "d.h5").exists()

"""The command itself: help, exit statuses, one line for what a user can mend."""

import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import Run

import emocli
from emocli import main

COMMANDS = sorted(path.stem for path in (Path(emocli.__path__[0]) / "commands").glob("[!_]*.py"))


def test_the_help_names_every_command(emo: Run) -> None:
    text = emo("--help").stdout.decode()
    assert not [name for name in COMMANDS if f" {name} " not in text]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_flags(emo: Run, name: str) -> None:
    done = emo(name, "--help")
    assert done.returncode == 0 and b"Usage: " in done.stdout


def test_a_wrong_flag_is_a_usage_error_in_one_line(emo: Run) -> None:
    done = emo("info", "--bogus")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"--help" in done.stderr


def test_a_wrong_command_is_answered_with_the_nearest(emo: Run) -> None:
    done = emo("trian")
    assert done.returncode == 2 and b"did you mean train?" in done.stderr


def test_the_version_is_printed(emo: Run) -> None:
    assert emo("--version").stdout.startswith(b"emo ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("dataset synthetic --save -o x.h5", "leave out -o"),
        ("info --verify fer2013", "no content hash"),
        ("dataset synthetic --seed -1", "--seed"),
        ("bench fer2013 --batch -1", "--batch"),
        ("quantize fer2013 --calibration 0", "--calibration"),
        ("train x.h5 --seed -1", "--seed"),
        ("train x.h5 --epochs 0", "--epochs"),
        ("train x.h5 --batch 1", "--batch"),
        ("distill fer2013 --temperature 0", "--temperature"),
        ("features x.h5 --copies 1000000", "--copies"),
        ("bench fer2013 --batch 99999999999999999999", "--batch"),
        ("eval fer2013 --samples 99999999999999999999", "--samples"),
    ],
)
def test_what_can_t_be_meant_is_refused_in_one_line(emo: Run, tmp_path: Path, words: str, says: str) -> None:
    done = emo(*words.split(), cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert says in done.stderr.decode().splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_kept_dataset_is_in_the_list_and_an_entry_of_its_own(emo: Run, tmp_path: Path) -> None:
    store = {"env": os.environ | {"EMO_HOME": str(tmp_path)}}
    assert emo("dataset", "synthetic", "-p", "count=30", "-o", tmp_path / "d.h5").returncode == 0
    (tmp_path / "datasets").mkdir()
    (tmp_path / "d.h5").rename(tmp_path / "datasets" / "mine.h5")
    assert b'"mine", "summary": "kept in the store"' in emo("list", "datasets", "--json", **store).stdout
    assert b'"mine", "summary": "kept in the store"' in emo("list", "datasets", "mine", "--json", **store).stdout


def test_a_dataset_that_is_not_kept_says_how_to_get_it(emo: Run) -> None:
    done = emo("features", "fer2013")
    assert done.returncode == 1 and b"emo dataset fer2013 PATH --save" in done.stderr


def test_a_width_of_0_is_one_that_is_not_known(emo: Run) -> None:
    for words in ("list effects --table", "list weights fer2013 --table", "list --help"):
        said, unsaid = (emo(*words.split(), env=os.environ | {"COLUMNS": width}) for width in ("0", ""))
        assert said.returncode == 0 and said.stdout == unsaid.stdout != b""


def test_no_terminal_is_too_narrow_for_all_columns_of_a_table(emo: Run) -> None:
    narrow, wide = (emo("list", "effects", "--table", env=os.environ | {"COLUMNS": n}).stdout for n in ("1", "999"))
    assert sum(map(str.isalnum, narrow.decode())) == sum(map(str.isalnum, wide.decode())) > 100


@pytest.mark.parametrize("words", ["--help", "--version", "train --help", "list models --table", "list models"])
def test_a_reader_that_went_away_is_141_whatever_was_printed(words: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(["emo", *words.split()], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            ImportError("libGL.so.1: cannot open shared object file: No such file or directory", name="cv2"),
            "can't load cv2: libGL.so.1: cannot open shared object file: No such file or directory; "
            "install what it needs (Debian, Ubuntu: apt install libgl1 libglib2.0-0)",
        ),
        (
            ImportError(
                "numpy can't be imported\n\nOriginal error:\n  libx.so: failed to map segment from shared object"
            ),
            "the machine has too little free memory for this; take fewer rows, or a smaller --batch if it has one",
        ),
        (
            PermissionError(13, "Permission denied", "f.h5"),
            "no permission for f.h5; check its owner and mode, or choose another place",
        ),
    ],
)
def test_a_fault_of_the_machine_is_one_line(fault: Exception, says: str) -> None:
    assert main._known(fault) == says


def test_an_import_that_is_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ImportError, match="cannot import name"):
        main._known(ImportError("cannot import name 'x' from 'torch'", name="torch"))


def test_a_model_is_run_without_telemetry(emo: Run, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.full((48, 48), 100, np.uint8))
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path / "home")}
    done = emo("predict", tmp_path / "x.png", "--detector", "none", "--model", "fer2013", env=environment)
    assert done.returncode == 0, done.stderr
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]

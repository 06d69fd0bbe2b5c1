"""`emo features` of a sound file, and of data shared by several processes."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import Run, write_features
from speech_clips import made

from emocli import registry
from emocli.errors import EmoError
from emocli.extracting import parallel

soundfile = pytest.importorskip("soundfile")
CLIP = made()["vowel"]


def _write(path: Path, clip: np.ndarray = CLIP, rate_hz: int = 16_000, **options: str) -> Path:
    soundfile.write(path, clip, rate_hz, **options)
    return path


def _rows(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file["speech/x"][:]


@pytest.mark.parametrize("name", ["clip.wav", "clip.flac", "clip.ogg"])
def test_features_of_a_sound_file_are_those_of_its_sound(emo: Run, tmp_path: Path, name: str) -> None:
    path = _write(tmp_path / name)
    done = emo("features", path, "-o", tmp_path / "f.h5")
    assert done.returncode == 0, done.stderr.decode()
    sound = soundfile.read(path, dtype="int16")[0].astype(np.float32) / 32768
    (expected,) = registry.load("features", "mfcc")()([sound])
    # ogg is lossy, and what is decoded is rounded to 16 bits once
    np.testing.assert_allclose(_rows(tmp_path / "f.h5"), expected, atol=0.5 if name.endswith("ogg") else 1e-4)


def test_a_sound_file_is_known_by_its_content(emo: Run, tmp_path: Path) -> None:
    _write(tmp_path / "clip.wav").rename(tmp_path / "clip")
    done = emo("features", tmp_path / "clip", "-x", "utterance", "-o", tmp_path / "f.h5")
    assert done.returncode == 0, done.stderr.decode()
    assert _rows(tmp_path / "f.h5").shape == (1, 26)


def test_the_same_clip_gives_the_same_bytes_wherever_it_lies(emo: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    outputs = [emo("features", _write(folder / "clip.wav")).stdout for folder in (tmp_path, tmp_path / "other")]
    assert outputs[0] and outputs[0] == outputs[1]


def test_a_damaged_sound_file_is_one_line_and_writes_nothing(emo: Run, tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(b"RIFF and nothing else")
    done = emo("features", tmp_path / "clip.wav", "-o", tmp_path / "f.h5")
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    assert not (tmp_path / "f.h5").exists()


def test_several_clips_are_a_dataset_without_labels(emo: Run, tmp_path: Path) -> None:
    paths = [_write(tmp_path / f"{name}.wav", clip) for name, clip in made().items() if name != "one sample"]
    (tmp_path / "text.wav").write_text("no sound")
    done = emo("dataset", "clips", *paths, tmp_path / "text.wav", "-o", tmp_path / "d.h5")
    assert done.returncode == 0 and b"skipped" in done.stderr
    done = emo("features", tmp_path / "d.h5", "-x", "rms", "-o", tmp_path / "f.h5")
    assert done.returncode == 0, done.stderr.decode()
    with h5py.File(tmp_path / "f.h5") as file:
        assert len(file["speech/end"]) == len(paths)
        assert set(file["y"][:]) == {-1}
    with pytest.raises(EmoError, match="audio-folder"):
        registry.load("datasets", "clips")([tmp_path])


def test_processes_that_share_the_work_write_the_same_bytes(emo: Run, tmp_path: Path) -> None:
    write_features(tmp_path / "d.h5", n=600, kind="dataset")
    for jobs in (1, 2):
        done = emo("features", tmp_path / "d.h5", "--jobs", jobs, "-o", tmp_path / f"{jobs}.h5")
        assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()


def _killed() -> Callable[[int], None]:
    return lambda item: os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_is_one_clear_error() -> None:
    with pytest.raises(EmoError, match=r"one of 2 processes was killed.*use fewer --jobs"):
        list(parallel.each_in_order(_killed, [1, 2, 3], 2, ()))


def test_what_a_process_finds_wrong_is_one_line_too(emo: Run, tmp_path: Path) -> None:
    write_features(tmp_path / "d.h5", n=600, kind="dataset")
    done = emo("features", tmp_path / "d.h5", "--jobs", 2, "-x", "geometry", "-o", tmp_path / "f.h5")
    assert done.returncode == 1 and b"yunet" in done.stderr and done.stderr.count(b"\n") == 1
    assert not (tmp_path / "f.h5").exists()
    done = emo("features", tmp_path / "d.h5", "--jobs", 0, "-o", tmp_path / "f.h5")
    assert done.returncode == 1 and b"jobs=0" in done.stderr

"""What a file is where no model says it: a picture, a sound or a film."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import sound_made
from conftest import Run

from emocli.serving import either


@pytest.mark.parametrize("suffix", ["", ".rec"])
def test_a_file_whose_name_does_not_tell_is_what_is_in_it(tmp_path: Path, suffix: str) -> None:
    picture, sound, film, junk = (tmp_path / f"{name}{suffix}" for name in ("picture", "sound", "film", "junk"))
    picture.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    sound_made.write(tmp_path / "clip.wav").rename(sound)
    _film(film, pictures=True)
    junk.write_bytes(b"\0\1junk" * 99)
    found = [either.kind(path) for path in (picture, sound, film, junk, tmp_path / "missing")]
    assert found == ["picture", "sound", "film", "picture", "picture"]


def test_a_film_of_sound_alone_is_a_sound_and_one_that_cannot_be_read_is_what_it_is_called(tmp_path: Path) -> None:
    _film(tmp_path / "sound.mp4", pictures=False)
    found = [either.kind(tmp_path / name) for name in ("sound.mp4", "missing.mp4", "missing.wav", "missing.jpg")]
    assert found == ["sound", "film", "sound", "picture"]


@pytest.mark.parametrize("suffix", ["au", "caf", "mp3"])
def test_features_of_a_sound_are_made_whatever_its_format(emo: Run, tmp_path: Path, suffix: str) -> None:
    clip = sound_made.write(tmp_path / f"clip.{suffix}", sound_made.tone(0.5)).rename(tmp_path / "clip")
    done = emo("features", clip, "-x", "rms", "-o", tmp_path / "rms.h5")
    assert done.returncode == 0, done.stderr


def _film(path: Path, *, pictures: bool) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        seen = container.add_stream("mpeg4", rate=10) if pictures else None
        heard = container.add_stream("aac", rate=16_000, layout="mono")
        if seen:
            seen.width, seen.height = 64, 48
            container.mux(seen.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
            container.mux(seen.encode(None))
        samples = av.AudioFrame.from_ndarray(sound_made.tone()[None], format="fltp", layout="mono")
        samples.sample_rate = 16_000
        container.mux(heard.encode(samples))
        container.mux(heard.encode(None))

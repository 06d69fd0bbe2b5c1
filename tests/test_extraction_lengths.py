"""Sounds brought to one length: which samples are kept, and that training, scoring and serving see the same."""

import math
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from sound_made import tone, write

from emocli import teachers
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.extracting import extraction, lengths
from emocli.sound.sounds import RATE_HZ

SECOND = tone(1.0)


@pytest.mark.parametrize(
    ("have", "kept", "silence"), [(1.0, slice(None), 0), (1.5, slice(4000, 20_000), 0), (0.25, slice(None), 12_000)]
)
def test_the_middle_of_a_longer_sound_stays_and_silence_comes_after_a_shorter_one(
    have: float, kept: slice, silence: int
) -> None:
    sound = np.random.default_rng(0).standard_normal(round(have * RATE_HZ)).astype(np.float32)
    found = lengths.fitted(sound, 1.0)
    assert np.array_equal(found[: len(found) - silence], sound[kept])
    assert len(found) == RATE_HZ and not found[len(found) - silence :].any()


def test_every_clip_has_as_many_frames_and_the_header_makes_them_again(tmp_path: Path, shell: Run) -> None:
    for actor in (1, 2, 3):
        for number, seconds in enumerate((0.4, 1.0, 1.7)):
            write(tmp_path / "clips" / f"0{number + 3}" / f"{actor}.wav", tone(seconds, hz=200 + 100 * number))
    done = shell(
        f"""cd {tmp_path}; emo dataset audio-folder clips --split random -o d.h5
        emo features d.h5 -x logmel --length 1 -o f.h5; emo replay f.h5"""
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"--length 1.0" in done.stdout
    with hdf5.open_data(tmp_path / "f.h5") as data, hdf5.open_data(tmp_path / "d.h5") as sounds:
        assert len(set(data.lengths.tolist())) == 1
        again = extraction.restart(data.header)(sounds.sounds(0, len(sounds)))[0]
        assert all(map(np.array_equal, again, data.sequences(np.arange(len(data)))))
        alone = extraction.from_header(data.header)([SECOND[:8000]])[0]
        assert np.array_equal(alone, extraction.build("logmel", {})[0]([np.pad(SECOND[:8000], (0, 8000))])[0])


@pytest.mark.parametrize(
    ("modality", "seconds", "says"),
    [("face", 1.0, "is for sounds"), ("speech", 0.01, "no length of a clip"), ("speech", float("nan"), "no length")],
)
def test_a_length_that_can_not_be_is_one_line(modality: str, seconds: float, says: str) -> None:
    with pytest.raises(EmoError, match=says):
        lengths.check(seconds, modality)


def test_a_student_of_clips_of_another_length_is_refused() -> None:
    made = [
        Header("features", ("a",), ({"command": "features", "name": "logmel", **options},))
        for options in ({}, {"options": {"length": 3.0}})
    ]
    assert [*teachers._differing(*made)] == ["length whole and 3.0"]


@pytest.mark.parametrize("seconds", [math.inf, math.nan, -1, 1e300, 10**400, 1e9])
def test_a_header_with_a_length_that_no_clip_has_is_one_line(seconds: float) -> None:
    step = {"command": "features", "name": "logmel", "params": {}, "options": {"length": seconds}}
    with pytest.raises(EmoError, match="is no length of a clip"):
        extraction.from_header(Header("features", ("a",), (step,)))

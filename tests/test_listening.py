"""emo predict with a model of speech: the labels of sound files, and what gives none."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import sound_made
import tone_model
from conftest import Run

from emocli import shipped
from emocli.scores.views import Views
from emocli.serving import listening
from emocli.sound import sound_files, sounds
from emocli.sound.sounds import RATE_HZ


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two classes, low tones and high ones."""
    return tone_model.write_model(tmp_path_factory.mktemp("tones"))


def _records(done: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]  # type: ignore[attr-defined]


def test_sound_files_are_named_by_what_is_heard_whatever_their_rate(emo: Run, model: Path, tmp_path: Path) -> None:
    tone_model.write_tone(tmp_path / "sounds/a.wav", 240)
    tone_model.write_tone(tmp_path / "sounds/deep/b.flac", 2300, rate_hz=44_100)
    (tmp_path / "sounds/notes.txt").write_text("no sound")
    done = emo("predict", tmp_path / "sounds", "--model", model, "--threads", 1)
    first, second = _records(done)
    assert (first["label"], second["label"]) == ("low", "high")
    assert first["seconds"] == second["seconds"] == 1.0
    assert isinstance(first["probabilities"], dict) and abs(sum(first["probabilities"].values()) - 1) < 1e-4


def test_a_file_that_gives_nothing_is_a_record_and_the_others_go_on(emo: Run, model: Path, tmp_path: Path) -> None:
    tone_model.write_tone(tmp_path / "good.wav", 240)
    sound_made.write(tmp_path / "silent.wav", np.zeros(RATE_HZ, np.float32))
    (tmp_path / "junk.wav").write_bytes(b"\x00\x01junk" * 99)
    names = [tmp_path / name for name in ("junk.wav", "missing.wav", "silent.wav", "good.wav")]
    done = emo("predict", *names, "--model", model, "--threads", 1)
    junk, missing, silent, good = _records(done)
    assert done.returncode == 0 and good["label"] == "low"
    assert "junk.wav" in str(junk["error"]) and "missing.wav" in str(missing["error"])
    assert "nobody speaks" in str(silent["error"])


def test_nothing_but_unreadable_files_is_an_error(emo: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "junk.wav").write_bytes(b"\x00\x01junk" * 99)
    done = emo("predict", tmp_path / "junk.wav", "--model", model)
    assert done.returncode == 1
    assert done.stderr.decode().strip() == "emo: none of the files could be read; the lines above say why"


def test_what_is_for_faces_is_passed_over_by_sounds_among_pictures(emo: Run, tmp_path: Path) -> None:
    tone_model.write_tone(tmp_path / "a.wav", 300)
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((48, 48), np.uint8))
    done = emo("predict", tmp_path, "--flip", "--detector", "none", "--json")
    assert done.returncode == 0 and done.stdout.count(b"\n") == 2, done.stderr
    assert done.stderr.decode().count("are for faces") == 1


@pytest.mark.parametrize("words", [("--flip",), ("--detector", "haar")])
def test_what_is_for_faces_is_refused_with_a_model_of_speech(
    emo: Run, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = emo("predict", tmp_path, "--model", model, *words)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.decode().startswith("emo: --flip and --detector are for faces")


def test_views_of_a_voice_are_averaged_and_refused_where_features_have_none(
    emo: Run, model: Path, tmp_path: Path
) -> None:
    tone_model.write_tone(tmp_path / "a.wav", 240, seconds=2)
    heard = listening.listener(Path(str(shipped.named("ravdess"))), engine="onnxruntime", threads=1, note=print)
    several = listening.listener(
        Path(str(shipped.named("ravdess"))), engine="onnxruntime", threads=1, seen=Views(5), note=print
    )
    sound = sounds.from_int16(sound_files.read(tmp_path / "a.wav").samples)
    one, five = heard(sound), several(sound)
    done = emo("predict", tmp_path / "a.wav", "--model", "ravdess", "--views", 5, "--threads", 1)
    (record,) = _records(done)
    assert one is not None and five is not None
    assert record["probabilities"] == pytest.approx(five["probabilities"], abs=1e-4) != one["probabilities"]
    done = emo("predict", tmp_path / "a.wav", "--model", model, "--views", 5)
    assert done.returncode == 1 and b"only pictures and logmel have views" in done.stderr

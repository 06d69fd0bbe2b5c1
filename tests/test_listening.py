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
    assert done.returncode == 1 and b"2 of the files could not be read" in done.stderr
    assert good["label"] == "low"
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
    done = emo("predict", tmp_path, "--flip", "--detector", "haar", "--json")
    assert done.returncode == 0 and done.stdout.count(b"\n") == 2, done.stderr
    said = done.stderr.decode()
    assert said.count("is for faces") == 1 and said.count("--detector haar finds no speech") == 1


@pytest.mark.parametrize(
    ("words", "says"), [(("--flip",), "--flip is for faces"), (("--detector", "haar"), "haar is for face")]
)
def test_what_is_for_faces_is_refused_with_a_model_of_speech(
    emo: Run, model: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    done = emo("predict", tmp_path, "--model", model, *words)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.decode().startswith(f"emo: {says}")


def test_a_sound_without_a_word_is_heard_where_that_is_asked_for(emo: Run, model: Path, tmp_path: Path) -> None:
    hum = sound_made.tone(1.0, RATE_HZ, hz=240, level=0.3)
    sound_made.write(tmp_path / "hum.wav", hum)
    refused = emo("predict", tmp_path / "hum.wav", "--model", model, "--json")
    assert "--detector none hears it all the same" in refused.stdout.decode()
    (heard,) = _records(emo("predict", tmp_path / "hum.wav", "--model", model, "--detector", "none"))
    assert heard["label"] == "low"


def test_what_is_odd_about_a_sound_is_said(emo: Run, model: Path, tmp_path: Path) -> None:
    tone_model.write_tone(tmp_path / "a.wav", 240)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) * 3 // 4])
    done = emo("predict", tmp_path / "a.wav", "--model", model)
    assert _records(done)[0]["label"] == "low"
    assert "a.wav: clip of another length than its header says" in done.stderr.decode()


@pytest.mark.parametrize("folder", ["BMW", "RIFF", "ID3", "GIF89a", "fLaC"])
def test_a_list_may_begin_as_some_files_do(emo: Run, model: Path, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    tone_model.write_tone(tmp_path / folder / "a.wav", 240)
    done = emo("predict", "-", "--model", model, stdin=f"{folder}/a.wav\0".encode(), cwd=tmp_path)
    assert _records(done)[0]["label"] == "low", done.stderr


@pytest.mark.parametrize("name", ["a.wav", "b.png", "m.onnx"])
def test_a_file_where_a_list_of_paths_belongs_is_named(emo: Run, model: Path, tmp_path: Path, name: str) -> None:
    tone_model.write_tone(tmp_path / "a.wav", 240)
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((48, 48), np.uint8))
    (tmp_path / "m.onnx").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    done = emo("predict", "-", "--model", model, stdin=(tmp_path / name).read_bytes())
    assert done.returncode == 1 and not done.stdout
    assert "not a list of paths; name the file instead of -" in done.stderr.decode()


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

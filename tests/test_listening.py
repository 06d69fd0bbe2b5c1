"""emo predict with a model of speech: the labels of sound files, and what gives none."""

import json
from pathlib import Path

import numpy as np
import pytest
import sound_made
from conftest import Run

from emocli.sound.sounds import RATE_HZ


def _tone(path: Path, hz: float, rate_hz: int = RATE_HZ) -> None:
    silence = (rate_hz // 4, rate_hz // 4)
    sound_made.write(path, np.pad(sound_made.tone(0.5, rate_hz, hz=hz, level=0.3), silence), rate_hz)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two classes, low tones and high ones."""
    pytest.importorskip("torch")
    from emocli import pipes, registry
    from emocli.data import hdf5, importing
    from emocli.extracting.featurizing import write
    from emocli.training import session
    from emocli.training.recipe import Recipe

    folder = tmp_path_factory.mktemp("tones")
    for index in range(10):
        _tone(folder / f"clips/low/{index}.wav", 200 + 10 * index)
        _tone(folder / f"clips/high/{index}.wav", 2000 + 100 * index)

    def quiet(text: str) -> None:
        pass

    parts = {"split": "random", "validation": 0.2, "test": 0.0, "seed": 0}
    step = {"command": "dataset", "name": "audio-folder", "params": {}}
    corpus = registry.load("datasets", "audio-folder")([folder / "clips"])
    importing.write(corpus, folder / "d.h5", step, parts, quiet)
    write(
        pipes.read(str(folder / "d.h5"), "dataset"), folder / "f.h5", "utterance", {}, "energy", {}, limit=0, note=quiet
    )
    assert hdf5.read_header(folder / "f.h5")[0].labels == ("high", "low")
    how = session.How(resume=False, strict=False, drop_leaks=False, note=quiet)
    params = registry.resolve("models", "logistic", {})
    train = {"command": "train", "name": "logistic", "params": params}
    session.write(pipes.read(str(folder / "f.h5"), "features"), folder / "m.onnx", train, Recipe(threads=1), how)
    return folder / "m.onnx"


def _records(done: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]  # type: ignore[attr-defined]


def test_sound_files_are_named_by_what_is_heard_whatever_their_rate(emo: Run, model: Path, tmp_path: Path) -> None:
    _tone(tmp_path / "sounds/a.wav", 240)
    _tone(tmp_path / "sounds/deep/b.flac", 2300, rate_hz=44_100)
    (tmp_path / "sounds/notes.txt").write_text("no sound")
    done = emo("predict", tmp_path / "sounds", "--model", model, "--threads", 1)
    first, second = _records(done)
    assert (first["label"], second["label"]) == ("low", "high")
    assert first["seconds"] == second["seconds"] == 1.0
    assert isinstance(first["probabilities"], dict) and abs(sum(first["probabilities"].values()) - 1) < 1e-4


def test_a_file_that_gives_nothing_is_a_record_and_the_others_go_on(emo: Run, model: Path, tmp_path: Path) -> None:
    _tone(tmp_path / "good.wav", 240)
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


@pytest.mark.parametrize("words", [("--flip",), ("--detector", "haar")])
def test_what_is_for_faces_is_refused_with_a_model_of_speech(
    emo: Run, model: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = emo("predict", tmp_path, "--model", model, *words)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.decode().startswith("emo: --flip and --detector are for faces")

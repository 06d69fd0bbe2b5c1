"""A small real model of sounds, trained in a second: low tones and high ones."""

from pathlib import Path

import numpy as np
import pytest
import sound_made

from emocli.sound.sounds import RATE_HZ


def write_tone(path: Path, hz: float, rate_hz: int = RATE_HZ, seconds: float = 0.5) -> None:
    """Write a tone between two quarters of a second of silence."""
    silence = (rate_hz // 4, rate_hz // 4)
    sound_made.write(path, np.pad(sound_made.tone(seconds, rate_hz, hz=hz, level=0.3), silence), rate_hz)


def write_model(folder: Path) -> Path:
    """Train on tones cut by the detector energy; skips without torch."""
    pytest.importorskip("torch")
    from emocli import pipes, registry
    from emocli.data import hdf5, importing
    from emocli.extracting.featurizing import write
    from emocli.training import session
    from emocli.training.recipe import Recipe

    for index in range(10):
        # of any length, or the share of silence would tell
        for name, hz in (("low", 200 + 10 * index), ("high", 2000 + 100 * index)):
            write_tone(folder / f"clips/{name}/{index}.wav", hz, seconds=0.3 + index % 5 / 4)

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
    features = pipes.read(str(folder / "f.h5"), "features")
    session.forget(session.write(features, folder / "m.onnx", train, Recipe(threads=1), how))
    return folder / "m.onnx"

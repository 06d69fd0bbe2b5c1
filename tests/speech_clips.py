"""Clips for tests of what is heard in them: real ones where they are at hand beside the project, and made ones."""

from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from numpy.typing import NDArray

Clip = NDArray[np.float32]
_REAL = (
    "ravdess/Actor_01/03-01-05-01-02-01-01.flac",
    "ravdess/Actor_14/03-01-04-01-01-01-14.flac",
    "emodb/03a01Fa.flac",
)


def real() -> list[Clip]:
    """Return three clips of speech; the second is digital silence for a third of its time. Skips without them."""
    return _read([SHARED / name for name in _REAL])


def acted() -> list[Clip]:
    """Return each of eight emotions acted by four actors, some 40 dB below full scale. Skips without them."""
    emotions, actors = range(1, 9), range(1, 5)
    return _read([
        SHARED / f"ravdess/Actor_{actor:02d}/03-01-{emotion:02d}-01-01-01-{actor:02d}.flac"
        for actor in actors for emotion in emotions
    ])  # fmt: skip


def _read(paths: list[Path]) -> list[Clip]:
    soundfile = pytest.importorskip("soundfile")
    if not all(path.is_file() for path in paths):
        pytest.skip("no speech beside the project (../shared/data)")
    return [soundfile.read(path, dtype="float32")[0] for path in paths]


def made() -> dict[str, Clip]:
    """Return clips by what is odd about them."""
    rng, time = np.random.default_rng(0), np.arange(24_000) / 16_000
    noise = rng.standard_normal(24_000) * 0.1
    vowel = sum(np.sin(2 * np.pi * 130 * k * time + k) / k for k in range(1, 25)) * 0.2
    click = np.zeros(24_000)
    click[12_345] = 1
    clips = {
        "noise": noise,
        "vowel": vowel,
        "clipped": np.clip(5 * vowel, -1, 1),
        "click": click,
        "silence": np.zeros(24_000),
        "tone among silence": np.where((time > 0.5) & (time < 0.8), np.sin(2 * np.pi * 453 * time), 0),
        "eight frames": noise[: 7 * 512 + 3],
        "shorter than a frame": vowel[:700],
        "one sample": noise[:1],
    }
    return {name: clip.astype(np.float32) for name, clip in clips.items()}

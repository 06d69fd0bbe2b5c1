"""Small features of sequences: which band is loud, and when, tells the class."""

from pathlib import Path

import numpy as np

from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer

BANDS, CLASSES = 16, 3
STEPS = (
    {"command": "dataset", "name": "audio-folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"},
    {"command": "features", "name": "logmel", "params": {"mels": BANDS}, "detector": "none"},
)


def clips(y: np.ndarray, seed: int = 0) -> list[np.ndarray]:
    """Noise of 12 to 40 frames with a tone that rises, falls or stays."""
    rng = np.random.default_rng(seed)
    found = []
    for label in y:
        frames = int(rng.integers(12, 41))
        band = np.array([np.linspace(3, 12, frames), np.linspace(12, 3, frames), np.full(frames, 7.5)][label])
        tone = 8 * np.exp(-((np.arange(BANDS) - band[:, None]) ** 2) / 3)
        found.append((tone + rng.normal(0, 1, (frames, BANDS))).astype(np.float32))
    return found


def write_sequences(path: Path, n: int = 180) -> Path:
    """Two thirds to train on and one for validation, spoken by twelve people."""
    y = np.arange(n) % CLASSES
    split = np.where(np.arange(n) < n * 2 // 3, "train", "validation")
    group = [f"{row * 12 // n}" for row in range(n)]
    writer = Writer(path, modality="speech")
    writer.append_ragged(clips(y))
    writer.finish(Header("features", ("rising", "falling", "level"), STEPS), y, "label", split, group)
    return path


def write_vectors(path: Path, n: int = 180, width: int = 10) -> Path:
    """Vectors whose class is in their first three values, of very different size."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % CLASSES
    x = (rng.normal(0, 1, (n, width)) + 2 * np.eye(CLASSES, width)[y]) * np.logspace(-3, 3, width) + 5
    writer = Writer(path, modality="speech", count=n)
    writer.append(x.astype(np.float32))
    split = np.where(np.arange(n) < n * 2 // 3, "train", "validation")
    writer.finish(Header("features", ("rising", "falling", "level"), STEPS), y, "label", split)
    return path

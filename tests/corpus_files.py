"""Small corpora, written as their authors lay them out."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.data.samples import Corpus, Sample

PARTS = ("Training", "PublicTest", "PrivateTest")


def faces(count: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures of chance, (count, 48, 48), in which numbers of one, two and three digits are about as frequent."""
    rng = np.random.default_rng(seed)
    tops = rng.choice([10, 100, 256], (count, 48, 48))
    return (rng.random((count, 48, 48)) * tops).astype(np.uint8)


def row(pixels: NDArray[np.uint8], label: int = 3, usage: str = "Training") -> str:
    """One line of fer2013.csv, without its end."""
    return f"{label},{' '.join(map(str, pixels.ravel().tolist()))},{usage}"


def fer2013(path: Path, lines: Sequence[str], header: str = "emotion,pixels,Usage", end: str = "\n") -> Path:
    """Write a csv of FER2013."""
    path.write_text(end.join((header, *lines)) + end, newline="")
    return path


def image(path: Path, size: int = 48, *, colour: bool = False, seed: int = 0) -> Path:
    """Write a picture of chance in the format that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size, size, 3) if colour else (size, size)
    pixels = np.random.default_rng((seed, *path.name.encode())).integers(0, 256, shape, dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def all_of(corpus: Corpus) -> list[Sample]:
    """Read a corpus to its end."""
    return list(corpus.samples)

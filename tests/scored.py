"""Small data with known pictures, and scoring them in the process of the test."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli import labels, pipes
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer
from emocli.engines import onnxruntime
from emocli.scores import pairing, scoring
from emocli.scores.pairing import Options

N = 90
SYNONYMS = ("anger", "happiness", "sadness", "fearful", "surprised", "disgust", "calm")


def stripes(n: int = N) -> NDArray[np.uint8]:
    """Return (n, 1, 48, 48) slanted stripes of chance, so that a model answers this and that."""
    random = np.random.default_rng(7)
    slant, width, depth, start = random.uniform([0, 0.2, 20, 0], [np.pi, 1.5, 127, 6], (n, 4)).T[..., None, None, None]
    down, across = np.mgrid[:48, :48]
    # a ramp within each stripe, or the mirror image would be much the same
    phase = (down * np.sin(slant) + across * np.cos(slant)) * width + start
    return (128 + depth * (phase % 2 - 1)).astype(np.uint8)


def write_data(
    path: Path,
    names: Sequence[str],
    *,
    kind: str = "features",
    groups: Sequence[str] = (),
    n: int = N,
    parts: Sequence[str] = (),
    corpus: str = "folder",
    about: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write n stripes, every third for validation, the others for test unless `parts` are given; labels take turns."""
    steps = ({"command": "dataset", "name": corpus, "params": {}, "input": f"sha256:{0:064}", "license": "none"},)
    steps += ({"command": "features", "name": "pixels", "params": {"size": 48}, "detector": "none"},)
    writer = Writer(path, count=n)
    writer.append(stripes(n))
    header = Header(kind, tuple(names), steps[: 2 if kind == "features" else 1])
    split = np.array(parts) if parts else np.where(np.arange(n) % 3, "test", "validation")
    writer.finish(header, np.arange(n) % len(names), "label", split, groups, about=about)
    return path


def write_photos(path: Path, n: int = 48, side: int = 700) -> Path:
    """Write a dataset of encoded pictures in colour, each some 0.4 MB and 1.5 MB (700 pixels) when it is decoded."""
    pixels = np.random.default_rng(0).integers(0, 4, (side, side, 3), dtype=np.uint8) * 80
    writer = Writer(path)
    for row in range(n):
        pixels[:8, :8] = row
        writer.append_encoded([cv2.imencode(".png", pixels)[1].tobytes()])
    step = {"command": "dataset", "name": "folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"}
    parts = np.array(["train", "test"])[np.arange(n) % 2]
    writer.finish(Header("dataset", labels.SEVEN, (step,)), np.arange(n) % 7, "label", parts)
    return path


def score(model: Path, data: Path, notes: list[str] | None = None, **options: object) -> dict[str, object]:
    """Return the record of one pair, as `emo eval model --data data` prints it."""
    chosen = Options(**{"samples": 20, **options})  # type: ignore[arg-type]
    pairs = pairing.pairs([pipes.read(str(model), "model")], [str(data)], chosen)
    (record,) = scoring.records(pairs, "onnxruntime", 1, chosen, (notes if notes is not None else []).append)
    return record


def said(model: Path, split: str = "test") -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of write_data's part, and its rows."""
    rows = np.array([row for row in range(N) if bool(row % 3) == (split == "test")])
    return onnxruntime.load(model).run(stripes()[rows])["logits"], rows

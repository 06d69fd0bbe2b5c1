"""What a corpus reader hands over: labelled samples, one at a time, and what there is to know about them."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Sample:
    """One face: `x` is (channels, height, width) uint8, RGB or gray, or the bytes of an encoded image file.

    One clip of speech: `x` is (samples,) int16, mono at 16 kHz.
    """

    x: NDArray[np.uint8] | NDArray[np.int16] | bytes
    y: int | tuple[float, ...]
    """Index into the corpus's labels, or a row of numbers whose meaning the corpus states."""
    split: str = ""
    """train, validation or test as published; empty where the corpus publishes none."""
    group: str = ""
    """Subject or speaker; empty where the corpus does not name them."""
    id: str = ""
    landmarks: NDArray[np.float32] | None = None
    """(points, 2) x, y in pixels of the image, where the corpus has them."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What else the corpus says: {"sex": "female", "intensity": "strong"}; the same keys for all of its samples."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """An open corpus. `notes` and `source` fill while `samples` is read and are final when it is exhausted."""

    labels: tuple[str, ...]
    license: str
    samples: Iterator[Sample]
    meaning: str = "label"
    """What y holds: label, votes, probabilities or valence-arousal."""
    modality: str = "face"
    """face or speech."""
    count: int | None = None
    """How many samples will come, where that is known beforehand and exact."""
    notes: Counter[str] = field(default_factory=Counter)
    """Remarks for the user with how often each applied: {"unreadable image skipped": 3}."""
    source: Any = field(default_factory=hashlib.sha256)
    """sha256 of the bytes read, so that the same source is recognised; independent of paths and times."""

"""What a corpus reader hands over: labelled samples, one at a time, and what there is to know about them."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emocli import telling
from emocli.errors import EmoError

SPLITS = ("train", "validation", "test")


class Sample(NamedTuple):
    """One face: `x` is (channels, height, width) uint8, RGB or gray, or the bytes of an encoded image file.

    One clip of speech: `x` is (samples,) int16, mono at 16 kHz. Some time of physiological signals: `x` is
    (frames, channels) float32 at 64 Hz, the channels as the corpus names them. A text: `x` is its bytes in UTF-8.
    """

    x: NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.float32] | bytes
    y: int | tuple[float, ...]
    """Index into the corpus's labels, or a row of numbers whose meaning the corpus states."""
    split: str = ""
    """train, validation or test as published; empty where the corpus publishes none."""
    group: str = ""
    """Subject or speaker; empty where the corpus does not name them."""
    id: str = ""
    landmarks: NDArray[np.float32] | None = None
    """(points, 2) x, y in pixels of the image, where the corpus has them."""
    about: Mapping[str, str] = MappingProxyType({})
    """What else the corpus says: {"sex": "female", "intensity": "strong"}; the same keys for all of its samples."""


class Samples(NamedTuple):
    """Faces of one size that a corpus decodes together; a row of `x` and a place of each list are a Sample."""

    x: NDArray[np.uint8]
    """(n, channels, height, width)"""
    y: list[int]
    split: list[str]
    id: list[str]

    def each(self) -> Iterator[Sample]:
        """Return them one by one."""
        return map(Sample, self.x, self.y, self.split, repeat(""), self.id)


@dataclass(frozen=True, slots=True)
class Corpus:
    """An open corpus. `notes` and `source` fill while `stream` is read and are final when it is exhausted."""

    labels: tuple[str, ...]
    license: str
    stream: Iterator[Sample] | Iterator[Samples]
    """What is in it, one by one, or, where that is faster, many at once."""
    meaning: str = "label"
    """What y holds: label, votes, probabilities or valence-arousal."""
    modality: str = "face"
    """face, speech, physio or text."""
    channels: tuple[str, ...] = ()
    """Of physiological signals the names of x's columns, as in `emocli.physio.signals.CHANNELS`."""
    count: int | None = None
    """How many samples will come, where that is known beforehand and exact."""
    notes: Counter[str] = field(default_factory=Counter)
    """Remarks for the user with how often each applied: {"unreadable image skipped": 3}."""
    source: Any = field(default_factory=hashlib.sha256)
    """sha256 of the bytes read, so that the same source is recognised; independent of paths and times."""

    def __post_init__(self) -> None:
        """Raise EmoError for a class whose name can't be shown."""
        for label in self.labels:
            if telling.harmless(label) != label:
                raise EmoError(f"a class is called {label}, which can't be shown; rename its folder")

    @property
    def samples(self) -> Iterator[Sample]:
        """What is left of the stream, one by one."""
        for each in self.stream:
            yield from each.each() if isinstance(each, Samples) else (each,)

"""Drawn faces for tests and first steps: 7 emotions by facial action units, any number and size, made on the spot.

Nothing is read. Every face is a set of 68 points, moved by the action units that EMFACS gives for its emotion (with
chance strengths, some missing, some that don't belong), an identity with proportions and looks of its own, pose, gaze,
light, blur, noise and, at times, something in front. Gray, with landmarks. The same options give the same bytes.
Parts: 70 % of the identities are for train, 15 % for validation and 15 % for test; none is in two.

Options:
    count: number of images
    size: height and width in pixels
    identities: number of people, 3 at least
    noise: standard deviation of the noise in gray levels
    occlusion: share of the images with something in front of the face
    seed: of everything that is drawn by chance
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli import labels
from emocli.data.samples import Corpus, Sample
from emocli.datasets import _face_drawing, _face_model
from emocli.datasets._face_drawing import Canvas, Looks
from emocli.datasets._face_model import UNITS, Array, Pose
from emocli.errors import EmoError

LICENSE = "CC0-1.0: drawn by emo, no real person"
# the prototypes of EMFACS (Friesen and Ekman, 1983), in the order of labels.SEVEN
EXPRESSIONS = {
    "angry": (4, 5, 7, 23), "disgust": (9, 15, 17), "fear": (1, 2, 4, 5, 20, 25), "happy": (6, 12, 25),
    "sad": (1, 4, 15, 17), "surprise": (1, 2, 5, 25, 26), "neutral": (),
}  # fmt: skip
_PROTOTYPES = np.array([[unit in EXPRESSIONS[name] for unit in UNITS] for name in labels.SEVEN], float)


@dataclass(frozen=True, slots=True)
class Person:
    """An identity: its name, (68, 3) proportions, looks, and the part it is in."""

    name: str
    shape: Array
    looks: Looks
    split: str


def read(
    sources: Sequence[Path],
    *,
    count: int = 2000,
    size: int = 48,
    identities: int = 40,
    noise: float = 6.0,
    occlusion: float = 0.15,
    seed: int = 0,
) -> Corpus:
    """Open a corpus of drawn faces, x (1, size, size); raises EmoError for options out of range."""
    if sources:
        raise EmoError(f"synthetic reads nothing, given was {sources[0]}; for pictures use: emo dataset folder")
    drawable = 16 <= size <= 2048 and 3 <= identities <= 100_000 and 0 <= noise <= 255 and 0 <= occlusion <= 1
    if count < 1 or seed < 0 or not drawable:
        raise EmoError(
            "synthetic needs count > 0, seed >= 0, size 16 to 2048, identities 3 to 100000, noise 0 to 255, "
            "occlusion 0 to 1"
        )
    people = _people(identities, seed)
    drawn = (_sample(i, people[i // 7 % identities], size, noise, occlusion, seed) for i in range(count))
    return Corpus(labels.SEVEN, LICENSE, drawn, count=count)


def _people(identities: int, seed: int) -> list[Person]:
    """Return the identities with their parts drawn by chance: 15 % validation, 15 % test, one of each at least."""
    held_out = max(1, round(0.15 * identities))
    order = np.random.default_rng((seed, 0)).permutation(identities).tolist()
    splits = dict.fromkeys(order, "train")
    splits |= dict.fromkeys(order[:held_out], "validation") | dict.fromkeys(order[held_out : 2 * held_out], "test")
    people = []
    for i in range(identities):
        rng = np.random.default_rng((seed, 1, i))
        people.append(Person(f"p{i:04d}", _face_model.proportions(rng), _face_drawing.looks(rng), splits[i]))
    return people


def _sample(i: int, person: Person, size: int, noise: float, occlusion: float, seed: int) -> Sample:
    """Draw image number i."""
    rng = np.random.default_rng((seed, 2, i))
    y = i % len(labels.SEVEN)
    left, right = _strengths(rng, y)
    pose = Pose(
        yaw=rng.normal(0, 0.22),
        pitch=rng.normal(0, 0.12),
        roll=rng.normal(0, 0.09),
        scale=rng.uniform(0.68, 0.82),
        shift=(rng.normal(0, 0.04), rng.normal(-0.06, 0.04)),
    )
    points = _face_model.landmarks(left, right, person.shape, pose)
    canvas = Canvas(_background(rng, size * 2 if size <= 128 else size))
    _face_drawing.draw(canvas, points, person.looks, np.maximum(left, right), pose, rng.normal(0, (0.03, 0.015)))
    if rng.random() < occlusion:
        _occlude(canvas, rng)
    x = _photograph(canvas.pixels, rng, size, noise)
    landmarks = ((points + 1) * size / 2 - 0.5).astype(np.float32)
    return Sample(x[None], y, person.split, person.name, str(i), landmarks)


def _strengths(rng: np.random.Generator, y: int) -> tuple[Array, Array]:
    """Return the strengths of UNITS on both sides of the face for an emotion."""
    units = len(UNITS)
    shown = _PROTOTYPES[y] * rng.uniform(0.55, 1.1) * rng.uniform(0.45, 1, units) * (rng.random(units) > 0.1)
    stray = rng.uniform(0, 0.5, units) * (rng.random(units) < 0.07)
    both = np.maximum(shown, stray)
    sides = 1 + rng.normal(0, 0.12, (2, units))
    return both * sides[0], both * sides[1]


def _background(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Return a blurred background."""
    coarse = (rng.uniform(20, 230) + rng.normal(0, 25, (4, 4))).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def _occlude(canvas: Canvas, rng: np.random.Generator) -> None:
    """Put an ellipse as large as a hand in front, somewhere over the face."""
    axes = rng.uniform((0.15, 0.12), (0.4, 0.3)) * canvas.unit
    centre = rng.uniform((-0.6, -0.6), (0.6, 0.7)) * canvas.unit + canvas.unit
    box = ((float(centre[0]), float(centre[1])), (float(axes[0] * 2), float(axes[1] * 2)), rng.uniform(0, 180))
    cv2.ellipse(canvas.pixels, box, rng.uniform(10, 230), -1, cv2.LINE_AA)


def _photograph(drawn: NDArray[np.uint8], rng: np.random.Generator, size: int, noise: float) -> NDArray[np.uint8]:
    """Return the drawing as a camera would: lit from a side, out of focus by chance, noisy, size x size."""
    picture: NDArray[Any] = cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    blur = rng.uniform(0, 0.018) * size
    if blur > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.45)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    light = 1 + slope * (np.cos(angle) * ramp[None, :] + np.sin(angle) * ramp[:, None])
    picture = picture * light.astype(np.float32) * np.float32(rng.uniform(0.65, 1.2)) + np.float32(rng.uniform(-15, 25))
    picture += noise * rng.standard_normal((size, size), dtype=np.float32)
    return np.asarray(picture.clip(0, 255), np.uint8)

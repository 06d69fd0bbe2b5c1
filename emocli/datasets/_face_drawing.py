"""Draws a parametric face in gray: skin, hair, eyes, brows, nose, mouth and the wrinkles that action units make."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli.datasets._face_model import UNITS, Array, Pose, project

_BITS = 4  # of OpenCV's fixed point: a sixteenth of a pixel
_ROW = {unit: row for row, unit in enumerate(UNITS)}
# the upper outline of the head and of short hair, from the right temple over the crown to the left one
_ARC = np.linspace(0, np.pi, 15)[1:-1]
_CROWN = np.column_stack((np.cos(_ARC), -0.2 - 1.0 * np.sin(_ARC), np.full(13, -0.25)))
_HAIRLINE = np.column_stack((0.98 * np.cos(_ARC), -0.2 - 0.66 * np.sin(_ARC) ** 0.7, np.full(13, -0.1)))

# a rim of the glasses
_TURN = np.linspace(0, 2 * np.pi, 13)[:-1]
_RING = np.column_stack((np.cos(_TURN), 0.85 * np.sin(_TURN)))


@dataclass(frozen=True, slots=True)
class Looks:
    """What an identity looks like: gray levels 0 to 255, widths in half widths of the face, and what it wears."""

    skin: float
    hair: float
    lips: float
    iris: float
    brow: float
    bald: bool
    long_hair: bool
    glasses: bool
    beard: bool


def looks(rng: np.random.Generator) -> Looks:
    """Return the looks of a new identity."""
    skin = rng.uniform(95, 215)
    hair = rng.uniform(15, 130)
    chances = rng.random(4)
    return Looks(
        skin=skin,
        hair=hair,
        lips=skin * rng.uniform(0.55, 0.8),
        iris=rng.uniform(20, 110) * min(1, skin / 120),
        brow=rng.uniform(0.05, 0.1),
        bald=bool(chances[0] < 0.15),
        long_hair=bool(chances[1] < 0.4),
        glasses=bool(chances[2] < 0.2),
        beard=bool(chances[3] < 0.2),
    )


class Canvas:
    """A gray picture to draw on, in half widths of the face from the picture's middle."""

    def __init__(self, background: NDArray[np.uint8]) -> None:
        self.pixels = background
        self.unit = len(background) / 2

    def fixed(self, points: Array) -> NDArray[np.int32]:
        """Return points in OpenCV's fixed-point pixels."""
        return np.rint(((points + 1) * self.unit - 0.5) * (1 << _BITS)).astype(np.int32)

    def area(self, points: Array, gray: float) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.pixels, [self.fixed(points)], gray, cv2.LINE_AA, _BITS)

    def line(self, points: Array, gray: float, width: float, *, closed: bool = False) -> None:
        """Draw a line of some width through points."""
        thickness = max(1, round(width * self.unit))
        cv2.polylines(self.pixels, [self.fixed(points)], closed, gray, thickness, cv2.LINE_AA, _BITS)

    def crease(self, points: Array, skin: float, strength: float) -> None:
        """Draw a wrinkle: a line darker than the skin by the strength, from 0 to 1; weak ones are not seen."""
        if strength > 0.15:
            self.line(points, skin * (1 - 0.4 * min(1, strength)), 0.035)


def draw(canvas: Canvas, points: Array, person: Looks, strength: Array, pose: Pose, gaze: Array) -> None:
    """Draw a face by its (68, 2) points; `strength` is that of UNITS, `gaze` moves the irises."""
    crown = project(_CROWN, pose)
    _head(canvas, points, crown, person, pose)
    _creases(canvas, points, person.skin, strength)
    _eyes(canvas, points, person, gaze)
    _nose(canvas, points, person.skin)
    _mouth(canvas, points, person)
    for brow in (points[17:22], points[22:27]):
        canvas.line(brow, min(person.hair, person.skin * 0.6), person.brow * pose.scale)
    if not person.bald:
        hair = np.vstack((crown, project(_HAIRLINE, pose)[::-1]))
        canvas.area(hair, person.hair)
    if person.glasses:
        for eye in (points[36:42], points[42:48]):
            ring = _RING * 0.36 * pose.scale
            canvas.line(eye.mean(axis=0) + ring, 25, 0.035, closed=True)


def _head(canvas: Canvas, points: Array, crown: Array, person: Looks, pose: Pose) -> None:
    if person.long_hair and not person.bald:
        middle = points[27]
        canvas.area(middle + (np.vstack((points[2:15], crown)) - middle) * 1.2, person.hair)
    elif not person.bald:
        canvas.area(points[27] + (crown - points[27]) * 1.08, person.hair)
    outline = np.vstack((points[:17], crown))
    canvas.area(outline, person.skin)
    canvas.line(points[:17], person.skin * 0.72, 0.03)
    if person.beard:
        inner = points[8] + (points[3:14] - points[8]) * 0.8 - (0, 0.02 * pose.scale)
        lip = np.vstack((points[54], points[53:48:-1], points[48]))
        canvas.area(np.vstack((points[3:14], inner[::-1])), person.skin * 0.6)
        canvas.line((lip + points[33]) / 2, person.skin * 0.6, 0.09 * pose.scale)


def _creases(canvas: Canvas, points: Array, skin: float, strength: Array) -> None:
    """Draw the wrinkles: forehead (AU1, 2), between the brows (4), nose (9), cheeks (6, 9, 12), eyes (6), chin (17)."""
    brows = points[17:27]
    raised = max(strength[_ROW[1]], strength[_ROW[2]])
    for lift in (0.14, 0.24):
        canvas.crease(brows[2:8] - (0, lift), skin, raised)
    root = points[[21, 22]].mean(axis=0)
    for side in (21, 22):
        canvas.crease(np.vstack((0.7 * root + 0.3 * points[side] - (0, 0.08), 0.6 * root + 0.4 * points[27])), skin,
                      strength[_ROW[4]])  # fmt: skip
    across = (points[42] - points[39]) * 0.25
    for place in (0.15, 0.5):
        middle = points[27] * (1 - place) + points[29] * place
        canvas.crease(np.vstack((middle - across, middle + across)), skin, strength[_ROW[9]])
    folds = max(strength[_ROW[12]], strength[_ROW[9]], 0.6 * strength[_ROW[6]])
    for wing, corner, cheek, outer in ((31, 48, 3, 36), (35, 54, 13, 45)):
        fold = np.vstack(
            (points[wing], 0.75 * points[corner] + 0.25 * points[cheek] - (0, 0.1), points[corner] + (0, 0.06))
        )
        canvas.crease(fold, skin, folds)
        away = (points[outer] - points[27]) * 0.25
        for drop in (-0.06, 0.05):
            canvas.crease(
                np.vstack((points[outer] + 0.25 * away, points[outer] + away + (0, drop))), skin, strength[_ROW[6]]
            )
    chin = 0.5 * points[[58, 57, 56]] + 0.5 * points[[7, 8, 9]]
    canvas.crease(chin + np.array(((0, 0.02), (0, -0.05), (0, 0.02))), skin, strength[_ROW[17]])


def _eyes(canvas: Canvas, points: Array, person: Looks, gaze: Array) -> None:
    """Draw both eyes, the iris only where the lids are open."""
    opened = np.zeros_like(canvas.pixels)
    iris = np.full_like(canvas.pixels, min(245, person.skin * 0.4 + 140))
    for eye in (points[36:42], points[42:48]):
        cv2.fillPoly(opened, [canvas.fixed(eye)], 255, cv2.LINE_AA, _BITS)
        middle = eye.mean(axis=0) + gaze
        width = float(np.hypot(*(eye[3] - eye[0])))
        for size, gray in ((0.27, person.iris), (0.12, 5)):
            canvas_centre = tuple(int(c) for c in canvas.fixed(middle))
            cv2.circle(
                iris, canvas_centre, int(size * width * canvas.unit * (1 << _BITS)), gray, -1, cv2.LINE_AA, _BITS
            )
    cv2.copyTo(iris, opened, canvas.pixels)
    for eye in (points[36:42], points[42:48]):
        canvas.line(eye[:4], person.skin * 0.3, 0.035)
        canvas.line(eye[[3, 4, 5, 0]], person.skin * 0.7, 0.02)


def _nose(canvas: Canvas, points: Array, skin: float) -> None:
    canvas.line(np.vstack((0.5 * points[28] + 0.5 * points[39], points[29], points[31])), skin * 0.88, 0.03)
    canvas.line(points[31:36], skin * 0.6, 0.035)
    canvas.line(points[29:31], min(250, skin * 1.12), 0.04)


def _mouth(canvas: Canvas, points: Array, person: Looks) -> None:
    """Draw the lips and, where they part, the teeth above the dark."""
    inner = points[60:68]
    canvas.area(points[48:60], person.lips)
    gap = float(inner[6, 1] - inner[2, 1])
    if gap > 0.04:
        canvas.area(inner, 25)
        edge = inner[4::-1] + np.array((0, min(0.1, 0.5 * gap)))
        canvas.area(np.vstack((inner[:5], edge)), 225)
    canvas.line(inner[:5], person.lips * 0.45, 0.025)

"""A parametric face: 68 points moved by facial action units, an identity's proportions and a pose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_JAW = [(-np.cos(t), -0.2 + 1.35 * np.sin(t) ** 0.9) for t in np.linspace(0, np.pi / 2, 9)]
# the half to the left as seen, numbered as iBUG's 68 points; the other half is its mirror image
_LEFT = dict(enumerate(_JAW)) | {
    17: (-0.80, -0.50), 18: (-0.68, -0.60), 19: (-0.54, -0.63), 20: (-0.38, -0.60), 21: (-0.22, -0.55),
    27: (0.0, -0.30), 28: (0.0, -0.12), 29: (0.0, 0.06), 30: (0.0, 0.22),
    31: (-0.20, 0.32), 32: (-0.10, 0.36), 33: (0.0, 0.38),
    36: (-0.62, -0.27), 37: (-0.50, -0.36), 38: (-0.36, -0.36), 39: (-0.23, -0.25),
    40: (-0.36, -0.19), 41: (-0.50, -0.19),
    48: (-0.38, 0.63), 49: (-0.24, 0.565), 50: (-0.09, 0.53), 51: (0.0, 0.55),
    57: (0.0, 0.75), 58: (-0.11, 0.74), 59: (-0.25, 0.70),
    60: (-0.33, 0.63), 61: (-0.12, 0.625), 62: (0.0, 0.63), 66: (0.0, 0.645), 67: (-0.12, 0.645),
}  # fmt: skip
_MIRROR = (
    {i: 16 - i for i in range(17)} | {17 + i: 26 - i for i in range(10)} | {i: i for i in range(27, 31)}
    | {31 + i: 35 - i for i in range(5)}
    | {36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46}
    | {48: 54, 49: 53, 50: 52, 51: 51, 57: 57, 58: 56, 59: 55, 60: 64, 61: 63, 62: 62, 66: 66, 67: 65}
)  # fmt: skip
_DEPTH = ((range(17), -0.25), (range(17, 27), 0.12), (range(27, 31), 0.3), (range(31, 36), 0.25), (range(48, 68), 0.15))

# what each action unit (Ekman and Friesen, Facial Action Coding System, 1978) does to points of the left half at full
# strength: how far they move outwards and downwards, in half widths of the face
_UNITS: dict[int, tuple[tuple[tuple[int, ...], float, float], ...]] = {
    1: (((21, 20), 0, -0.16), ((19,), 0, -0.07)),
    2: (((17, 18), 0, -0.13), ((19,), 0, -0.10)),
    4: (((21, 20), -0.06, 0.14), ((19,), -0.03, 0.08), ((18,), 0, 0.03)),
    5: (((37, 38), 0, -0.09),),
    6: (((40, 41), 0, -0.05), ((36,), 0, 0.01)),
    7: (((37, 38), 0, 0.05), ((40, 41), 0, -0.04)),
    9: (((31, 32, 33), 0, -0.07), ((49, 50, 51), 0, -0.07), ((21,), -0.02, 0.06), ((61, 62), 0, -0.03)),
    12: (((48, 60), 0.14, -0.22), ((49, 59), 0.07, -0.08), ((58, 67), 0, 0.03)),
    15: (((48, 60), 0.01, 0.15), ((49, 59), 0, 0.05)),
    17: (((57, 58), 0, -0.05), ((66, 67), 0, -0.03), ((50, 51), 0, -0.05), ((61, 62), 0, -0.03)),
    20: (((48, 60), 0.15, 0.03), ((49, 59), 0.09, 0.01)),
    23: (((49, 50, 51), 0, 0.05), ((57, 58, 59), 0, -0.05), ((48, 60), -0.06, 0)),
    25: (((61, 62), 0, -0.03), ((50, 51), 0, -0.03), ((66, 67), 0, 0.09), ((57, 58), 0, 0.08), ((59,), 0, 0.05)),
    26: (((66, 67), 0, 0.24), ((57, 58), 0, 0.26), ((59,), 0, 0.15), ((48, 60), -0.06, 0.09), ((6, 7, 8), 0, 0.16)),
}
UNITS = tuple(_UNITS)
"""The action units, in the order of every vector of strengths."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How the head is turned (radians: yaw to the side, pitch up and down, roll in the plane), its scale and place."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    shift: tuple[float, float]


def _template() -> Array:
    points = np.zeros((68, 3))
    for i, (x, y) in _LEFT.items():
        points[i, :2], points[_MIRROR[i], :2] = (x, y), (-x, y)
    for indices, depth in _DEPTH:
        points[list(indices), 2] = depth
    points[30, 2] = 0.4  # the tip of the nose
    return points


def _displacements() -> tuple[Array, Array]:
    """Return (units, 68, 2) for the left and for the right half; the points in the middle move by half of both."""
    left, right = np.zeros((2, len(UNITS), 68, 2))
    for row, moves in enumerate(_UNITS.values()):
        for indices, outwards, down in moves:
            for i in indices:
                share = 0.5 if _MIRROR[i] == i else 1.0
                left[row, i] += (-outwards * share, down * share)
                right[row, _MIRROR[i]] += (outwards * share, down * share)
    return left, right


TEMPLATE = _template()
_MOVES = _displacements()


def landmarks(left: Array, right: Array, proportions: Array, pose: Pose) -> Array:
    """Return the (68, 2) points of a face, y down, in half widths of the face.

    `left` and `right` are the strengths (0 to 1) of UNITS on either side as seen; `proportions` is the identity's
    (68, 3) shape to which they are applied.
    """
    points = proportions.copy()
    points[:, :2] += np.tensordot(left, _MOVES[0], 1) + np.tensordot(right, _MOVES[1], 1)
    _close_lips(points)
    return project(points, pose)


def _close_lips(points: Array) -> None:
    """Keep lids and lips from crossing: what presses two lines together stops where they meet."""
    for upper, lower in (((61, 62, 63), (67, 66, 65)), ((37, 38), (41, 40)), ((43, 44), (47, 46))):
        up, low = list(upper), list(lower)
        crossed = np.minimum(points[low, 1] - points[up, 1] - 0.01, 0)
        points[up, 1] += crossed / 2
        points[low, 1] -= crossed / 2


def project(points: Array, pose: Pose) -> Array:
    """Return (n, 3) points turned, scaled and shifted by the pose, seen from the front: (n, 2)."""
    yaw, pitch, roll = pose.yaw, pose.pitch, pose.roll
    x = points[:, 0] * np.cos(yaw) + points[:, 2] * np.sin(yaw)
    depth = points[:, 2] * np.cos(yaw) - points[:, 0] * np.sin(yaw)
    y = points[:, 1] * np.cos(pitch) - depth * np.sin(pitch)
    turned = np.column_stack((x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)))
    return turned * pose.scale + pose.shift


def proportions(rng: np.random.Generator) -> Array:
    """Return an identity's (68, 3) shape: the template with eyes, brows, nose, mouth and jaw of its own."""
    points = TEMPLATE.copy()
    points[:17, 0] *= 1 + rng.normal(0, 0.04)
    points[4:13, 1] *= 1 + rng.normal(0, 0.06)  # a longer or a shorter chin
    points[17:27, 1] += rng.normal(0, 0.035)
    tilt = rng.normal(0, 0.05) * (np.abs(points[17:27, 0]) - 0.5)
    points[17:27, 1] += tilt
    for eye in (slice(36, 42), slice(42, 48)):
        centre = points[eye, :2].mean(axis=0)
        points[eye, :2] = centre + (points[eye, :2] - centre) * rng.normal(1, (0.05, 0.02)).clip(0.8, 1.2)
    points[36:48, 1] = -0.27 + (points[36:48, 1] + 0.27) * rng.uniform(0.8, 1.2)
    points[31:36, 0] *= rng.uniform(0.8, 1.25)
    points[29:36, 1] += rng.normal(0, 0.025)
    points[48:68, 0] *= rng.uniform(0.85, 1.15)
    points[48:68, 1] += rng.normal(0, 0.025)
    points[49:54, 1] -= rng.uniform(-0.015, 0.03)  # fuller or thinner lips
    points[55:60, 1] += rng.uniform(-0.015, 0.03)
    points[[48, 54, 60, 64], 1] += rng.normal(0, 0.02)
    return points

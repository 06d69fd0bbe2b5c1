"""Faces drawn into a picture: box, label, probability and its bar, frame rate and latency."""

import cv2
import numpy as np

from emocli.image.lettering import FONT, written
from emocli.live.frames import Result
from emocli.serving.prediction import FaceRecord, Pixels

# Okabe and Ito's palette, which people with colour blindness can tell apart, as RGB
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
INK, PAPER = (255, 255, 255), (32, 32, 32)


def annotated(result: Result) -> Pixels:
    """Return a copy of the frame, (height, width, 3) RGB, with its faces, frame rate and latency drawn into it."""
    picture = result.frame.pixels.copy()
    # lines and letters as thick in a large picture as in a small one, seen on the same screen
    scale = max(0.4, min(picture.shape[:2]) / 720)
    for face in result.faces:
        _face(picture, face, scale)
    if result.rate_hz:
        _text(picture, f"{result.rate_hz:.0f} fps  {result.latency_seconds * 1000:.0f} ms", (8, 8), scale)
    return picture


def _face(picture: Pixels, face: FaceRecord, scale: float) -> None:
    left, top, width, height = (round(value) for value in face["box"])
    colour = COLOURS[list(face["probabilities"]).index(face["label"]) % len(COLOURS)]
    thickness = max(1, round(3 * scale))
    cv2.rectangle(picture, (left, top), (left + width, top + height), colour, thickness)
    number = f"{face['track']} " if "track" in face else ""
    text = f"{number}{written(face['label'])} {face['probability']:.0%}"
    # no wider than its face, or neighbours hide each other's; but never too small to read
    scale = max(0.4, min(scale, scale * width / _size(text, scale)[0]))
    room = _size(text, scale)[1]
    _text(picture, text, (left, top - room if top >= room else top), scale)
    bar_top, bar_height = top + height + thickness, max(4, round(12 * scale))
    cv2.rectangle(picture, (left, bar_top), (left + width, bar_top + bar_height), PAPER, cv2.FILLED)
    filled = left + round(width * face["probability"])
    cv2.rectangle(picture, (left, bar_top), (filled, bar_top + bar_height), colour, cv2.FILLED)


def _size(text: str, scale: float) -> tuple[int, int]:
    (width, height), baseline = cv2.getTextSize(text, FONT, scale, max(1, round(2 * scale)))
    return width + 8, height + baseline + 6


def _text(picture: Pixels, text: str, corner: tuple[int, int], scale: float) -> None:
    """Write one line on a plate whose left upper corner is at `corner`, or as near as the picture allows."""
    width, height = _size(text, scale)
    left = int(np.clip(corner[0], 0, max(0, picture.shape[1] - width)))
    top = int(np.clip(corner[1], 0, max(0, picture.shape[0] - height)))
    cv2.rectangle(picture, (left, top), (left + width, top + height), PAPER, cv2.FILLED)
    thickness = max(1, round(2 * scale))
    baseline = round(8 * scale) + 3
    cv2.putText(picture, text, (left + 4, top + height - baseline), FONT, scale, INK, thickness, cv2.LINE_AA)

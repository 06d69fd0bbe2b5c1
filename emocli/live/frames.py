"""What flows through the live pipeline: a picture with its time, and what was found in it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from emocli.serving.prediction import FaceRecord, Pixels


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source."""

    index: int
    """Its number in the source, from 0; frames that are dropped leave gaps."""
    seconds: float | None
    """Media time of a video, time since the first frame of a camera; None for pictures."""
    pixels: Pixels
    """(height, width, 3) RGB."""


def media_time(frame: Frame) -> float:
    """Return when a frame is due in its film; 0 for pictures."""
    return frame.seconds or 0.0


Frames = Generator[Frame, None, None]
"""Frames to be read once; closing it releases the camera or the file."""


@dataclass(frozen=True, slots=True)
class Result:
    """A frame, its faces, and how it went."""

    frame: Frame
    faces: Sequence[FaceRecord]
    latency_seconds: float = 0.0
    """From having the frame to having its faces."""
    rate_hz: float = 0.0
    """Frames that come out per second, over the last few."""

"""Faces followed from frame to frame, and their probabilities smoothed over time."""

from collections.abc import Sequence

from emocli.live.smoothing import Probabilities, blend
from emocli.serving import verdicts
from emocli.serving.prediction import FaceRecord

OVERLAP = 0.3
"""Intersection over union from which on a box continues a track."""
FORGET_SECONDS = 1.0
"""For how long a face may be lost and keep its track."""

Box = Sequence[float]


class Tracks:
    """Follows faces by the overlap of their boxes and smooths each one's probabilities exponentially.

    The overlap rule is the IOU tracker's (Bochinski, Eiselein and Sikora 2017), greedy by overlap.
    """

    def __init__(self, seconds: float) -> None:
        self._time_constant = seconds
        self._tracks: dict[int, tuple[float, Box, Probabilities]] = {}
        self._next = 0

    def update(self, seconds: float, faces: Sequence[FaceRecord]) -> list[FaceRecord]:
        """Return the faces of a frame at `seconds`, with their `track` and smoothed; times must not fall."""
        self._tracks = {key: old for key, old in self._tracks.items() if seconds - old[0] <= FORGET_SECONDS}
        matches = self._match(faces)
        smoothed: list[FaceRecord] = []
        for place, face in enumerate(faces):
            key, chances = matches.get(place), face["probabilities"]
            if key is None:
                key, self._next = self._next, self._next + 1
            else:
                then, _, old = self._tracks[key]
                chances = blend(old, chances, seconds - then, self._time_constant)
            self._tracks[key] = (seconds, face["box"], chances)
            smoothed.append({**face, **verdicts.of(chances), "track": key})  # type: ignore[typeddict-item]
        return smoothed

    def _match(self, faces: Sequence[FaceRecord]) -> dict[int, int]:
        """Return the track of each face that continues one, best overlaps first, none used twice."""
        overlaps = [
            (overlap(face["box"], box), -key, place)
            for place, face in enumerate(faces)
            for key, (_, box, _) in self._tracks.items()
        ]
        matches: dict[int, int] = {}
        for value, negative_key, place in sorted(overlaps, reverse=True):
            if value >= OVERLAP and place not in matches and -negative_key not in matches.values():
                matches[place] = -negative_key
        return matches


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes (left, top, width, height)."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)

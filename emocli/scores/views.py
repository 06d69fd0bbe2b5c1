"""A model's logits for pictures, on request the mean over several views of each: a little larger, turned, mirrored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError


class Runs(Protocol):
    """What is asked of an engine here."""

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for a batch."""
        ...


@dataclass(frozen=True, slots=True)
class Move:
    """A small change of the view: zoom about the middle, turn in degrees, shift in shares of the side."""

    zoom: float = 1.0
    turn: float = 0.0
    right: float = 0.0
    down: float = 0.0


MOVES = (
    Move(),
    Move(zoom=1.1),
    Move(turn=5),
    Move(turn=-5),
    Move(zoom=0.95),
    Move(right=0.01, down=0.01),
    Move(zoom=1.05, right=-0.02, down=-0.01),
)
"""The views in the order in which they are taken: what training shows anyway, near the middle of its range."""


@dataclass(frozen=True, slots=True)
class Views:
    """Which views of a picture answer together: the first `count` of `MOVES`, with `flip` their mirror images too."""

    count: int = 1
    flip: bool = False

    def __post_init__(self) -> None:
        """Raise EmoError for a number of views that there is not."""
        if not 1 <= self.count <= len(MOVES):
            raise EmoError(f"there are 1 to {len(MOVES)} views of a picture, not {self.count}")

    def of(self, x: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield a batch (n, channels, height, width) as each view shows it, as it is first.

        Raises EmoError for more than one view of what is no picture.
        """
        if x.ndim != 4 and self != PLAIN:
            flags = "--flip, --views, --teacher-flip and --teacher-views"
            raise EmoError(f"only pictures have views and mirror images, these features have none; leave out {flags}")
        # moved after it is mirrored: so a picture and its mirror image have the same views
        sides = [x, np.ascontiguousarray(x[..., ::-1])] if self.flip else [x]
        for move in MOVES[: self.count]:
            yield from (_moved(side, move) for side in sides)


PLAIN = Views()


def logits(engine: Runs, x: NDArray[Any], views: Views = PLAIN) -> NDArray[Any]:
    """Return (n, classes) logits for a batch, the mean over its views; each is a run of its own."""
    # the batch that the engine was built for stays as large as it is
    answers = [engine.run(seen)["logits"] for seen in views.of(x)]
    mean: NDArray[Any] = answers[0] if len(answers) == 1 else np.mean(answers, axis=0)
    return mean


def _moved(x: NDArray[Any], move: Move) -> NDArray[Any]:
    """Return pictures after a move, bicubic as in training; what comes from outside repeats the border."""
    if move == Move():
        return x
    import cv2

    height, width = x.shape[2:]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), move.turn, move.zoom)
    matrix[:, 2] += move.right * width, move.down * height
    planes = [
        cv2.warpAffine(plane, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for plane in x.reshape(-1, height, width)
    ]
    return np.stack(planes).reshape(x.shape)

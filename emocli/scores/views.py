"""A model's logits for a batch, on request the mean over several views of each picture or voice."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.scores import picture_views, voice_views

_MOST = len(picture_views.MOVES)
_FLAGS = "--flip, --views, --teacher-flip and --teacher-views"


class Runs(Protocol):
    """What is asked of an engine here."""

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for a batch."""
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """Which views answer together: the first `count` of those there are, with `flip` a picture's mirror images too."""

    count: int = 1
    flip: bool = False

    def __post_init__(self) -> None:
        """Raise EmoError for a number of views that there is not."""
        if not 1 <= self.count <= _MOST:
            raise EmoError(f"there are 1 to {_MOST} views of a picture or a voice, not {self.count}")

    def of(self, x: NDArray[Any], made: Header) -> Iterator[NDArray[Any]]:
        """Yield a batch as each view shows it, as it is first; `made` is of the features, or of a model of them.

        x is (n, channels, height, width), or (n, frames, bands) of `logmel`. Raises EmoError for more than one view of
        anything else, and for the mirror image of a voice.
        """
        if self == PLAIN:
            yield x
        elif x.ndim == 4:
            yield from picture_views.shown(x, self.count, flip=self.flip)
        else:
            self.expect_voice(made)
            yield from voice_views.shown(x, self.count)

    def expect_voice(self, made: Header) -> None:
        """Raise EmoError for views that features, which are no pictures, don't have."""
        if self != PLAIN and not has_bands(made):
            raise EmoError(f"only pictures and logmel have views, these features have none; leave out {_FLAGS}")
        if self.flip:
            raise EmoError("a voice has no mirror image; leave out --flip and --teacher-flip")


PLAIN = Views()


def has_bands(header: Header) -> bool:
    """Say whether features are bands side by side, all in one unit: logmel alone."""
    return (header.step("features") or {}).get("name") == "logmel"


def logits(engine: Runs, x: NDArray[Any], made: Header, seen: Views = PLAIN) -> NDArray[Any]:
    """Return (n, classes) logits for a batch, the mean over its views; each is a run of its own."""
    # the batch that the engine was built for stays as large as it is
    answers = [engine.run(each)["logits"] for each in seen.of(x, made)]
    mean: NDArray[Any] = answers[0] if len(answers) == 1 else np.mean(answers, axis=0)
    return mean

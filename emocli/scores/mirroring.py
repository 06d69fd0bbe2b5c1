"""A model's logits for pictures, on request averaged with those of their mirror images."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError


class Runs(Protocol):
    """What is asked of an engine here."""

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for a batch."""
        ...


def logits(engine: Runs, x: NDArray[Any], *, flip: bool = False) -> NDArray[Any]:
    """Return (n, classes) logits for a batch; `flip` averages each with its mirror image's, at twice the cost.

    Raises EmoError for a mirror image of what is not (n, channels, height, width).
    """
    found = engine.run(x)["logits"]
    if not flip:
        return found
    # a run of its own: the batch that the engine was built for stays as large as it is
    both: NDArray[Any] = (found + engine.run(mirrored(x))["logits"]) / 2
    return both


def mirrored(x: NDArray[Any]) -> NDArray[Any]:
    """Return pictures (n, channels, height, width) with left and right exchanged; raises EmoError for what is none."""
    if x.ndim != 4:
        raise EmoError(
            "only pictures have a mirror image, these features have none; leave --flip or --teacher-flip out"
        )
    return np.ascontiguousarray(x[..., ::-1])

"""What runs a model artifact, whatever library it is."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError


class Engine(Protocol):
    """A loaded model. Its `load` function is one per module of this folder."""

    provider: str
    """What really runs it, such as CPUExecutionProvider."""
    input_name: str
    input_shape: tuple[int, ...]
    """Shape of one input, without the batch axis; -1 for an axis that is open."""

    input_type: str
    """What the input is made of: uint8 or float32."""

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return every output by name, "logits" (n, classes) among them; x is (n, *input_shape) of the input's type."""
        ...


class CarryingEngine(Engine, Protocol):
    """An engine that was loaded to carry the state of a model's layers: a sequence may come in pieces, one at a time.

    Each `run` goes on where the one before ended.
    """

    def begin(self) -> None:
        """Forget what was run before: another sequence begins."""
        ...


def check_input(x: NDArray[Any], kind: np.dtype[Any], shape: tuple[int, ...], model: Path) -> None:
    """Raise EmoError unless x is a batch of what the model takes."""
    fits = x.ndim == len(shape) + 1 and all(want in (-1, have) for have, want in zip(x.shape[1:], shape, strict=True))
    if x.dtype == kind and fits:
        return
    wanted = ", ".join("any" if axis == -1 else str(axis) for axis in shape)
    found = ", ".join(map(str, x.shape))
    raise EmoError(
        f"{model.name} takes {kind} (n, {wanted}), not {x.dtype} ({found}); "
        "use the extractor and options in its header (emo info shows them)"
    )

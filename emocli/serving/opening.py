"""A model of one kind, opened for serving: what it says of itself, its extractor, and what runs it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from emocli import onnx_file, registry
from emocli.artifact import Header, expect
from emocli.data import padding
from emocli.errors import EmoError
from emocli.extracting import extraction

Features = Callable[[Sequence[Any]], NDArray[Any]]
"""Windows or texts, at least one, to a batch."""
Logits = Callable[[NDArray[Any]], NDArray[Any]]
"""A batch of n to (n, classes)."""


def opened(model: Path, kind: str, *, engine: str, threads: int) -> tuple[Header, Features, Logits]:
    """Open a model; what makes its features comes from its header. Raises EmoError for one of another kind."""
    header = expect(onnx_file.read_header(model), ("model",), str(model))
    if (found := extraction.modality(header)) != kind:
        raise EmoError(f"{model} is a model of {found}, not of {kind}; make one with: emo features DATASET | emo train")
    extract = extraction.from_header(header)
    running = registry.load("engines", engine)(model, **registry.resolve("engines", engine, {"threads": threads}))

    def logits(x: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = running.run(x)["logits"]
        return found

    return header, lambda items: padding.batch(extract(items)), logits

"""Texts in, the emotion in each out: every line of a file is a text of its own, answered as it comes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.scores.metrics import softmax
from emocli.serving import opening
from emocli.serving.verdicts import verdict

SUFFIXES = frozenset({".txt"})
_LONGEST = 1 << 20
"""Bytes of a line; what is longer is no text that somebody wrote."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A model with its own extractor."""

    answer: Callable[[str], NDArray[Any]]
    """A text to logits (classes,)."""
    labels: tuple[str, ...]

    def __call__(self, text: str) -> dict[str, Any]:
        """Return label and probabilities of a text."""
        return verdict(softmax(self.answer(text)[None].astype(np.float64))[0], self.labels)


def reader(model: Path, *, engine: str, threads: int) -> Reader:
    """Open a model for texts; raises EmoError for a model of anything else."""
    header, features, logits = opening.opened(model, "text", engine=engine, threads=threads)
    return Reader(lambda text: logits(features([text]))[0], header.labels)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number, from 1, and the text of each line that is not blank; raises EmoError for what is no text."""
    try:
        with open(path, "rb") as file:
            number = 0
            while line := file.readline(_LONGEST + 1):
                number += 1
                if len(line) > _LONGEST or b"\0" in line:
                    raise EmoError(f"line {number} is no text that somebody wrote; name a file with a text a line")
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if text:
                    yield number, text
    except UnicodeDecodeError as fault:
        raise EmoError(f"line {number} is not UTF-8; convert it first: iconv -t utf-8") from fault
    except OSError as fault:
        raise EmoError(f"can't be read ({fault.strerror}); check the path") from fault


def predictions(read: Reader, paths: Iterable[Path], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield {"path", "line", "text", "label", …} for each text, {"path", "error"} for a file that gives none.

    `counts` is kept up to date: texts, files, unreadable. One line is held at a time.
    """
    for path in paths:
        before = counts["texts"]
        try:
            for number, text in lines(path):
                counts["texts"] += 1
                yield {"path": str(path), "line": number, "text": text, **read(text)}
            if counts["texts"] == before:
                raise EmoError("has no text in it")
        except EmoError as fault:
            counts["unreadable"] += 1
            yield {"path": str(path), "error": str(fault)}
            continue
        counts["files"] += 1

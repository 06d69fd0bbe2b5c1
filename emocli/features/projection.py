"""A frame a word: signs of chance for the word and its pieces, so that a net of texts needs no vocabulary.

Ternary projections as in PRADO (Kaliamoorthi et al. 2019, EMNLP), of the word together with its pieces, so that words
that share these are near each other: misspelt ones, forms of one word, and words that training never had.

Options:
    size: values of a frame, each -1, 0 or 1
    least: characters of the shortest piece of a word
    most: characters of the longest piece; 0 for words alone
    limit: words that are read, from the beginning of a text; 0 for all
"""

import functools
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.text import hashing
from emocli.text.words import words

MODALITY = "text"
_KEPT = 1 << 15
"""Words whose frames are kept: most texts are made of few."""
_MIDDLE = 0.43
"""Between this and its negative lies a third of what is normally distributed: those values become 0."""


def extractor(
    *, size: int = 256, least: int = 2, most: int = 5, limit: int = 128
) -> Callable[[Sequence[str]], list[NDArray[np.float32]]]:
    """Return the function from n texts to n arrays (words, size) float32; raises EmoError for sizes that can't be.

    A text without words is one frame of zeros.
    """
    if size < 1 or least < 1 or min(most, limit) < 0:
        raise EmoError(
            f"projection can't be with size={size}, least={least}, most={most} and limit={limit}; "
            "leave them at their defaults"
        )

    @functools.lru_cache(_KEPT)
    def frame(word: str) -> NDArray[np.int8]:
        signs = hashing.signs(hashing.codes([word, *hashing.pieces(word, least, most)]), size)
        return _ternary(signs[0], signs[1:]) if len(signs) > 1 else signs[0]

    def extract(texts: Sequence[str]) -> list[NDArray[np.float32]]:
        return [_stacked([frame(word) for word in islice(words(text), limit or None)], size) for text in texts]

    return extract


def _ternary(own: NDArray[np.int8], others: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return (size,) -1, 0 or 1 of a word's signs, (size,), and those of its n pieces, (n, size)."""
    count = len(others)
    # the word counts as much as all of its pieces together
    sums = count**0.5 * own + others.sum(axis=0)
    edge = _MIDDLE * (2 * count) ** 0.5
    found: NDArray[np.int8] = (sums > edge).astype(np.int8) - (sums < -edge).astype(np.int8)
    return found


def _stacked(frames: list[NDArray[np.int8]], size: int) -> NDArray[np.float32]:
    return np.array(frames, np.float32) if frames else np.zeros((1, size), np.float32)

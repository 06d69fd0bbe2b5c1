"""One vector a text: how often it has which words, pairs of words and pieces of words, hashed to places with signs.

Signed feature hashing (Weinberger et al. 2009, arXiv 0902.2206): what falls on the same place cancels out on average.
Counts are taken as logarithms, and a text's vector has the length 1.

Options:
    size: values of a vector
    pairs: whether words that follow each other count together too
    least: characters of the shortest piece of a word
    most: characters of the longest piece; 0 for words alone
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.text import hashing
from emocli.text.words import words

MODALITY = "text"
_KEPT = 1 << 15
"""Words whose codes are kept: most texts are made of few."""


def extractor(
    *, size: int = 2048, pairs: bool = True, least: int = 3, most: int = 5
) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Return the function from n texts to (n, size) float32; raises EmoError for sizes that can't be.

    A text without words is all 0.
    """
    if size < 1 or least < 1 or most < 0:
        raise EmoError(f"ngrams can't be with size={size}, least={least} and most={most}; leave them at their defaults")

    @functools.lru_cache(_KEPT)
    def of_word(word: str) -> NDArray[np.uint64]:
        return hashing.codes([word, *hashing.pieces(word, least, most)])

    def of_text(text: str) -> NDArray[np.float64]:
        found = [of_word(word) for word in words(text)]
        if not found:
            return np.zeros(size)
        firsts = np.array([each[0] for each in found])
        beside = hashing.mixed(firsts[:-1] + hashing.mixed(firsts[1:])) if pairs else firsts[:0]
        codes = np.concatenate([*found, beside])
        signs = np.where(codes >> np.uint64(63), 1.0, -1.0)
        counts = np.bincount((codes % np.uint64(size)).astype(np.int64), signs, minlength=size)
        scaled: NDArray[np.float64] = np.copysign(np.log1p(np.abs(counts)), counts)
        scaled /= max(float(np.linalg.norm(scaled)), 1e-9)
        return scaled

    def extract(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([of_text(text) for text in texts], np.float32)

    return extract

"""Words and their pieces as numbers of chance: the same on every machine, in every process, without a vocabulary."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BITS = 64


def pieces(word: str, least: int, most: int) -> list[str]:
    """Return all that lies side by side in a word, `least` to `most` characters, its ends marked < and >.

    As in Bojanowski et al. 2017 (arXiv 1607.04606). A word of one character has none.
    """
    if len(word) < 2:
        return []
    whole = f"<{word}>"
    return [whole[at : at + size] for size in range(least, most + 1) for at in range(len(whole) - size + 1)]


def codes(strings: Sequence[str]) -> NDArray[np.uint64]:
    """Return a number of chance for each string, (n,) of 64 bits of which 32 differ; halves of surrogates are taken."""
    sums = [zlib.crc32(string.encode("utf-8", "surrogatepass")) for string in strings]
    return mixed(np.array(sums, np.uint64))


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers that look drawn by chance, one for each: the end of splitmix64 (Steele et al. 2014)."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def signs(numbers: NDArray[np.uint64], size: int) -> NDArray[np.int8]:
    """Return -1 or 1 at each of `size` places for each of n codes, (n, size)."""
    steps = mixed(np.arange(-(-size // _BITS), dtype=np.uint64))
    drawn = mixed(numbers[:, None] ^ steps).astype("<u8")
    bits = np.unpackbits(drawn.view(np.uint8), axis=1, count=size)
    return bits.astype(np.int8) * np.int8(2) - np.int8(1)

"""Ogg's pages, as far as they tell whether a file is several sounds, one joined to the end of the other."""

from typing import BinaryIO

_FLAGS, _SEGMENTS, _HEADER = 5, 26, 27
"""Places in a page's header, and its length."""
_FIRST = 2
"""The flag of a stream's first page (RFC 3533)."""


def is_chained(file: BinaryIO) -> bool:
    """Return whether a stream begins after another's sound; False for what is not Ogg, or from where it is damaged."""
    file.seek(0)
    heard = False
    while len(header := file.read(_HEADER)) == _HEADER and header.startswith(b"OggS"):
        first = bool(header[_FLAGS] & _FIRST)
        if first and heard:
            return True
        heard = not first
        lengths = file.read(header[_SEGMENTS])
        file.seek(sum(lengths), 1)
    return False

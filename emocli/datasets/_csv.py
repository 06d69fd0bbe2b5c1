"""The lists of a corpus in csv files: a damaged one is one clear error."""

import contextlib
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from emocli.datasets import _files
from emocli.errors import EmoError

LONGEST = 1 << 24
"""Characters of a line: a file without line ends isn't read into memory whole."""
_ESCAPED = {*range(0x80, 0xA0), *range(0xDC80, 0xDD00)}
"""C1 controls, as some lists hold where bytes of Windows-1252 were taken for Latin-1, and bytes that are no UTF-8."""
_MENDED = {code: bytes([code & 0xFF]).decode("cp1252", "replace") for code in _ESCAPED}


@contextlib.contextmanager
def opened(path: Path, notes: Counter[str] | None = None) -> Iterator[Iterator[str]]:
    """Yield the lines of a file for the csv module; raises EmoError where that finds no rows in it.

    What is no UTF-8 is read as Windows-1252; `notes` count such lines. A quotation mark that nothing closes makes the
    rest of a file one field, longer than csv takes.
    """
    _files.check_plain(path)
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            yield _lines(file, path, Counter() if notes is None else notes)
    except csv.Error as fault:
        raise EmoError(f"{path} is no whole csv file ({fault}); restore the file") from fault


def _lines(file: TextIO, path: Path, notes: Counter[str]) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST:
            raise EmoError(f"{path} line {number} has more than {LONGEST:,} characters; is it a text file?")
        if not line.isascii() and (mended := line.translate(_MENDED)) != line:
            notes["line that is no UTF-8 read as Windows-1252"] += 1
            line = mended
        yield line

"""The lists of a corpus in csv files: a damaged one is one clear error."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from emocli.datasets import _files
from emocli.errors import EmoError


@contextlib.contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Yield the text of a file for the csv module; raises EmoError where that finds no rows in it.

    A quotation mark that nothing closes makes the rest of a file one field, longer than csv takes.
    """
    _files.check_plain(path)
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
            yield file
    except csv.Error as fault:
        raise EmoError(f"{path} is no whole csv file ({fault}); restore the file") from fault

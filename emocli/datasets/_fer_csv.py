"""A csv like FER2013's as a stream of decoded blocks, in order: read, hashed and decoded in threads, in flat memory."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import cores
from emocli.datasets import _fer_decode
from emocli.datasets._fer_decode import BadRow, Rows
from emocli.errors import EmoError

BLOCK_BYTES = 1 << 20  # a block and its intermediate results stay in the cache
_AHEAD = 8  # blocks for each decoder, more than the writer takes at once: none of them waits for it
LINE_BYTES = 1 << 16  # no row of FER2013 has more than 9,300
LEFT_OUT = ""
"""The part of rows that are for nothing."""
PUBLISHED = {
    "f8428a1edbd21e88f42c73edd2a14f95": "fer2013.csv",
    "b114b9e04e6949e5fe8b6a98b3892b1d": "icml_face_data.csv",
    "3f0dfb3d3fd99c811a1299cb947e3131": "train.csv",
    "b02c2298636a634e8c2faabbf3ea9a23": "test.csv",
}
"""md5 of the files on Kaggle, as torchvision's datasets/fer2013.py gives them."""
Decode = Callable[[NDArray[np.uint8]], Rows]
"""Of the bytes of whole lines."""
_PUBLISHED_MEGABYTES = {3: (290, 310), 2: (235, 250), 1: (55, 65)}  # by number of columns: other sizes need no md5


@dataclass(frozen=True, slots=True)
class Table:
    """An open csv: `rows` yields Rows in order; `md5` is filled with them, or None for a size never published."""

    columns: tuple[str, ...]
    rows: Iterator[Rows]
    md5: Any


def parts(public_test: str) -> dict[str, str]:
    """Return the part of each usage; `public_test` is that of the PublicTest rows, EmoError unless it can be."""
    if public_test not in ("validation", "test", "only"):
        raise EmoError(f"public_test is {public_test!r}; choose validation, test, or only")
    scored = ("test", LEFT_OUT) if public_test == "only" else (public_test, "test")
    return dict(zip(_fer_decode.USAGES, ("train", *scored), strict=True))


def expect_scored(parts: Mapping[str, str], public_test_rows: int) -> None:
    """Raise EmoError where PublicTest is to be the only part that is scored and has no rows: Training would be."""
    if LEFT_OUT in parts.values() and not public_test_rows:
        raise EmoError("there are no PublicTest rows; leave -p public_test=only out, or name the whole corpus")


def open_table(path: Path, source: Any, jobs: int = 0, classes: int = _fer_decode.CLASSES) -> Table:
    """Open a csv with the columns pixels and, in any order, emotion and Usage; `source` is a hash that gets its bytes.

    `jobs` threads decode (NumPy lets go of the interpreter's lock), 0 for one per core up to four; labels are numbers
    below `classes`.
    Raises EmoError here for a file that is empty or has other columns, and while the rows are read for a bad row.
    """
    if jobs < 0:
        raise EmoError(f"jobs is {jobs}; give a number of threads, or 0 for one per core")
    try:
        file = open(path, "rb")  # noqa: SIM115  closed by _rows; once only, as a pipe can't be read again
        header = file.readline(LINE_BYTES)
    except OSError as error:
        raise EmoError(f"can't read {path}: {error.strerror}") from error
    columns = _columns(header, path.name)
    low, high = _PUBLISHED_MEGABYTES.get(len(columns), (0, 0))
    published_size = low * 10**6 < path.stat().st_size < high * 10**6
    md5 = hashlib.md5(usedforsecurity=False) if published_size else None
    hashes = [source] if md5 is None else [source, md5]
    _hash(hashes, header)
    decode = partial(_fer_decode.decode, columns=columns, classes=classes)
    return Table(columns, _rows(file, path.name, decode, hashes, jobs or min(4, cores.count())), md5)


def _columns(header: bytes, name: str) -> tuple[str, ...]:
    """Return the column names in lower case without blanks; raises EmoError when the file is not FER2013's."""
    if not header:
        raise EmoError(f"{name} is empty; download it again")
    words = header.decode("utf-8-sig", "replace").replace('"', "").lower().split(",")
    columns = tuple(word.strip() for word in words)
    if columns.count("pixels") != 1 or len(set(columns)) < len(columns):
        shown = header[:40].decode("ascii", "replace").strip()
        raise EmoError(
            f"{name} begins with {shown!r}, expected the columns emotion,pixels,Usage; is it the corpus's csv?"
        )
    return columns


def _rows(file: BufferedReader, name: str, decode: Decode, hashes: list[Any], jobs: int) -> Iterator[Rows]:
    """Yield the decoded blocks in order; at most a few are under way, whatever the file's size."""
    ahead = _AHEAD * jobs
    line = 2
    with (
        file,
        ThreadPoolExecutor(jobs) as decoders,
        ThreadPoolExecutor(1) as reader,  # one: blocks are read and hashed in order
    ):
        blocks = _blocks(file, name, ahead)

        def begin() -> Future[Rows] | None:
            if (text := next(blocks, None)) is None:
                return None
            decoding = decoders.submit(decode, text)
            _hash(hashes, text)
            return decoding

        pending = deque(reader.submit(begin) for _ in range(ahead))
        while (decoding := pending.popleft().result()) is not None:
            yield (rows := _decoded(decoding, name, line))
            line += rows.lines
            # only now: a block is read into the memory of the one `ahead` before it
            pending.append(reader.submit(begin))


def _decoded(decoding: Future[Rows], name: str, line: int) -> Rows:
    """Wait for a block that begins at a line of the file."""
    try:
        return decoding.result()
    except BadRow as bad:
        raise EmoError(f"{name} line {line + bad.line}: {bad}") from None


def _hash(hashes: list[Any], text: bytes | NDArray[np.uint8]) -> None:
    for each in hashes:
        each.update(text)


def _blocks(file: BufferedReader, name: str, buffers: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the file in blocks of whole lines, the last perhaps without a line end.

    A block is overwritten `buffers` blocks later: fresh memory for each would cost more in page faults than reading it.
    """
    ring = cycle(np.empty((buffers, BLOCK_BYTES + LINE_BYTES), np.uint8))
    rest = b""
    for buffer in ring:
        # at the end nothing more is written: that memory may be of a block which nobody has waited for yet
        if not file.peek(1):
            break
        buffer[: len(rest)] = np.frombuffer(rest, np.uint8)
        size = len(rest) + file.readinto(buffer[len(rest) : len(rest) + BLOCK_BYTES].data)
        tail = buffer[max(0, size - LINE_BYTES) : size].tobytes()
        rest = tail[tail.rfind(b"\n") + 1 :]
        if len(rest) == len(tail) == LINE_BYTES:
            raise EmoError(f"{name} has a line of more than {LINE_BYTES:,} bytes; is it the corpus's csv?")
        if size > len(rest):
            yield buffer[: size - len(rest)]
    if rest:
        yield np.frombuffer(rest, np.uint8)

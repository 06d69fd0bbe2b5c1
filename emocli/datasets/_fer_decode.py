"""FER2013's rows from text to pixels: a vectorised decoder for regular rows, a careful one that names what is wrong."""

import csv
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 48
PIXELS = SIDE * SIDE
CLASSES = 7
UNLABELLED = -1
USAGES = ("Training", "PublicTest", "PrivateTest")
_PAD = 3  # the longest number: what lies so far before the first byte is looked at
_KEPT = threading.local()
_SPACE, _COMMA, _NEWLINE, _ZERO = b" ,\n0"


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of the file: pixels (n, 1, 48, 48) uint8, labels and usages (n,) intp, an index into USAGES."""

    lines: int
    """How many lines they took: more than n where some are empty."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.intp]
    usages: NDArray[np.intp]


class BadRow(ValueError):
    """What is wrong with a row, and how many lines into the block it is."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def decode(text: NDArray[np.uint8], columns: Sequence[str], classes: int = CLASSES) -> Rows:
    """Decode the bytes of whole lines; `columns` names the fields in order.

    Raises BadRow for a row that doesn't hold 2,304 pixels from 0 to 255, a label below `classes` and a known usage.
    """
    rows = _fast(text, columns, classes)
    if rows is None:
        plain = text.tobytes().replace(b'"', b"").replace(b"\r", b"")
        rows = _fast(np.frombuffer(plain, np.uint8), columns, classes) if len(plain) < len(text) else None
        return rows if rows is not None else _careful(plain, columns, classes)
    return rows


def _fast(text: NDArray[np.uint8], columns: Sequence[str], classes: int) -> Rows | None:
    """Decode a block of regular rows in a few passes over its bytes; None when anything at all is irregular."""
    if not set(columns) <= {"emotion", "pixels", "usage"}:
        return None
    work = _workspace(_PAD + len(text))
    block = work[0]
    block[:_PAD] = _SPACE
    block[_PAD:] = text
    other = _neither_digit_nor_space(work)
    commas, ends = other[block[other] == _COMMA], other[block[other] == _NEWLINE]
    if not len(ends) or ends[-1] != len(block) - 1 or len(commas) != len(ends) * (len(columns) - 1):
        return None
    edges = np.column_stack((np.append(_PAD - 1, ends[:-1]), commas.reshape(len(ends), -1), ends))
    if (edges[:, :-1] >= edges[:, 1:]).any():
        return None
    fields = {name: (edges[:, i] + 1, edges[:, i + 1]) for i, name in enumerate(columns)}
    labels = _labels(work, *fields["emotion"], classes) if "emotion" in fields else np.full(len(ends), UNLABELLED)
    usages = _usages(block, *fields["usage"]) if "usage" in fields else np.zeros(len(ends), np.intp)
    if labels is None or usages is None:
        return None
    letters = (fields["usage"][1] - fields["usage"][0]).sum() if "usage" in fields else 0
    if len(other) != len(commas) + len(ends) + letters:
        return None
    block[other] = _SPACE
    pixels = _numbers(work, *fields["pixels"])
    return Rows(len(ends), pixels.reshape(-1, 1, SIDE, SIDE), labels, usages) if pixels is not None else None


def _neither_digit_nor_space(work: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the places in work[0] of bytes that are neither; work[1] becomes the mask of the digits."""
    space, digit = np.equal(work[0], _SPACE, out=work[2].view(bool)), work[1].view(bool)
    np.less(np.subtract(work[0], _ZERO, out=work[1]), 10, out=digit)
    return np.flatnonzero(np.equal(space, digit, out=space))


def _workspace(size: int) -> NDArray[np.uint8]:
    """Return this thread's (5, size) bytes: fresh arrays would cost more in page faults than the work on them."""
    kept: NDArray[np.uint8] | None = getattr(_KEPT, "bytes", None)
    if kept is None or kept.size < 5 * size:
        kept = _KEPT.bytes = np.empty(5 * size, np.uint8)
    return kept[: 5 * size].reshape(5, size)


def _labels(
    work: NDArray[np.uint8], start: NDArray[np.intp], end: NDArray[np.intp], classes: int
) -> NDArray[np.intp] | None:
    """Return the one-digit labels and blank them out."""
    labels: NDArray[np.intp] = work[0, start].astype(np.intp) - _ZERO
    if (end - start != 1).any() or (labels < 0).any() or (labels >= classes).any():
        return None
    work[0, start], work[1, start] = _SPACE, False
    return labels


def _usages(block: NDArray[np.uint8], start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Return the index of each row's usage."""
    usages = np.full(len(start), -1, np.intp)
    for code, name in enumerate(USAGES):
        rows = np.flatnonzero(end - start == len(name))
        letters = block[start[rows, None] + np.arange(len(name))]
        if (letters != np.frombuffer(name.encode(), np.uint8)).any():
            return None
        usages[rows] = code
    return usages if bool((usages >= 0).all()) else None


def _numbers(work: NDArray[np.uint8], start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.uint8] | None:
    """Return the (rows, 2304) numbers of work[0], digits (work[1]) and spaces only; None if they aren't so many.

    Every byte gets the value of the number that would end there, in arithmetic modulo 256; the bytes where one
    does end are then picked. A number over 255 shows in a hundreds digit over 2, a sum that wrapped, a fourth digit.
    """
    block, digit, pair = work[0], work[1].view(bool), work[2].view(bool)
    hundreds = total = work[3, 2:]
    low = work[4, 2:]
    value = np.bitwise_and(block, 15, out=block)  # a digit's value; a space's is 0
    np.logical_and(digit[1:], digit[:-1], out=pair[1:])  # a digit here and one before
    if np.logical_and(pair[3:], pair[1:-2], out=work[3, 3:].view(bool)).any():
        return None
    np.multiply(value[:-2], work[2, 2:], out=hundreds)
    np.add(np.multiply(value[1:-1], 10, out=low), value[2:], out=low)
    if hundreds.max() > 2:
        return None
    np.add(np.multiply(hundreds, 100, out=total), low, out=total)
    if np.less(total, low, out=work[2, 2:].view(bool)).any():
        return None
    last = np.flatnonzero(np.greater(digit[2:-1], digit[3:], out=pair[2:-1]))  # every number has a space behind it
    if len(last) != len(start) * PIXELS:
        return None
    first_digits, last_digits = last[::PIXELS] + 2, last[PIXELS - 1 :: PIXELS] + 2
    if (first_digits < start).any() or (last_digits >= end).any():
        return None
    return total.take(last).reshape(len(start), PIXELS)


def _careful(text: bytes, columns: Sequence[str], classes: int) -> Rows:
    """Decode row by row, forgiving blanks and empty lines, and say of the first bad row what and where it is."""
    pixels, labels, usages = [], [], []
    lines = text.decode("utf-8", "replace").removesuffix("\n").split("\n")
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            row_pixels, label, usage = _row(line, columns, classes)
        except (ValueError, csv.Error) as error:
            raise BadRow(str(error), number) from None
        pixels.append(row_pixels)
        labels.append(label)
        usages.append(usage)
    stacked = np.array(pixels, np.uint8).reshape(-1, 1, SIDE, SIDE)
    return Rows(len(lines), stacked, np.array(labels, np.intp), np.array(usages, np.intp))


def _row(line: str, columns: Sequence[str], classes: int) -> tuple[NDArray[np.uint8], int, int]:
    """Decode one row to its pixels, label and usage; raises ValueError or csv.Error with what is wrong."""
    fields = next(csv.reader([line]))
    if len(fields) != len(columns):
        raise ValueError(f"{len(fields)} columns, expected {', '.join(columns)}; the row is cut or foreign")
    row = dict(zip(columns, (field.strip() for field in fields), strict=True))
    label, usage = row.get("emotion", str(UNLABELLED)), row.get("usage", USAGES[0])
    if "emotion" in row and not (label.isascii() and label.isdigit() and int(label) < classes):
        raise ValueError(f"label {label[:20]!r} is not a number from 0 to {classes - 1}")
    words = row["pixels"].split()
    if len(words) != PIXELS:
        raise ValueError(f"{len(words)} pixels, expected {PIXELS} ({SIDE}x{SIDE})")
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= 255):
            raise ValueError(f"pixel {word[:20]!r} is not a number from 0 to 255")
    if usage not in USAGES:
        raise ValueError(f"usage {usage[:20]!r} is none of {', '.join(USAGES)}; the row is cut or foreign")
    return np.array(words, np.uint8), int(label), USAGES.index(usage)

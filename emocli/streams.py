"""Bytes from one handle to another, whole or with a line that says why not."""

import contextlib
import errno
import fcntl
import io
import os
from pathlib import Path

from emocli.errors import EmoError

CHUNK = 1 << 20


def pour(source: io.FileIO, target: io.FileIO) -> None:
    """Copy to the end; a write that takes a part only, as on a disk that is nearly full, is gone on with."""
    for pipe in (source, target):
        # a program may have left its pipes so that they answer "nothing yet" instead of waiting
        os.set_blocking(pipe.fileno(), True)
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, CHUNK)
    while chunk := source.read(CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[target.write(view) :]


def full_disk(fault: OSError, place: Path | None) -> EmoError | None:
    """Return the error to show when `fault` says that there is no room left, else None; stdout is no `place`."""
    # HDF5 keeps the number in its message only
    numbers = {
        errno.ENOSPC: "the disk is full",
        errno.EFBIG: "the file size limit is reached",
        errno.EDQUOT: "the quota is used up",
    }
    for number, words in numbers.items():
        if fault.errno == number or f"errno = {number}," in str(fault):
            left = "nothing was written" if place else "what is there is not whole"
            return EmoError(f"can't write {place or 'the output'}: {words}; {left}, make room and run it again")
    return None

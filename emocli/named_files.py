"""What the user named, files, folders, globs or a list on stdin, as the paths of files."""

import glob
import itertools
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from emocli.errors import EmoError

_MARKS = {
    "a picture": re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a"),
    "an artifact": re.compile(rb"\x89HDF\r\n\x1a"),
    "a sound or a film": re.compile(
        rb"(RIFF|RF64|FORM).{4}(WAVE|AVI |AIFF|AIFC)|fLaC\0|OggS\0|ID3[\2-\4]|\0...ftyp|\x1aE\xdf\xa3|\0\0\1\xba",
        re.DOTALL,
    ),
}
"""What files begin with."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ANY_DEPTH = re.compile(r"(?<![^/])\*\*(?:/|$)")


def expand(names: Iterable[str], suffixes: Collection[str], *, stdin: BinaryIO | None = None) -> Iterator[Path]:
    """Yield the files behind files, folders (recursive), globs and `-` (paths on `stdin`), sorted within each.

    In a folder those count that end as one of the `suffixes`, in lower case; a file that is named itself is taken
    whatever it is called. A name without any file comes back as it is, so that reading it says what is wrong and the
    others go on. Raises EmoError, before any of them, for what can't be a name of files: nothing, or an address.
    """
    names = [*names]
    for name in names:
        if not name:
            raise EmoError("an empty name is no file; is a variable of the shell unset?")
        if _ADDRESS.match(name):
            raise EmoError(f"{name} is an address, and only files are read; download it first")
    for name in names:
        if name == "-":
            if stdin is None or stdin.isatty():
                raise EmoError(
                    "`-` takes a list of paths from a pipe; for example: find photos -print0 | emo predict -"
                )
            for listed in listed_paths(stdin):
                yield from _inside(listed, suffixes)
        else:
            yield from _inside(name, suffixes)


def listed_paths(stream: BinaryIO) -> Iterator[str]:
    """Yield the paths in a stream as they arrive, one per line, or between NULs as `find -print0` writes them.

    Raises EmoError when there is nothing in it, and when it is a file itself.
    """
    separator = rest = b""
    empty = True
    while chunk := os.read(stream.fileno(), 1 << 16):
        if empty and (kind := _kind(chunk)):
            raise EmoError(f"stdin holds {kind}, not a list of paths; name the file instead of -")
        rest, empty = rest + chunk, False
        separator = separator or (b"\0" if b"\0" in rest else b"\n" if b"\n" in rest else b"")
        if separator:
            *paths, rest = rest.split(separator)
            yield from (os.fsdecode(path) for path in paths if path.strip())
    if empty:
        raise EmoError("the list of paths is empty; did the previous command fail?")
    if rest.strip():
        yield os.fsdecode(rest)


def _kind(start: bytes) -> str:
    """Return what a file is that begins so, where no path does; empty for what may be a list."""
    return next((kind for kind, mark in _MARKS.items() if mark.match(start)), "")


def _inside(name: str, suffixes: Collection[str]) -> Iterator[Path]:
    path = Path(name.replace("\0", "?"))  # no path has a NUL
    if path.is_dir():
        yield from _walk(path, suffixes)
    elif glob.has_magic(name) and not path.exists():
        found = (_inside(match, suffixes) if match != name else [path] for match in _matches(name) or [name])
        # a folder and what lies in it may both match
        yield from dict.fromkeys(itertools.chain.from_iterable(found))
    else:
        yield path


def _matches(pattern: str) -> list[str]:
    """Return what a pattern matches, sorted; `**` is any folders below, or all files in them, links not followed."""
    parts = _ANY_DEPTH.split(pattern, maxsplit=1)
    if len(parts) == 1:
        return sorted(glob.glob(pattern))
    before, after = parts
    folders = (folder for top in glob.glob(before or ".") for folder, _ in _folders(top))
    found = {match for folder in folders for match in _matches(os.path.join(glob.escape(folder), after or "*"))}
    return sorted(match for match in found if after or not os.path.isdir(match))


def _walk(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    closed: list[str] = []
    for parent, files in _folders(folder, lambda fault: closed.append(fault.filename)):
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in suffixes and not name.startswith("."):
                path = Path(parent, name)
                if path.is_file():  # a named pipe would never end
                    yield path
    yield from map(Path, closed)  # reading these says what is wrong


def _folders(top: str | Path, refused: Callable[[OSError], None] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder from `top` on, in order and without the hidden ones, with the names of its files."""
    for folder, inner, files in os.walk(top, onerror=refused):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield str(folder), files

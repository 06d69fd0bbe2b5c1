"""The files of a corpus: found inside the folder the user names, never outside of it."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from emocli.errors import EmoError

_Found = TypeVar("_Found")


def only_folder(sources: Sequence[Path], corpus: str) -> Path:
    """Return the one source when it is a folder; raises EmoError otherwise."""
    if len(sources) != 1 or not sources[0].is_dir():
        given = ", ".join(str(path) for path in sources) or "nothing"
        packed = any(path.suffix.lower() in _PACKED for path in sources)
        hint = "unpack it, and name the folder" if packed else f"see: emo list datasets {corpus}"
        raise EmoError(f"{corpus} is read from one folder, given was {given}; {hint}")
    return sources[0]


_PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


_OF_SYSTEMS = (".", "__MACOSX")
"""What names begin with that a system put there, and not the makers of a corpus."""


def find(root: Path, pattern: str) -> list[Path]:
    """Return what a pattern matches anywhere below the root, sorted."""
    return [
        path
        for path in sorted(root.rglob(pattern))
        if not any(part.startswith(_OF_SYSTEMS) for part in path.relative_to(root).parts)
    ]


def walk(
    root: Path, suffixes: Collection[str], notes: Counter[str], *, count_others: bool = False
) -> list[tuple[str, Path]]:
    """Return (path relative to the root, path) of every file below it with one of the suffixes, sorted.

    Links to folders and those that lead out of the root are left out and counted in `notes`, and so are folders that
    can't be read, and files without such a suffix where these are to be counted.
    """
    found = []

    def refused(_: OSError) -> None:
        notes["unreadable folder skipped"] += 1

    for parent, folders, files in os.walk(root, onerror=refused):
        folders[:] = [name for name in folders if not name.startswith(_OF_SYSTEMS)]
        if linked := sum(Path(parent, name).is_symlink() for name in folders):
            notes["link to a folder skipped"] += linked
        for name in files:
            path = Path(parent, name)
            if name.startswith("."):
                continue
            if path.suffix.lower() not in suffixes:
                if count_others:
                    notes["file of another kind skipped"] += 1
                continue
            if path.is_symlink() and inside(root, path) is None:
                notes["link out of the folder skipped"] += 1
                continue
            found.append((text(path.relative_to(root)), path))
    return sorted(found)


def skipped(notes: Mapping[str, int]) -> str:
    """Return what a message adds where all that was looked for may be what the notes say was skipped; else nothing."""
    return f" ({', '.join(f'{times} × {text}' for text, times in notes.items())})" if notes else ""


def linked(root: Path) -> str:
    """Return what a message adds where something is missed below the root that may be behind a link; else nothing."""
    links = sum(path.is_symlink() and path.is_dir() for path in root.rglob("*"))
    return f" ({links} × link to a folder not followed)" if links else ""


def once(found: Iterable[_Found], name: Callable[[_Found], str], notes: Counter[str]) -> Iterator[_Found]:
    """Yield what has a name that was not there before; copies, as some downloads hold a corpus twice, are counted."""
    names = set()
    for each in found:
        if name(each) in names:
            notes["second copy of an image skipped"] += 1
            continue
        names.add(name(each))
        yield each


def text(path: Path) -> str:
    r"""Return a path as an id or a label may be written anywhere: bytes of it that are no UTF-8 become \xe9."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def inside(root: Path, path: str | Path) -> Path | None:
    """Return root / path unless it, or what it links to, lies outside the root."""
    joined = root / path
    # unlike Path.resolve, realpath takes links that lead in circles
    real = Path(os.path.realpath(joined))
    return joined if real.is_relative_to(os.path.realpath(root)) else None


def check_plain(path: Path) -> None:
    """Raise EmoError for what is no plain file, such as a link that leads nowhere or a pipe that nobody writes to."""
    if not path.is_file():
        raise EmoError(f"{path} is no plain file, as this corpus has one there; restore the file")


def digest(paths: Iterable[Path]) -> Any:
    """Return a hash of what some files hold, in the order of their paths: labels are part of what a corpus is.

    Raises EmoError where one can't be read.
    """
    source = hashlib.sha256()
    for path in sorted(paths):
        check_plain(path)
        try:
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    source.update(block)
        except OSError as fault:
            raise EmoError(f"can't read {path} ({fault.strerror}); restore the file") from fault
    return source


def contents(path: Path) -> str:
    """Return the text of a list of a corpus; raises EmoError where it can't be read."""
    check_plain(path)
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        raise EmoError(f"can't read {path} ({fault.strerror}); restore the file") from fault

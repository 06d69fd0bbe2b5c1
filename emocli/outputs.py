"""Main output of every command, and what is written beside it: a file or the stream, whole or not at all."""

import atexit
import contextlib
import fcntl
import glob
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from emocli import artifact, ranks, store, streams
from emocli.errors import EmoError

_NO_ARTIFACT = "none"
"""What is written beside the main output: texts and pictures."""


@contextlib.contextmanager
def output(target: str | None, *, force: bool, shared: bool = False, makes: str = "") -> Iterator[Path]:
    """Yield a scratch file that becomes the output when the block ends well, and vanishes when it does not.

    What `makes` hdf5 or onnx, or no artifact, is refused at once where an artifact of another kind would be replaced. A
    `shared` output is one of several processes (torchrun): the first writes it, the others nothing.
    """
    if shared and not ranks.is_first():
        yield store.spool()
        return
    if target == "":
        raise EmoError("an empty name is no output; is a variable of the shell unset?")
    place = _place(target)
    _refuse(place, force, makes)
    file = _file(place)
    scratch = _beside(file) if file else store.spool()
    try:
        yield scratch
        if file:
            _settle(scratch, file, force)
        else:
            _copy_out(scratch, place)
    except OSError as fault:
        raise streams.full_disk(fault, file or scratch) or fault from fault
    finally:
        scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def second_output(target: str | None, first: str | None, *, force: bool, shared: bool = False) -> Iterator[Path | None]:
    """As `output`, for what is written beside the main output, to a named file only; None when none is named."""
    if target is None:
        yield None
        return
    if target in ("-", "/dev/stdout") or (first is not None and Path(target).resolve() == Path(first).resolve()):
        raise EmoError(f"{target} is no file of its own for what is written beside the main output; name another")
    with output(target, force=force, shared=shared, makes=_NO_ARTIFACT) as scratch:
        yield scratch


def _place(target: str | None) -> Path | int:
    """Return where a target is: by its name, or by its number where it is open already, as stdout is."""
    if target in (None, "-", "/dev/stdout"):
        return sys.stdout.fileno()
    place = Path(str(target))
    is_open = str(place.parent) == "/dev/fd" and place.name.isdecimal() and place.exists()
    return int(place.name) if is_open else place


def _file(place: Path | int) -> Path | None:
    """Return the file that is replaced, None for a stream; a link is written through, as a shell would."""
    if isinstance(place, int) or _is_device(place):
        return None
    return Path(os.path.realpath(place)) if place.is_symlink() else place


def _refuse(place: Path | int, force: bool, makes: str) -> None:
    """Refuse an output that can't be written, before any work is done for it."""
    if isinstance(place, int):
        if os.isatty(place):
            raise EmoError("the output is binary; write it with -o FILE, or pipe it into another emo command")
        if fcntl.fcntl(place, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise EmoError(
                f"file number {place} is open for reading only; name the output, or open it with {place}>FILE"
            )
    elif place.is_dir():
        raise EmoError(f"{place} is a folder; name a file in it")
    elif not place.parent.is_dir():
        raise EmoError(f"there is no folder {place.parent}; make it first")
    elif place.exists() and not force and not _is_device(place):
        raise EmoError(f"{place} exists; replace it with --force")
    elif makes:
        _expect_kind(place, makes)


def _is_device(place: Path) -> bool:
    return place.exists() and not place.is_file()


def _beside(place: Path) -> Path:
    # a name that nobody can guess: in a shared folder it could be a link to somewhere else by now; and one that is not
    # too long where the output's is not
    start = f".{place.name[:50]}.{_machine()}-"
    _remove_left(place.parent, start)
    scratch = place.with_name(f"{start}{os.getpid()}-{os.urandom(8).hex()}.part")
    # before the file: a signal may come between any two lines
    atexit.register(store.discard, scratch)
    try:
        # what others can't read in the file that is replaced is not theirs while it is written either
        scratch.touch(0o600 if place.exists() else 0o666, exist_ok=False)
    except OSError as fault:
        raise streams.full_disk(fault, place) or EmoError(f"can't write {place} ({fault.strerror})") from fault
    return scratch


def _machine() -> str:
    """Return what tells this machine, and a container on it, from others that may write to the same folder."""
    processes = ""
    with contextlib.suppress(OSError):  # a system that has no such names
        processes = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(os.fsencode(os.uname().nodename + processes)).hexdigest()[:8]


def _remove_left(folder: Path, start: str) -> None:
    """Remove what begins so and was left by commands that were killed, of this machine: no other's are known here."""
    for path in folder.glob(f"{glob.escape(start)}*.part"):
        if store.is_left(path, path.name.removeprefix(start).partition("-")[0]):
            store.discard(path)


def _settle(scratch: Path, place: Path, force: bool) -> None:
    with open(scratch, "rb") as file:
        os.fsync(file.fileno())
    if place.exists() and not force:
        raise EmoError(f"{place} was made by another program meanwhile; replace it with --force")
    _expect_kind(place, _kind(scratch))
    if place.exists():
        scratch.chmod(place.stat().st_mode & 0o777)
    os.replace(scratch, place)


def _expect_kind(place: Path, kind: str) -> None:
    """Refuse to replace an artifact by what is none or of another kind: as a rule it is the input."""
    if (there := _kind(place)) not in ("", kind):
        raise EmoError(f"{place} is {there.upper()}, which the output is not; name another file, or remove it first")


def _kind(path: Path) -> str:
    """Return hdf5 or onnx for a file that looks like an artifact, else nothing; a named pipe would never answer."""
    with contextlib.suppress(EmoError, OSError):
        return artifact.sniff(path, str(path)) if path.is_file() else ""
    return ""


def _copy_out(scratch: Path, place: Path | int) -> None:
    sys.stdout.flush()
    is_named = isinstance(place, Path)
    try:
        with open(scratch, "rb", buffering=0) as file, open(place, "wb", buffering=0, closefd=is_named) as stream:
            streams.pour(file, stream)
    except OSError as fault:  # the scratch file is whole
        raise streams.full_disk(fault, None) or fault from fault

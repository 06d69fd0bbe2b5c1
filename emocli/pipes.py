"""Main input and main output of every command: a file or the stream, whole or not at all."""

import atexit
import contextlib
import errno
import fcntl
import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emocli import artifact, ranks, registry, shipped, store
from emocli.artifact import Header
from emocli.errors import EmoError

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Input:
    """An artifact to read. `source` is what messages call it; `digest` is "sha256:…" of its contents."""

    path: Path
    source: str
    header: Header
    digest: str


def read(argument: str | None, *kinds: str) -> Input:
    """Return the artifact named by `argument`, or on stdin for None and "-"; EmoError unless of `kinds`.

    Where a model is wanted and no such file exists, the name of a shipped one will do.
    """
    path, spooled = _locate(shipped.named(argument) if "model" in kinds else argument, kinds)
    source = str(path) if argument not in (None, "-") and not spooled else "the input"
    header, digest = _open(path, source)
    artifact.expect(header, kinds, source)
    # every command that reads features leaves them where a later one finds them by their hash
    if header.kind == "features":
        if spooled:
            from emocli.data import hdf5

            # it takes the place of what has that hash already, which may be whole where this is not
            hdf5.verify(path, source)
        path = store.keep(path, digest, move=spooled)
    return Input(path, source, header, digest)


def features_of(model: Header, argument: str | None, *kinds: str) -> Input:
    """Return the features that go with a model: those named, else those whose hash its header states."""
    if argument is not None:
        return read(argument, *(kinds or ("features",)))
    digest = model.features_digest
    if digest is None:
        raise EmoError("the model's header names no features; say which with --data FILE")
    if found := at_hand(digest):
        return found
    raise EmoError(f"the features {digest} that the model was made with are no longer at hand; name them: --data FILE")


def at_hand(digest: str) -> Input | None:
    """Return the features with this content hash, where the store or a file that it knows still has them."""
    from emocli.data import hdf5

    for path in store.candidates(digest):
        with contextlib.suppress(EmoError):
            if hdf5.verify(path) == digest:
                return Input(path, str(path), hdf5.read_header(path)[0], digest)
    return None


def kept(named: str) -> Input:
    """Return a model that a header will name by its hash: a file, a shipped one, or "sha256:…" in the store.

    The store keeps a copy, so that the hash finds it again. Raises EmoError when it can't be had.
    """
    if named.startswith("sha256:"):
        return read(str(store.find(named)), "model")
    found = read(named, "model")
    store.copy(found.path, found.digest)
    return found


@contextlib.contextmanager
def output(target: str | None, *, force: bool, shared: bool = False, makes: str = "") -> Iterator[Path]:
    """Yield a scratch file that becomes the output when the block ends well, and vanishes when it does not.

    What `makes` hdf5 or onnx is refused at once where a file of the other kind would be replaced. A `shared` output is
    one of several processes (torchrun): the first writes it, the others nothing.
    """
    if shared and not ranks.is_first():
        yield store.spool()
        return
    place = None if target in (None, "-", "/dev/stdout") else Path(str(target))
    _refuse(place, force)
    if place is not None and makes:
        _expect_kind(place, makes)
    stream = place is None or _is_device(place)
    if place is not None and not stream and place.is_symlink():  # written through, as a shell would
        place = Path(os.path.realpath(place))
    scratch = store.spool() if stream or place is None else _beside(place)
    try:
        yield scratch
        if place is None:
            _copy_out(scratch, sys.stdout.fileno())
        elif stream:
            with open(place, "wb") as file:
                _copy_out(scratch, file.fileno())
        else:
            _settle(scratch, place, force)
    except OSError as fault:
        raise full_disk(fault, place or scratch) or fault from fault
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
    with output(target, force=force, shared=shared) as scratch:
        yield scratch


def full_disk(fault: OSError, place: Path) -> EmoError | None:
    """Return the error to show when `fault` says that there is no room left, else None."""
    # HDF5 keeps the number in its message only
    numbers = {
        errno.ENOSPC: "the disk is full",
        errno.EFBIG: "the file size limit is reached",
        errno.EDQUOT: "the quota is used up",
    }
    for number, words in numbers.items():
        if fault.errno == number or f"errno = {number}," in str(fault):
            return EmoError(f"can't write {place}: {words}; nothing was written, make room and run it again")
    return None


def _unreadable(path: Path, fault: OSError, kinds: Sequence[str]) -> EmoError:
    """Return the error for what can't be opened, with what may have been meant by a name that is no file's."""
    name = str(path)
    if "features" in kinds and name in {*registry.names("datasets"), *store.datasets()}:
        return EmoError(f"can't read {name}: {fault.strerror}; of a corpus these are made by: emo features {name}")
    meant = registry.nearest(name, shipped.names()) if "model" in kinds else ""
    return EmoError(f"can't read {name}{meant}: {fault.strerror}; check the name")


def _locate(argument: str | None, kinds: Sequence[str] = ()) -> tuple[Path, bool]:
    """Return where the input is, and whether it was spooled to a file of our own."""
    if argument not in (None, "-"):
        path = Path(str(argument))
        try:
            mode = os.stat(path).st_mode
        except OSError as fault:
            raise _unreadable(path, fault, kinds) from fault
        if stat.S_ISREG(mode):
            return path, False
        if stat.S_ISDIR(mode):
            raise EmoError(f"{path} is a folder, expected an artifact; a corpus is read with: emo dataset NAME {path}")
        with open(path, "rb") as stream:
            return _spool(stream.fileno()), True
    handle = sys.stdin.fileno() if sys.stdin is not None else -1
    if handle < 0 or os.isatty(handle):
        raise EmoError("no input: name a file, or pipe the output of another emo command in")
    # a regular file behind < can seek: it is opened in place
    if stat.S_ISREG(os.fstat(handle).st_mode) and os.path.exists(real := os.path.realpath(f"/proc/self/fd/{handle}")):
        return Path(real), False
    return _spool(handle), True


def _spool(handle: int) -> Path:
    if ranks.local_count() > 1:
        raise EmoError("several processes can't share one pipe; write its contents to a file and name that")
    # HDF5 must seek, so a pipe is spooled to a temporary file
    path = store.spool()
    with contextlib.suppress(OSError):
        fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, CHUNK)
    try:
        with open(path, "wb", buffering=0) as file, open(handle, "rb", buffering=0, closefd=False) as stream:
            _pour(stream, file)
    except OSError as fault:
        raise full_disk(fault, path) or fault from fault
    return path


def _open(path: Path, source: str) -> tuple[Header, str]:
    if artifact.sniff(path, source) == "hdf5":
        from emocli.data import hdf5

        return hdf5.read_header(path, source)
    from emocli import onnx_file

    return onnx_file.read_header(path, source), store.file_digest(path)


def _refuse(place: Path | None, force: bool) -> None:
    """Refuse an output that can't be written, before any work is done for it."""
    if place is None:
        if sys.stdout.isatty():
            raise EmoError("the output is binary; write it with -o FILE, or pipe it into another emo command")
    elif place.is_dir():
        raise EmoError(f"{place} is a folder; name a file in it")
    elif not place.absolute().parent.is_dir():
        raise EmoError(f"there is no folder {place.parent}; make it first")
    elif place.exists() and not force and not _is_device(place):
        raise EmoError(f"{place} exists; replace it with --force")


def _is_device(place: Path) -> bool:
    return place.exists() and not place.is_file()


def _beside(place: Path) -> Path:
    # a name that nobody can guess: in a shared folder it could be a link to somewhere else by now
    scratch = place.with_name(f".{place.name}.{os.urandom(8).hex()}.part")
    # before the file: a signal may come between any two lines
    atexit.register(store.discard, scratch)
    try:
        scratch.touch(exist_ok=False)
    except OSError as fault:
        raise full_disk(fault, place) or EmoError(f"can't write {place} ({fault.strerror})") from fault
    return scratch


def _settle(scratch: Path, place: Path, force: bool) -> None:
    with open(scratch, "rb") as file:
        os.fsync(file.fileno())
    if place.exists() and not force:
        raise EmoError(f"{place} was made by another program meanwhile; replace it with --force")
    _expect_kind(place, _kind(scratch))
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


def _copy_out(scratch: Path, handle: int) -> None:
    sys.stdout.flush()
    with open(scratch, "rb", buffering=0) as file, open(handle, "wb", buffering=0, closefd=False) as stream:
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, CHUNK)
        _pour(file, stream)


def _pour(source: io.FileIO, target: io.FileIO) -> None:
    """Copy to the end; a write that takes a part only, as on a disk that is nearly full, is gone on with."""
    while chunk := source.read(CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[target.write(view) :]

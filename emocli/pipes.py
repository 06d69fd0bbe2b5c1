"""Main input of every command: a file or the stream."""

import contextlib
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emocli import artifact, ranks, registry, shipped, store, streams
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.telling import tell

_SHOWN = len("sha256:") + 12
"""Characters of a hash that tell it from others."""


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
        try:
            path = store.keep(path, digest, move=spooled)
        except (EmoError, OSError) as fault:
            if spooled:
                raise
            # a store that others share may be read-only; what was named is at hand all the same
            tell(f"{fault}; goes on, but commands that follow have to be told: --data {source}")
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
                # a file of the user's by its name; what the cache calls it says nothing
                named = digest[:_SHOWN] if digest == f"sha256:{path.name}" else str(path)
                return Input(path, named, hdf5.read_header(path)[0], digest)
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


def _unreadable(path: Path, fault: OSError, kinds: Sequence[str]) -> EmoError:
    """Return the error for what can't be opened, with what may have been meant by a name that is no file's."""
    name = str(path)
    if "features" in kinds and name in {*registry.names("datasets"), *store.datasets()}:
        return EmoError(f"can't read {name}: {fault.strerror}; of a corpus these are made by: emo features {name}")
    meant = registry.nearest(name, shipped.names()) if "model" in kinds else ""
    return EmoError(f"can't read {name}{meant}: {fault.strerror}; check the name")


def _locate(argument: str | None, kinds: Sequence[str]) -> tuple[Path, bool]:
    """Return where the input is, and whether it was spooled to a file of our own."""
    if argument == "":
        raise EmoError(f"an empty name is no {' or '.join(kinds)}; is a variable of the shell unset?")
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
    try:
        with open(path, "wb", buffering=0) as file, open(handle, "rb", buffering=0, closefd=False) as stream:
            streams.pour(stream, file)
    except OSError as fault:
        raise streams.full_disk(fault, path) or fault from fault
    return path


def _open(path: Path, source: str) -> tuple[Header, str]:
    if artifact.sniff(path, source) == "hdf5":
        from emocli.data import hdf5

        return hdf5.read_header(path, source)
    from emocli import onnx_file

    return onnx_file.read_header(path, source), store.file_digest(path)

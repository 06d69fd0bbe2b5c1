"""The store under $EMO_HOME: datasets kept by name, a bounded cache by content hash."""

import atexit
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from emocli.errors import EmoError

CACHE_BYTES = 8 << 30
"""The cache's bound unless $EMO_CACHE_BYTES says otherwise."""
_LEFT_SECONDS = 24 * 3600
"""How old a file is, at least, that nobody writes any more."""
_in_use: dict[Path, int] = {}
"""What this command keeps or looks for in the cache, and is going to open: locked until it ends, so that it stays."""


def home() -> Path:
    """Return the store's folder: $EMO_HOME, else emo in the user's data folder; raises EmoError where there is none."""
    if chosen := os.environ.get("EMO_HOME"):
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "emo"
    except RuntimeError as fault:  # a user whom the system does not know, as in a container
        raise EmoError("there is no home folder to keep things in; set EMO_HOME to a folder you can write") from fault


def folder(name: str) -> Path:
    """Return a folder of the store, made if it isn't there yet."""
    path = home() / name
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise EmoError(f"can't make {path} ({fault.strerror}); set EMO_HOME to a folder you can write") from fault
    return path


def dataset(name: str) -> Path:
    """Return where the dataset kept under `name` is, whether it exists or not; raises EmoError for an unusable name."""
    if not name or name.startswith((".", "-")) or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise EmoError(
            f"{name!r} can't be a dataset's name; begin with a letter or digit; dot, dash and underscore may follow"
        )
    return home() / "datasets" / f"{name}.h5"


def datasets() -> list[str]:
    """Return the names of the datasets that are kept."""
    return sorted(path.stem for path in (home() / "datasets").glob("*.h5"))


def discard(path: Path) -> None:
    """Remove a file if it is there and can be removed."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def spool() -> Path:
    """Return a new empty file inside the cache folder, so that keeping what was spooled there costs a rename.

    It is gone when the program ends, if it was not moved.
    """
    path = folder("cache") / f".spool-{os.getpid()}-{os.urandom(8).hex()}.part"
    # before the file: a signal may come between any two lines
    atexit.register(discard, path)
    try:
        path.touch(exist_ok=False)
    except OSError as fault:
        raise EmoError(f"can't write to {path.parent} ({fault.strerror}); set EMO_HOME to another folder") from fault
    return path


def keep(path: Path, digest: str, *, move: bool) -> Path:
    """Remember where the artifact with this content hash is: `move` takes the file in, else only its path is noted."""
    place = _place(digest)
    if move:
        if place.exists() and _is_held(place):
            # somebody is going to open what is there, which is the same
            _hold(place)
            discard(path)
            return place
        _hold(place, path)
        os.replace(path, place)
        _bound()
        return place
    if not place.exists():
        note = place.with_suffix(".json")
        scratch = spool()
        scratch.write_text(json.dumps({"path": str(path.resolve())}))
        os.replace(scratch, note)
    return path


def copy(path: Path, digest: str) -> Path:
    """Keep a copy of a file under its content hash; raises EmoError when the store can't take it."""
    scratch = spool()
    try:
        shutil.copyfile(path, scratch)
        return keep(scratch, digest, move=True)
    except OSError as fault:
        what = f"can't keep a copy of {path} in {scratch.parent} ({fault.strerror})"
        raise EmoError(f"{what}; make room there, or set EMO_HOME to another folder") from fault


def candidates(digest: str) -> list[Path]:
    """Return the files that claimed this content hash when they were last seen; the caller checks them."""
    place, found = _place(digest), []
    note = place.with_suffix(".json")
    for each in (place, note):
        with contextlib.suppress(OSError):  # a store that others share may be read-only
            os.utime(each)
    if _hold(place):
        found.append(place)
    if note.exists():
        # a note that was cut short says nothing, nor does one that is somebody else's alone
        with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
            found.append(Path(json.loads(note.read_text())["path"]))
    return [path for path in found if os.access(path, os.R_OK)]


def find(digest: str) -> Path:
    """Return the file whose bytes have this sha256 ("sha256:…"), a model for example; raises EmoError if none has."""
    for path in candidates(digest):
        if file_digest(path) == digest:
            return path
    raise EmoError(f"no file with {digest} in {home()}; name the file itself instead")


def named(file: str) -> Path:
    """The file that an option names by path or as "sha256:…"; raises EmoError when there is none."""
    return find(file) if file.startswith("sha256:") else Path(file)


def file_digest(path: Path) -> str:
    """Return "sha256:…" of a file's bytes."""
    with open(path, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _place(digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
        raise EmoError(f"{digest!r} is not a sha256; it reads sha256: and 64 hexadecimal digits")
    return folder("cache") / name


def _bound() -> None:
    """Remove what was used longest ago until the cache is within its bound; what a command uses always stays."""
    cache = folder("cache")
    for path in cache.glob(".spool-*"):
        if is_left(path, path.name.split("-")[1]):
            discard(path)
    kept = []
    for path in cache.glob("[!.]*"):
        with contextlib.suppress(FileNotFoundError):  # another command may be doing the same
            kept.append((path.stat(), path))
    kept.sort(key=lambda each: each[0].st_mtime, reverse=True)
    limit, total = _limit_bytes(), 0
    for about, path in kept:
        total += about.st_size
        if total > limit:
            with _locked(path) as mine:
                if mine:
                    path.unlink(missing_ok=True)


def _hold(place: Path, path: Path | None = None) -> bool:
    """Keep what is at a place in the cache, or is to come there from `path`, from being removed while this runs.

    Return whether it is there: another command may just have removed it.
    """
    try:
        number = os.open(path or place, os.O_RDONLY)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(number, fcntl.LOCK_SH)
        there = path is not None or os.path.samestat(os.fstat(number), place.stat())
    except OSError:  # one that can't be read here is of no use here
        return False
    if before := _in_use.get(place):
        os.close(before)
    _in_use[place] = number
    return there


def _is_held(place: Path) -> bool:
    with _locked(place) as mine:
        return not mine


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[bool]:
    """Yield whether no command holds a place in the cache; until this ends, none begins to."""
    try:
        number = os.open(place, os.O_RDONLY)
    except OSError:  # it is gone by now, or somebody else's alone
        yield True
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = True
    except BlockingIOError:
        mine = False
    except OSError:  # a file system without locks: this command knows of itself alone
        mine = place not in _in_use
    try:
        yield mine
    finally:
        os.close(number)


def is_left(path: Path, maker: str) -> bool:
    """Tell whether the process of this number, which made a file, was killed long ago; it may be another machine's."""
    try:
        if time.time() - path.stat().st_mtime > _LEFT_SECONDS and maker.isdecimal():
            os.kill(int(maker), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is gone by now, or somebody else's
        return False
    return False


def _limit_bytes() -> int:
    said = os.environ.get("EMO_CACHE_BYTES", str(CACHE_BYTES))
    if not said.isdecimal():
        raise EmoError(f"EMO_CACHE_BYTES is {said!r}, which is no number of bytes; 8 GiB are {CACHE_BYTES}")
    return int(said)

"""Recordings of a wristband as samples: windows of each of them, what can't be read left out and counted."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from emocli.data.samples import Corpus, Sample
from emocli.datasets import _files
from emocli.errors import EmoError
from emocli.physio import e4

_SHOWN = 5
"""Remarks in an error, of what may be one for each of many recordings."""


@dataclass(frozen=True, slots=True)
class Session:
    """A recording whose windows are to become samples; id, split and group mean what they mean in Sample."""

    path: Path
    id: str
    labels: Callable[[float, float], Collection[int | None]]
    """What holds in the time from one Unix second to another: indices into the labels, None where nobody labelled."""
    split: str = ""
    group: str = ""


def found(root: Path, notes: Counter[str]) -> list[tuple[str, Path]]:
    """Return (path relative to the root, path) of every recording at or below it, sorted.

    Links are not followed, and counted in `notes`; a recording of which a file is behind a link out of the root is left
    out.
    """
    folders = {path.parent for _, path in _files.walk(root, {".csv"}, notes)}
    return [
        (_files.text(path.relative_to(root)), path)
        for path in sorted(folders)
        if e4.is_recording(path) and all(_files.inside(root, file) for file in e4.files(path))
    ]


def corpus(
    sessions: Sequence[Session],
    labels: tuple[str, ...],
    license: str,
    *,
    seconds: float,
    hop: float,
    notes: Counter[str],
    source: Any = None,
) -> Corpus:
    """Return a corpus of windows of `seconds`, one every `hop`, of the channels that most of the recordings have.

    A recording that lacks one of these is left out. `source` is a hash of the lists that they are labelled by, where
    there are any. Raises EmoError for windows that can't be and where there are no recordings, or while it is read when
    none gives a window.
    """
    e4.check(seconds, hop)
    if not sessions:
        raise EmoError(
            f"no recordings of this corpus are there{_files.skipped(notes)}; check the folder, or see: "
            "emo list datasets"
        )
    source = source or hashlib.sha256()
    there = Counter(e4.channels(session.path) for session in sessions)
    channels = max(there, key=lambda names: (there[names], len(names)))
    samples = _samples(sessions, channels, seconds, hop, notes, source)
    return Corpus(labels, license, samples, modality="physio", channels=channels, notes=notes, source=source)


def _samples(
    sessions: Sequence[Session], channels: tuple[str, ...], seconds: float, hop: float, notes: Counter[str], source: Any
) -> Iterator[Sample]:
    """Yield a sample for every window that has one label; `source` is a hash that gets names and bytes."""
    count = 0
    for session in sessions:
        try:
            recording = e4.read(session.path, channels)
        except e4.Unreadable as fault:
            notes[f"{session.id} skipped: {fault.why}"] += 1
            continue
        source.update(session.id.encode())
        source.update(_files.digest(e4.files(session.path)).digest())
        start, windows = recording.start, list(e4.windows(recording, seconds, hop))
        if not windows:
            notes[f"recording shorter than {seconds:g} seconds skipped"] += 1
        for since, window in windows:
            labels = set(session.labels(start + since, start + since + seconds))
            (y,) = labels if len(labels) == 1 else (None,)
            if y is None:
                why = "that is not labelled throughout" if None in labels else "of more than one label"
                notes[f"window {why} left out"] += 1
                continue
            count += 1
            name = f"{session.id}/{since:04.10g}"
            yield Sample(window.values, y, session.split, session.group, name)
    if not count:
        raise EmoError(
            f"the {len(sessions)} recordings give no windows of {seconds:g} seconds"
            f"{_files.skipped(dict(islice(notes.items(), _SHOWN)))}; choose shorter ones, or check the recordings"
        )

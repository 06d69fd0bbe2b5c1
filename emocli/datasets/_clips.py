"""Sound files as samples: found by name, decoded one by one, what can't be read left out and counted."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emocli.data.samples import Corpus, Sample
from emocli.datasets import _files
from emocli.errors import EmoError
from emocli.sound import sound_files


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound file that is to become a sample; the fields mean what they mean in Sample."""

    path: Path
    id: str
    y: int
    split: str = ""
    group: str = ""
    about: Mapping[str, str] = field(default_factory=dict)


def named(root: Path, pattern: str, like: str, notes: Counter[str]) -> Iterator[tuple[str, Path, re.Match[str]]]:
    """Yield (path relative to the root, path, match) of each clip whose path without suffix ends as the pattern says.

    A clip of a name that was there already, in a folder or before an underscore, is a copy, as some downloads hold a
    corpus twice: of those the first is taken that is not lossy. Copies and names unlike `like`, an example, are counted
    in `notes`. Case does not matter.
    """
    expression = re.compile(rf"(?:^|/)(?:{pattern})$", re.IGNORECASE)
    clips: dict[str, tuple[str, Path, re.Match[str]]] = {}
    for name, path in _files.walk(root, sound_files.SUFFIXES, notes):
        found = expression.search(name.rpartition(".")[0])
        if found is None:
            notes[f"clip whose name is not like {like} skipped"] += 1
            continue
        key = found[0].strip("/").replace("/", "_").lower()
        if key in clips:
            notes["second copy of a clip skipped"] += 1
        if key not in clips or _is_lossless(path) > _is_lossless(clips[key][1]):
            clips[key] = name, path, found
    yield from clips.values()


def _is_lossless(path: Path) -> bool:
    return path.suffix.lower() in (".wav", ".flac", ".aif", ".aiff")


def corpus(
    clips: Sequence[Clip], labels: tuple[str, ...], license: str, notes: Counter[str], source: Any = None
) -> Corpus:
    """Return a corpus of the clips; raises EmoError when there are none, or while it is read when none is readable.

    `source` is a hash of the lists that they are labelled by, where there are any.
    """
    if not clips:
        raise EmoError(
            f"no clips of this corpus are there{_files.skipped(notes)}; check the folder, or see: emo list datasets"
        )
    source = source or hashlib.sha256()
    samples = _samples(clips, notes, source)
    return Corpus(labels, license, samples, modality="speech", notes=notes, source=source)


def _samples(clips: Sequence[Clip], notes: Counter[str], source: Any) -> Iterator[Sample]:
    """Yield a sample for every readable clip; `source` is a hash that gets names and bytes."""
    read = 0
    for clip in clips:
        try:
            recording = sound_files.read(clip.path)
        except sound_files.Unreadable as fault:
            notes[f"clip skipped: {fault.why}"] += 1
            continue
        notes.update(recording.remarks)
        source.update(clip.id.encode())
        with open(clip.path, "rb") as file:
            source.update(hashlib.file_digest(file, "sha256").digest())
        read += 1
        yield Sample(recording.samples, clip.y, clip.split, clip.group, clip.id, about=clip.about)
    if not read:
        why = ", ".join(text.removeprefix("clip skipped: ") for text in notes if text.startswith("clip skipped"))
        raise EmoError(f"none of the {len(clips)} clips can be read ({why}); are they whole sound files?")

"""Pictures and sounds in one call: each goes to the model of its kind, opened when the first of them comes.

Of a film the sound is heard: its faces are many pictures, and for `emo live`.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from emocli.image import pictures
from emocli.sound import sound_files
from emocli.telling import Note

Records = Callable[[Iterable[Path]], Iterator[dict[str, Any]]]
"""From files of one kind to a record for each."""


def suffixes(heard: bool) -> frozenset[str]:
    """Return what is looked for in a folder: pictures, and where voices can be `heard` sounds, but no films."""
    return pictures.SUFFIXES | sound_files.SOUNDS if heard else pictures.SUFFIXES


def records(paths: Iterable[Path], opened: Callable[[str], Records], note: Note) -> Iterator[dict[str, Any]]:
    """Yield the record of each file, in order; `opened` is asked once for face, once for speech, if any come."""
    known: dict[str, Records] = {}
    films = False
    for path in paths:
        kind = "speech" if path.suffix.lower() in sound_files.SUFFIXES else "face"
        if kind not in known:
            known[kind] = opened(kind)
        if not films and path.suffix.lower() in sound_files.VIDEOS:
            films = True
            note(f"{path.name}: of a film the sound is heard; for its faces: emo live --source {path}")
        yield from known[kind]([path])

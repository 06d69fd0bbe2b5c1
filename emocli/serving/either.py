"""Pictures, sounds and texts in one call: each goes to the model of its kind, opened when the first of them comes.

Of a film the sound is heard: its faces are many pictures, and for `emo live`. Texts are read that are named, none that
lies in a folder beside pictures.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from emocli.image import pictures
from emocli.serving import reading
from emocli.sound import containers, sound_files
from emocli.telling import Note

Records = Callable[[Iterable[Path]], Iterator[dict[str, Any]]]
"""From files of one kind to a record for each."""

_MODALITIES = {"picture": "face", "sound": "speech", "film": "speech", "text": "text"}


def suffixes(heard: bool) -> frozenset[str]:
    """Return what is looked for in a folder: pictures, and where voices can be `heard` sounds, but no films."""
    return pictures.SUFFIXES | sound_files.SOUNDS if heard else pictures.SUFFIXES


def kind(path: Path) -> str:
    """Return picture, sound, film or text: by a name that tells, else by content; of films some have nothing to see."""
    suffix = path.suffix.lower()
    if suffix in reading.SUFFIXES:
        return "text"
    if suffix in sound_files.SOUNDS:
        return "sound"
    heard = ""
    if suffix not in pictures.SUFFIXES and path.is_file():
        with suppress(OSError):  # reading it says what is wrong
            heard = containers.kind(path)
    return heard or ("film" if suffix in sound_files.VIDEOS else "picture")


def records(paths: Iterable[Path], opened: Callable[[str], Records], note: Note) -> Iterator[dict[str, Any]]:
    """Yield the record of each file, in order; `opened` is asked once for each modality, if any of it come."""
    known: dict[str, Records] = {}
    films = False
    for path in paths:
        found = kind(path)
        modality = _MODALITIES[found]
        if modality not in known:
            known[modality] = opened(modality)
        if not films and found == "film":
            films = True
            note(f"{path.name}: of a film the sound is heard; for its faces: emo live --source {path}")
        yield from known[modality]([path])

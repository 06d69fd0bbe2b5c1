"""Pictures and sounds in one call: each goes to the model of its kind, opened when the first of them comes."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from emocli.image import pictures
from emocli.sound import sound_files

Records = Callable[[Iterable[Path]], Iterator[dict[str, Any]]]
"""From files of one kind to a record for each."""


def suffixes(heard: bool) -> frozenset[str]:
    """Return what is looked for in a folder: pictures, and where voices can be `heard` sounds, but no films."""
    return pictures.SUFFIXES | sound_files.SOUNDS if heard else pictures.SUFFIXES


def records(paths: Iterable[Path], opened: Callable[[str], Records]) -> Iterator[dict[str, Any]]:
    """Yield the record of each file, in order; `opened` is asked once for face, once for speech, if any come."""
    known: dict[str, Records] = {}
    for path in paths:
        kind = "speech" if path.suffix.lower() in sound_files.SUFFIXES else "face"
        if kind not in known:
            known[kind] = opened(kind)
        yield from known[kind]([path])

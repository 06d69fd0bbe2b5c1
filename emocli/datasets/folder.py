"""Your own pictures: a folder per class, below train, validation and test folders or without them.

Layout: ROOT/CLASS/…/*.jpg or ROOT/train/CLASS/…/*.jpg, ROOT/validation/… (or val) and ROOT/test/…; a folder around
everything doesn't matter. Class names are read in the usual spellings (anger, angry, happiness, happy, …); others
stay as they are. Images of one size up to 64 pixels become arrays, larger ones are kept encoded. Splits share no
subject where there is a pattern for it.

Options:
    subject: regular expression whose one group, found in the path below ROOT, is the subject: '(S[0-9]+)_' ("": none)
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.datasets import _folders, _images
from emocli.datasets._images import Picture
from emocli.errors import EmoError
from emocli.samples import Corpus

LICENSE = "not stated: yours to know"


def read(sources: Sequence[Path], *, subject: str = "") -> Corpus:
    """Open a folder of class folders; raises EmoError for a single class or a pattern that is none."""
    root = _images.only_folder(sources, "folder")
    pattern = _pattern(subject) if subject else None
    notes: Counter[str] = Counter()
    entries = _folders.entries(root, notes)
    order = _folders.known_order({entry.label for entry in entries})
    pictures = []
    for entry in entries:
        found = pattern.search(entry.id) if pattern else None
        if pattern and not found:
            notes["path without a subject"] += 1
        group = (found[1] or "") if found else ""
        pictures.append(Picture(entry.path, entry.id, order.index(entry.label), entry.split, group))
    return _images.corpus(pictures, order, LICENSE, notes)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise EmoError(f"subject {text!r} is not a regular expression: {error}") from error
    if pattern.groups != 1:
        raise EmoError(f"subject {text!r} has {pattern.groups} groups, expected one in parentheses: the subject")
    return pattern

"""Your own pictures: a folder per class, below train, validation and test folders or without them.

Layout: ROOT/CLASS/…/*.jpg or ROOT/train/CLASS/…/*.jpg, ROOT/validation/… (or val) and ROOT/test/…; a folder around
everything doesn't matter. Class names are read in the usual spellings (anger, angry, happiness, happy, …), others in
lower case. Images of one size up to 64 pixels become arrays, larger ones are kept encoded. Splits share no
subject where there is a pattern for it.

Options:
    subject: regular expression whose one group, found in the path below ROOT, is the subject: '(S[0-9]+)_' ("": none)
    unlabelled: name of the folder, beside the classes, of pictures without label, for emo distill --alpha 1 ("": none)
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _files, _folders, _images
from emocli.datasets._images import Picture
from emocli.image.pictures import SUFFIXES

LICENSE = "not stated: yours to know"


def read(sources: Sequence[Path], *, subject: str = "", unlabelled: str = "") -> Corpus:
    """Open a folder of class folders; raises EmoError for a single class or a pattern that is none."""
    root = _files.only_folder(sources, "folder")
    notes: Counter[str] = Counter()
    entries = _folders.entries(root, SUFFIXES, notes, unlabelled=unlabelled)
    order, places = _folders.places(entries)
    pictures = [
        Picture(entry.path, entry.id, place, entry.split, group)
        for entry, place, group in zip(entries, places, _folders.subjects(entries, subject, notes), strict=True)
    ]
    return _images.corpus(pictures, order, LICENSE, notes)

"""JAFFE: 213 faces of 10 Japanese women, 256x256 gray, 7 emotions.

Lyons, Kamachi and Gyoba, "Coding facial expressions with Gabor wavelets", 1998 (arXiv:2009.05938); non-commercial
research. No parts are published: splits share no subject.

Layout: ROOT/KA.AN1.39.tiff: the subject's initials, the emotion (AN DI FE HA SA SU NE) and a number, and the number of
the image. Stored as PNG.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus
from emocli.datasets import _files, _images
from emocli.datasets._images import Picture
from emocli.image.pictures import SUFFIXES

LICENSE = "non-commercial research; images never shipped"
_NAME = re.compile(r"([A-Z]{2})\.(AN|DI|FE|HA|SA|SU|NE)\d*\.\d+\.[a-z]+$", re.IGNORECASE)


def read(sources: Sequence[Path]) -> Corpus:
    """Open a folder of JAFFE's images; raises EmoError when no file has a name of its form."""
    root = _files.only_folder(sources, "jaffe")
    notes: Counter[str] = Counter()
    pictures = []
    for name, path in _files.once(_files.walk(root, SUFFIXES, notes), lambda found: found[1].name.lower(), notes):
        if found := _NAME.fullmatch(path.name):
            y = labels.index(labels.SEVEN, found[2])
            pictures.append(Picture(path, name, y, group=found[1].upper()))
        else:
            notes["image whose name is not of the form KA.AN1.39.tiff skipped"] += 1
    return _images.corpus(pictures, labels.SEVEN, LICENSE, notes)

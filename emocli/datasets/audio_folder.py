"""Your own recordings: a folder per class, below train, validation and test folders or without them.

Layout: ROOT/CLASS/…/*.wav or ROOT/train/CLASS/…/*.wav, ROOT/validation/… (or val) and ROOT/test/…; a folder around
everything doesn't matter. wav, flac, ogg, mp3, m4a and others, or the sound of mp4, mkv and mpg. Class names are read
in the usual spellings (anger, angry, happiness, happy, …), others in lower case. Splits share no subject where there is
a pattern for it.

Options:
    subject: regular expression whose one group, found in the path below ROOT, is the speaker: '(S[0-9]+)_' ("": none)
    unlabelled: name of the folder, beside the classes, of clips without a label, for emo distill --alpha 1 ("": none)
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files, _folders
from emocli.datasets._clips import Clip
from emocli.sound import sound_files

LICENSE = "not stated: yours to know"


def read(sources: Sequence[Path], *, subject: str = "", unlabelled: str = "") -> Corpus:
    """Open a folder of class folders; raises EmoError for a single class or a pattern that is none."""
    root = _files.only_folder(sources, "audio-folder")
    notes: Counter[str] = Counter()
    entries = _folders.entries(root, sound_files.SUFFIXES, notes, "clip", unlabelled=unlabelled)
    order, places = _folders.places(entries)
    clips = [
        Clip(entry.path, entry.id, place, entry.split, group)
        for entry, place, group in zip(entries, places, _folders.subjects(entries, subject, notes), strict=True)
    ]
    return _clips.corpus(clips, order, LICENSE, notes)

"""Your own recordings of an E4 wristband: a folder per class, below train, validation and test folders or without them.

Layout: ROOT/CLASS/…/RECORDING/BVP.csv, EDA.csv, TEMP.csv, ACC.csv or ROOT/train/CLASS/…, ROOT/validation/… (or val) and
ROOT/test/…; a folder around everything doesn't matter. RECORDING is a folder as the wristband's export unpacks to. All
that is in a class's recordings is of that class: windows of equal length are cut from each. Class names are read in the
usual spellings (anger, angry, happiness, happy, …), others in lower case. Splits share no subject where there is a
pattern for it, and no recording.

Options:
    seconds: how long a window is
    hop: how many seconds after another one a window begins
    subject: regular expression whose one group, found in the path below ROOT, is who wore it ("": the recording's name)
    unlabelled: name of the folder, beside the classes, of recordings without a label ("": none)
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _files, _folders, _recordings
from emocli.datasets._recordings import Session

LICENSE = "not stated: yours to know"


def read(
    sources: Sequence[Path], *, seconds: float = 60.0, hop: float = 30.0, subject: str = "", unlabelled: str = ""
) -> Corpus:
    """Open a folder of class folders; raises EmoError for a single class, a pattern or windows that are none."""
    root = _files.only_folder(sources, "signals-folder")
    notes: Counter[str] = Counter()
    entries = _folders.among(root, _recordings.found(root, notes), notes, "recording", unlabelled=unlabelled)
    order, places = _folders.places(entries)
    sessions = [
        Session(entry.path, entry.id, _always(place), entry.split, group or entry.id.rpartition("/")[2])
        for entry, place, group in zip(entries, places, _folders.subjects(entries, subject, notes), strict=True)
    ]
    return _recordings.corpus(sessions, order, LICENSE, seconds=seconds, hop=hop, notes=notes)


def _always(y: int) -> Callable[[float, float], tuple[int]]:
    return lambda start, end: (y,)

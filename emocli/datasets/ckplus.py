"""CK+ (extended Cohn-Kanade): 593 posed sequences of 123 subjects, 327 of them with one of 7 emotions.

Lucey, Cohn, Kanade, Saragih, Ambadar and Matthews, "The extended Cohn-Kanade dataset (CK+)", CVPR workshops 2010; on
request, for research. A sequence starts neutral and ends at the emotion's peak. No parts are published; the subject is
in the file name, and splits share none.

Three layouts are read. CK+48, the last three frames of each labelled sequence cropped to 48x48: ROOT/CLASS/
S010_004_00000017.png. The original: ROOT/cohn-kanade-images/S005/001/*.png with Emotion/S005/001/*_emotion.txt
(1 anger, 2 contempt, 3 disgust, 4 fear, 5 happy, 6 sadness, 7 surprise) and, used when all frames have theirs,
Landmarks/S005/001/*_landmarks.txt of 68 points. And ckextended.csv (emotion,pixels,Usage), or a folder that holds it:
the peaks of the 327 sequences and 593 neutral faces cropped to 48x48, in parts of its maker's, without their subjects.

Options:
    frames: of the original layout, how many last frames of a sequence have its emotion
    neutral: of the original layout, take the first frame of a labelled sequence as neutral
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emocli import labels
from emocli.data.samples import Corpus, Samples
from emocli.datasets import _fer_csv, _files, _folders, _images
from emocli.datasets._fer_csv import Table
from emocli.datasets._images import Picture
from emocli.errors import EmoError
from emocli.image.pictures import SUFFIXES

LICENSE = "research use, on request; images never shipped"
ORDER = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
"""By the code in the emotion files."""
CODES = (*labels.SEVEN, "contempt")
"""By the number in the csv: FER2013's, and one more."""
POINTS = 68
_CSV = "ckextended.csv"
_IMAGES = "cohn-kanade-images"
_SUBJECT = re.compile(r"(S\d+)_\d+_\d+")


def read(sources: Sequence[Path], *, frames: int = 3, neutral: bool = True) -> Corpus:
    """Open CK+ in any layout; raises EmoError for another folder, and for an emotion file or csv that can't be read."""
    if len(sources) == 1 and (table := _table(sources[0])):
        return _cropped(table)
    root = _files.only_folder(sources, "ckplus")
    if frames < 1:
        raise EmoError(f"frames is {frames}; take at least the last one")
    notes: Counter[str] = Counter()
    images = [path for path in (root, *_files.find(root, _IMAGES)) if path.name == _IMAGES]
    if images:
        return _sequences(root, images[0], frames, neutral, notes)
    return _classes(root, notes)


def _table(source: Path) -> Path | None:
    """Return the csv that a source is or holds, None for another one."""
    path = source / _CSV if source.is_dir() else source
    return path if path.suffix.lower() == ".csv" and path.exists() else None


def _cropped(path: Path) -> Corpus:
    """Open the csv; raises EmoError for other columns."""
    source = hashlib.sha256()
    table = _fer_csv.open_table(path, source, classes=len(CODES))
    if set(table.columns) != {"emotion", "pixels", "usage"}:
        raise EmoError(f"{path.name} has the columns {','.join(table.columns)}, expected emotion,pixels,Usage")
    notes = Counter({f"{_CSV} does not say who is in a picture: its parts may share people": 1})
    return Corpus(CODES, LICENSE, _rows(table), notes=notes, source=source)


def _rows(table: Table) -> Iterator[Samples]:
    """Yield the faces of the csv, numbered from 0, in the parts that it has."""
    parts, row = [*_fer_csv.parts("validation").values()], 0
    for rows in table.rows:
        split = [parts[usage] for usage in rows.usages.tolist()]
        yield Samples(rows.pixels, rows.labels.tolist(), split, [*map(str, range(row, row + len(split)))])
        row += len(split)
    if not row:
        raise EmoError(f"{_CSV} has a header and no rows; download it again")


def _classes(root: Path, notes: Counter[str]) -> Corpus:
    """Open CK+48."""
    entries = _folders.entries(root, SUFFIXES, notes)
    order = tuple(label for label in ORDER if label != "neutral" or any(each.label == label for each in entries))
    pictures = []
    for entry in _files.once(entries, _name, notes):
        subject = _SUBJECT.match(entry.path.name)
        if subject is None:
            notes["image whose name has no subject (S010_004_00000017.png)"] += 1
        group = subject[1] if subject else ""
        pictures.append(Picture(entry.path, entry.id, labels.index(order, entry.label), entry.split, group))
    return _images.corpus(pictures, order, LICENSE, notes)


def _name(entry: _folders.Entry) -> str:
    """Return what a picture is called, as CK+ does wherever it lies; any other name may be there once a folder."""
    return f"{entry.label}/{entry.path.name}" if _SUBJECT.match(entry.path.name) else entry.id


def _sequences(root: Path, images: Path, frames: int, neutral: bool, notes: Counter[str]) -> Corpus:
    """Open the original layout."""
    beside = images.parent if images == root else root
    emotions = {path.parent.parts[-2:]: path for path in _files.find(beside, "*_emotion.txt")}
    if not emotions:
        raise EmoError(
            f"{beside} has no Emotion/…/*_emotion.txt{_files.linked(beside)}; unpack CK+'s emotion labels there"
        )
    sequences: dict[tuple[str, ...], list[tuple[str, Path]]] = {}
    for name, path in _files.walk(root, SUFFIXES, notes):
        if path.is_relative_to(images):
            sequences.setdefault(path.parent.parts[-2:], []).append((name, path))
    pictures = []
    for sequence, files in sequences.items():
        if sequence not in emotions:
            notes["sequence without an emotion left out"] += 1
            continue
        subject = _files.text(Path(sequence[0]))
        first = [Picture(files[0][1], files[0][0], 0, group=subject)] if neutral else []
        peak = files[len(first) :][-frames:]
        code = _emotion(emotions[sequence])
        pictures += first + [Picture(path, name, code, group=subject) for name, path in peak]
    if not neutral:
        pictures = [replace(picture, y=int(picture.y) - 1) for picture in pictures if isinstance(picture.y, int)]
    source = _files.digest(emotions.values())
    return _images.corpus(_with_landmarks(pictures, beside, notes), ORDER[not neutral :], LICENSE, notes, source)


def _emotion(path: Path) -> int:
    """Return the code of an emotion file, as in "   3.0000000e+00"."""
    text = _files.contents(path).strip()
    try:
        code = float(text)
    except ValueError:
        code = 0
    if code not in range(1, len(ORDER)):
        raise EmoError(f"{path} holds {text[:20]!r}, expected an emotion from 1 to {len(ORDER) - 1}; restore the file")
    return int(code)


def _with_landmarks(pictures: Sequence[Picture], root: Path, notes: Counter[str]) -> Sequence[Picture]:
    """Return the pictures with their points, or as they are unless all have 68."""
    files = {path.name: path for path in _files.find(root, "*_landmarks.txt")}
    points = [_points(files.get(f"{picture.path.stem}_landmarks.txt")) for picture in pictures]
    if any(point is None for point in points):
        if files:
            notes[f"landmarks left out: not every frame has its {POINTS}"] = 1
        return pictures
    return [replace(picture, landmarks=point) for picture, point in zip(pictures, points, strict=True)]


def _points(path: Path | None) -> NDArray[np.float32] | None:
    """Return the (68, 2) points of a landmark file, in pixels of the frame, or None for another content."""
    try:
        return np.array(_files.contents(path).split() if path else [], np.float32).reshape(POINTS, 2)
    except (EmoError, ValueError):
        return None

"""AffectNet, manually annotated: some 290,000 faces from the internet, 8 emotions, valence and arousal, 68 landmarks.

Mollahosseini, Hasani and Mahoor, "AffectNet: a database for facial expression, valence, and arousal computing in the
wild", IEEE Transactions on Affective Computing 2019 (arXiv:1708.03985); on request, for research. Parts: training and
validation.

Layout: training.csv and validation.csv anywhere below ROOT (columns subDirectory_filePath, face_x, face_y, face_width,
face_height, facial_landmarks, expression, valence, arousal), the images in ROOT, ROOT/Manually_Annotated_Images or
another folder below; or, as it is given out since 2021, train_set and val_set, each with images/12.jpg and
annotations/12_exp.npy, 12_val.npy, 12_aro.npy and 12_lnd.npy. Expressions: 0 neutral, 1 happy, 2 sad, 3 surprise, 4
fear, 5 disgust, 6 anger, 7 contempt; from 8 on (none, uncertain, no face) a row is left out and counted. Landmarks are
used when every row has its 68.

Options:
    classes: 8, or 7 to leave contempt out
    labels: expression for a class index, valence-arousal for the two numbers from -1 to 1
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli.data.samples import Corpus
from emocli.datasets import _affectnet_arrays, _csv, _files, _images
from emocli.datasets._images import Picture
from emocli.errors import EmoError

LICENSE = "research use, on request; images never shipped"
ORDER = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
CONTEMPT = ORDER.index("contempt")
POINTS = 68
_NO_LANDMARKS = f"landmarks left out: not every row has its {POINTS}"
_PARTS = {"training.csv": "train", "validation.csv": "validation"}
_FILE, _LANDMARKS = "subDirectory_filePath", "facial_landmarks"
_NEEDED = (_FILE, "expression", "valence", "arousal")


def read(sources: Sequence[Path], *, classes: int = 8, labels: str = "expression") -> Corpus:
    """Open AffectNet from its folder; raises EmoError without manifests or images, or for a row that can't be read."""
    if classes not in (7, 8) or labels not in ("expression", "valence-arousal"):
        raise EmoError(f"classes={classes} labels={labels}; choose 8 or 7, expression or valence-arousal")
    root = _files.only_folder(sources, "affectnet")
    notes: Counter[str] = Counter()
    manifests, parts = _manifests(root, notes), _affectnet_arrays.folders(root)
    if not manifests and not parts:
        raise EmoError(
            f"{root} has no training.csv or validation.csv, nor train_set or val_set{_files.linked(root)}; "
            "give the folder that holds AffectNet's lists, or these"
        )
    source = _files.digest(manifests)
    pictures = (
        _pictures(root, _base(root, manifests), manifests, classes, labels, notes)
        if manifests
        else _of_arrays(root, parts, classes, labels, notes, source)
    )
    samples = _images.samples(pictures, None, notes, source)
    if labels == "expression":
        return Corpus(ORDER[:classes], LICENSE, samples, notes=notes, source=source)
    return Corpus(("valence", "arousal"), LICENSE, samples, "valence-arousal", notes=notes, source=source)


def _manifests(root: Path, notes: Counter[str]) -> list[Path]:
    """Return the list of each part, the first where there are copies."""
    found = {name: _files.find(root, name) for name in _PARTS}
    if copies := sum(len(paths) - 1 for paths in found.values() if paths):
        notes["second copy of a list skipped"] += copies
    return [paths[0] for paths in found.values() if paths]


def _rows(manifest: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row with its place for errors."""
    with _csv.opened(manifest) as file:
        reader = csv.DictReader(file)
        if missing := set(_NEEDED) - set(reader.fieldnames or ()):
            raise EmoError(f"{manifest.name} lacks the columns {', '.join(sorted(missing))}; is it AffectNet's list?")
        for row in reader:
            place = f"{manifest.name} line {reader.line_num}"
            if not row[_FILE] or "\0" in row[_FILE]:
                raise EmoError(f"{place}: {_FILE} names no file; the row is cut or foreign")
            yield place, row


def _base(root: Path, manifests: Sequence[Path]) -> Path:
    """Return the folder that the manifests' paths start from: the first below the root where one of them is found."""
    listed = [row[_FILE] for manifest in manifests for _, row in zip(range(100), _rows_only(manifest), strict=False)]
    # an absolute path is the same below every folder
    names = [name for name in listed if not Path(name).is_absolute()] or listed
    for folder in (root, *sorted(root.glob("*/")), *sorted(root.glob("*/*/"))):
        if any((folder / name).is_file() for name in names):
            return folder
    raise EmoError(f"none of the first images listed is below {root}; unpack AffectNet's images there")


def _rows_only(manifest: Path) -> Iterator[dict[str, str]]:
    return (row for _, row in _rows(manifest))


def _pictures(
    root: Path, base: Path, manifests: Sequence[Path], classes: int, labels: str, notes: Counter[str]
) -> Iterator[Picture]:
    """Yield the rows that are kept."""
    landmarks = all(_points(row) is not None for manifest in manifests for row in _rows_only(manifest))
    if not landmarks:
        notes[_NO_LANDMARKS] = 1
    for manifest in manifests:
        for place, row in _rows(manifest):
            y = _target(row, place, classes, labels, notes)
            if y is None:
                continue
            path = base / row[_FILE]
            # absolute, as a path in the list may be so too
            if _files.inside(root, path.absolute()) is None:
                notes["path out of the folder skipped"] += 1
                continue
            if not path.exists():
                notes["listed image that is not there skipped"] += 1
                continue
            yield Picture(path, row[_FILE], y, _PARTS[manifest.name], "", _points(row) if landmarks else None)


def _of_arrays(
    root: Path, parts: Mapping[str, Path], classes: int, labels: str, notes: Counter[str], source: Any
) -> Iterator[Picture]:
    """Yield the faces that are kept of those without a list; what labels them goes into the hash `source`."""
    landmarks = all(map(_affectnet_arrays.have_points, parts.values()))
    if not landmarks:
        notes[_NO_LANDMARKS] = 1
    for part, folder in parts.items():
        for path, row in _affectnet_arrays.rows(folder):
            name = _files.text(path.relative_to(root))
            if not row:
                notes["image without its annotations left out"] += 1
                continue
            source.update(f"{name} {row}".encode())
            y = _target(row, name, classes, labels, notes)
            if y is not None:
                yield Picture(path, name, y, part, "", _affectnet_arrays.points(path, POINTS) if landmarks else None)


def _target(
    row: Mapping[str, Any], place: str, classes: int, labels: str, notes: Counter[str]
) -> int | tuple[float, ...] | None:
    """Return y of a row, or None, counted, for one without an emotion or without the two numbers."""
    try:
        expression, valence, arousal = int(row["expression"]), float(row["valence"]), float(row["arousal"])
    except (TypeError, ValueError):
        raise EmoError(f"{place}: expression, valence and arousal are not numbers; the row is cut or foreign") from None
    if expression == CONTEMPT >= classes:
        notes["contempt left out"] += 1
        return None
    if labels == "valence-arousal":
        # each by itself: max passes over a NaN that comes second
        if abs(valence) <= 1 and abs(arousal) <= 1:
            return valence, arousal
        notes["row without valence and arousal left out"] += 1
        return None
    if 0 <= expression < classes:
        return expression
    notes["row without an emotion (none, uncertain, no face) left out"] += 1
    return None


def _points(row: dict[str, str]) -> NDArray[np.float32] | None:
    """Return the (68, 2) landmarks of a row, in pixels of the image, or None where it doesn't have them."""
    numbers = (row.get(_LANDMARKS) or "").split(";")
    if len(numbers) != 2 * POINTS:
        return None
    try:
        return np.array(numbers, np.float32).reshape(POINTS, 2)
    except ValueError:
        return None

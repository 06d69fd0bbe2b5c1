"""FER2013: 35,887 faces from image searches, 48x48 gray, 7 emotions.

Goodfellow et al., "Challenges in representation learning: a report on three machine learning contests", 2013
(arXiv:1307.0414). Parts: Training 28,709, PublicTest 3,589 (taken as validation), PrivateTest 3,589 (test).

Reads fer2013.csv (emotion,pixels,Usage), icml_face_data.csv (emotion, Usage, pixels), train.csv and test.csv of the
challenge (the latter has no labels), a folder that holds one of these, or train/CLASS/*.jpg and test/CLASS/*.jpg, whose
names say which of the parts they are of (PublicTest_1234.jpg); where they don't, the folders do.
Files as published are recognised by their md5; a partial file is read, and noted. No image is shipped with emo.

Options:
    public_test: what the PublicTest rows are for, validation, test, or test and no others (only)
    jobs: threads that decode the csv, 0 for one per core up to four; the result is the same
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from pathlib import Path

import numpy as np

from emocli import labels
from emocli.data.samples import Corpus, Samples
from emocli.datasets import _fer_csv
from emocli.datasets._fer_csv import Table
from emocli.datasets._fer_decode import USAGES
from emocli.errors import EmoError
from emocli.image.pictures import SUFFIXES

LICENSE = "research use; images never shipped"
_NAMES = ("fer2013.csv", "icml_face_data.csv", "train.csv", "test.csv")
"""What is looked for in a folder, the most complete first."""
ROWS = dict(zip(USAGES, (28_709, 3_589, 3_589), strict=True))


def read(sources: Sequence[Path], *, public_test: str = "validation", jobs: int = 0) -> Corpus:
    """Open FER2013 from its csv, several of them, or a folder; raises EmoError for other files and for bad rows."""
    parts = _fer_csv.parts(public_test)
    if not sources:
        raise EmoError("fer2013 is read from fer2013.csv or a folder; download it from Kaggle and name it")
    notes: Counter[str] = Counter()
    found = [_files(source, notes) for source in sources]
    if found == [[]]:
        return _from_images(sources[0], parts, notes)
    for folder in (source for source, files in zip(sources, found, strict=True) if not files):
        raise EmoError(f"{folder} holds none of {', '.join(_NAMES)}; name it by itself if it has folders of images")
    files = [file for each in found for file in each]
    source = hashlib.sha256()
    tables = [_fer_csv.open_table(file, source, jobs) for file in files]
    return Corpus(labels.SEVEN, LICENSE, _samples(tables, parts, notes), notes=notes, source=source)


def _files(source: Path, notes: Counter[str]) -> list[Path]:
    """Return the csv files that a source stands for: itself, or of a folder the most complete that it holds."""
    if not source.is_dir():
        return [source]
    for name in _NAMES:
        if found := sorted((*source.glob(name), *source.glob(f"*/{name}"))):
            if name == "train.csv" and found[0].with_name("test.csv").exists():
                notes["test.csv left out: the challenge's test rows have no labels"] = 1
            return found[:1]
    return []


def _samples(tables: Sequence[Table], parts: Mapping[str, str], notes: Counter[str]) -> Iterator[Samples]:
    """Yield the rows of all tables, numbered from 0; notes at the end what differs from the published files."""
    of_usage = list(parts.values())
    row, seen, published = 0, np.zeros(len(USAGES), np.intp), []
    for table in tables:
        labelled = "emotion" in table.columns
        for rows in table.rows:
            if labelled:
                seen += np.bincount(rows.usages, minlength=len(USAGES))
            split = [of_usage[usage] if labelled else "test" for usage in rows.usages.tolist()]
            ids = [*map(str, range(row, row + len(split)))]
            yield _kept(Samples(rows.pixels, rows.labels.tolist(), split, ids))
            row += len(split)
        published.append(table.md5 is not None and _fer_csv.PUBLISHED.get(table.md5.hexdigest(), ""))
    if not row:
        raise EmoError("the csv has a header and no rows; download FER2013 again")
    _fer_csv.expect_scored(parts, int(seen[USAGES.index("PublicTest")]))
    if all(published):
        notes[f"{' and '.join(map(str, published))} as published (md5)"] = 1
    else:
        notes[_difference(dict(zip(USAGES, seen.tolist(), strict=True)), row - int(seen.sum()))] = 1


def _kept(samples: Samples) -> Samples:
    """Return the samples without those that are left out, under the numbers that they have in the file."""
    if _fer_csv.LEFT_OUT not in samples.split:
        return samples
    kept = [part != _fer_csv.LEFT_OUT for part in samples.split]
    y, split, ids = compress(samples.y, kept), compress(samples.split, kept), compress(samples.id, kept)
    return Samples(samples.x[kept], [*y], [*split], [*ids])


def _difference(rows: dict[str, int], unlabelled: int) -> str:
    """Say how many rows of which part are there, beside the published number."""
    counts = [f"{rows[name]:,} of {count:,} {name} rows" for name, count in ROWS.items()]
    counts += [f"{unlabelled:,} rows without labels"] if unlabelled else []
    return f"not a file as Kaggle publishes it: {', '.join(counts)}"


def _from_images(root: Path, parts: Mapping[str, str], notes: Counter[str]) -> Corpus:
    """Open the layout with train and test folders of images; raises EmoError where PublicTest is asked for in vain."""
    from emocli.datasets import _folders, _images  # not at the top: OpenCV is a delay that the csv doesn't need

    entries = _folders.entries(root, SUFFIXES, notes)
    usages = [each.path.name.partition("_")[0] for each in entries]
    unnamed = sum(usage not in USAGES for usage in usages)
    named = not unnamed
    if 0 < unnamed < len(usages):
        notes[f"parts are those of the folders: {unnamed} images are not named as PublicTest_1234.jpg"] = 1
    if not named and parts != _fer_csv.parts("validation"):
        raise EmoError(f"not all images of {root} are named as PublicTest_1234.jpg; leave -p public_test=… out")
    _fer_csv.expect_scored(parts, usages.count("PublicTest"))
    pictures = [
        _images.Picture(
            each.path, each.id, labels.index(labels.SEVEN, each.label), parts[usage] if named else each.split
        )
        for each, usage in zip(entries, usages, strict=True)
        if not named or parts[usage] != _fer_csv.LEFT_OUT
    ]
    return _images.corpus(pictures, labels.SEVEN, LICENSE, notes)

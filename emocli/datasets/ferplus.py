"""FER+: FER2013's faces labelled anew by ten taggers each, 8 emotions.

Barsoum, Zhang, Canton Ferrer and Zhang, "Training deep networks for facial expression recognition with crowd-sourced
label distribution", ICMI 2016 (arXiv:1608.01041). 35,887 rows in the order of fer2013.csv: Usage, image name, votes
for neutral to contempt, unknown and NF (not a face). Usage gives train, validation (PublicTest) and test.

Reads fer2013.csv and fer2013new.csv, named in any order, or a folder that holds both. They are joined by row: rows
without an image name are left out, and some names occur twice. As in the paper a single vote is an outlier and counts
nothing. Left out and counted too are rows whose label is unknown or NF, and those without agreement: for majority no
label with more than half of the votes; otherwise the largest counts are kept until they hold three quarters of the
votes, and a row goes that needs more than three emotions, or whose emotions hold no more than half.

Options:
    labels: majority for a class index, votes for 8 counts, probability for the same divided by their sum
    public_test: what the PublicTest rows are for, validation, test, or test and no others (only)
    jobs: threads that decode the csv, 0 for one per core up to four; the result is the same
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emocli import labels as names
from emocli.data.samples import Corpus, Sample
from emocli.datasets import _csv, _fer_csv, _files
from emocli.datasets._fer_csv import Table
from emocli.datasets._fer_decode import USAGES
from emocli.errors import EmoError

LICENSE = "votes MIT; images research use, never shipped"
MEANINGS = {"majority": "label", "votes": "votes", "probability": "probabilities"}
_UNKNOWN, _NOT_A_FACE = len(names.EIGHT), len(names.EIGHT) + 1
_COLUMNS = len(names.EIGHT) + 2
_SET_ASIDE = {_UNKNOWN: "unknown emotion left out", _NOT_A_FACE: "NF (not a face) left out"}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A row of fer2013new.csv: its usage, image name and votes, single ones (outliers) set to 0."""

    usage: str
    name: str
    votes: tuple[int, ...]


def read(
    sources: Sequence[Path], *, labels: str = "majority", public_test: str = "validation", jobs: int = 0
) -> Corpus:
    """Open FER+ from its two files; raises EmoError when one is missing, malformed, or they don't fit row by row."""
    if labels not in MEANINGS:
        raise EmoError(f"labels is {labels!r}; choose {', '.join(MEANINGS)}")
    parts = _fer_csv.parts(public_test)
    votes_path, pixels_path = _both(sources)
    source = hashlib.sha256(votes_path.read_bytes())
    tagged = _tagged(votes_path)
    table = _fer_csv.open_table(pixels_path, source, jobs)
    notes: Counter[str] = Counter()
    samples = _samples(table, tagged, parts, labels, notes)
    return Corpus(names.EIGHT, LICENSE, samples, MEANINGS[labels], notes=notes, source=source)


def _both(sources: Sequence[Path]) -> tuple[Path, Path]:
    """Return the paths of the votes and of the pixels, told apart by what the files begin with."""
    files = list(sources)
    if len(files) == 1 and files[0].is_dir():
        files = [each for each in _files.find(files[0], "*.csv") if each.name in ("fer2013.csv", "fer2013new.csv")]
    votes: list[Path] = []
    pixels: list[Path] = []
    for file in files:
        if file.is_dir():
            raise EmoError(f"{file} is a folder; give one folder with both files, or fer2013.csv and fer2013new.csv")
        _files.check_plain(file)
        with open(file, "rb") as opened:
            (pixels if b"pixels" in opened.read(200) else votes).append(file)
    if len(votes) != 1 or len(pixels) != 1:
        given = ", ".join(str(path) for path in sources) or "nothing"
        raise EmoError(f"FER+ needs fer2013.csv and fer2013new.csv, or a folder with one of each; given was {given}")
    return votes[0], pixels[0]


def _tagged(path: Path) -> list[Tagged]:
    """Return all rows of fer2013new.csv; raises EmoError with the line of one that can't be read."""
    rows = []
    with _csv.opened(path) as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if [word.strip().lower() for word in header[-2:]] != ["unknown", "nf"] or len(header) != 2 + _COLUMNS:
            raise EmoError(f"{path.name} is not FER+: expected the columns Usage,Image name,neutral,…,unknown,NF")
        for line in filter(None, reader):
            votes = [int(word) if word.strip().isdecimal() and len(word) < 10 else -1 for word in line[2:]]
            if len(votes) != _COLUMNS or min(votes) < 0 or line[0] not in USAGES:
                raise EmoError(f"{path.name} line {reader.line_num}: expected a usage, a name and {_COLUMNS} votes")
            rows.append(Tagged(line[0], line[1].strip(), tuple(vote if vote > 1 else 0 for vote in votes)))
    return rows


def _samples(
    table: Table, tagged: Sequence[Tagged], parts: Mapping[str, str], labels: str, notes: Counter[str]
) -> Iterator[Sample]:
    """Yield the rows that keep a label, joined by their number."""
    row = scored = 0
    for rows in table.rows:
        scored += int(np.count_nonzero(rows.usages == USAGES.index("PublicTest")))
        for x, usage in zip(rows.pixels, rows.usages.tolist(), strict=True):
            tags = tagged[row] if row < len(tagged) else None
            if tags and "usage" in table.columns and tags.usage != USAGES[usage]:
                raise EmoError(
                    f"row {row} is {USAGES[usage]} in fer2013.csv and {tags.usage} in fer2013new.csv; "
                    "the files don't belong together: give both as published"
                )
            y = _target(tags, labels, notes) if tags else None
            if tags and y is not None and parts[tags.usage] != _fer_csv.LEFT_OUT:
                yield Sample(x, y, parts[tags.usage], "", str(row))
            row += 1
    _fer_csv.expect_scored(parts, scored)
    if row != len(tagged):
        notes[
            f"fer2013.csv has {row:,} rows, fer2013new.csv {len(tagged):,}; they are joined by number, so where others "
            "than the last are missing, labels are wrong"
        ] = 1


def _target(row: Tagged, labels: str, notes: Counter[str]) -> int | tuple[float, ...] | None:
    """Return y of a row, or None, counted in the notes, for one that has to be left out."""
    if not row.name:
        notes["row without an image name left out"] += 1
        return None
    kept = _majority(row.votes) if labels == "majority" else _largest(row.votes)
    if isinstance(kept, str):
        notes[kept] += 1
        return None
    if labels == "majority":
        return kept.index(max(kept))
    return tuple(kept) if labels == "votes" else tuple(vote / sum(kept) for vote in kept)


def _majority(votes: Sequence[int]) -> list[float] | str:
    """Return the votes for the emotion that has more than half, or why there is none."""
    most = max(votes)
    winner = votes.index(most)
    if 2 * most <= sum(votes):
        return "tie for the most votes left out" if votes.count(most) > 1 else "row without a majority left out"
    if winner in _SET_ASIDE:
        return _SET_ASIDE[winner]
    return [most if i == winner else 0 for i in range(len(names.EIGHT))]


def _largest(votes: Sequence[int]) -> list[float] | str:
    """Return the votes for the emotions that carry the row, or why none do; equal counts are kept together."""
    total, held, taken = sum(votes), 0, 0
    kept = [0.0] * len(names.EIGHT)
    for count in sorted(set(votes) - {0}, reverse=True):
        if 4 * held >= 3 * total or taken >= 3:
            break
        for i in (i for i in range(len(names.EIGHT)) if votes[i] == count):
            kept[i] = count
            held, taken = held + count, taken + 1
        aside = next((i for i in _SET_ASIDE if votes[i] == count), None)
        if aside is not None and not taken:
            return _SET_ASIDE[aside]
        if aside is not None:  # the taggers' doubt ends the list of emotions
            break
    return kept if 2 * held > total and taken <= 3 else "row without agreement left out"

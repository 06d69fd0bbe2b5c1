"""Your own texts: a csv, tsv or jsonl file, or several, with a text and a label in each row.

The first line of a csv or tsv file names its columns, in any case, divided by commas, semicolons or tabs; a text may go
on over lines in quotation marks. A jsonl file has an object a line: {"text": "Oh no", "label": "sad"}. Files are in
UTF-8; what is none is read as Windows-1252 and counted.

Labels are read in the usual spellings (anger, angry, happiness, happy, …), others in lower case. Rows without a label
are kept, for emo distill --alpha 1, those without a text left out; both are counted. Splits share no subject where
there is a column for it. The id of a text is its file and line.

Options:
    text: column of the texts
    label: column of the labels
    subject: column that says who wrote it, or whom it is about ("": none)
    part: column that says train, validation (or dev) or test ("": none)
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from emocli import labels
from emocli.data.samples import Corpus, Sample
from emocli.datasets import _csv, _files, _folders
from emocli.errors import EmoError

LICENSE = "not stated: yours to know"
_SUFFIXES = (".csv", ".tsv", ".jsonl")
_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_MOST = 1000
"""Different labels: more are no classes, but another column."""
_LONGEST = 200
"""Characters of a label or a subject."""
_SHOWN = 20
"""Names of columns in an error, and signs of each."""


class Row(NamedTuple):
    """A row with a text; `id` is the file's name and the line, others are empty where there is none."""

    id: str
    text: str
    label: str
    subject: str
    part: str


def read(
    sources: Sequence[Path], *, text: str = "text", label: str = "label", subject: str = "", part: str = ""
) -> Corpus:
    """Open files of texts; raises EmoError for other files, missing columns, bad rows or fewer than two classes."""
    if not sources or any(path.is_dir() or path.suffix.lower() not in _SUFFIXES for path in sources):
        given = ", ".join(map(str, sources)) or "nothing"
        raise EmoError(f"texts are read from files {', '.join(_SUFFIXES)}, given was {given}")
    columns = {"text": text, "label": label, "subject": subject, "part": part}
    source = _files.digest(sources)
    notes: Counter[str] = Counter()
    order, places = _classes(_rows(sources, columns, Counter()), notes)
    samples = _samples(_rows(sources, columns, notes), places, notes, named=bool(subject))
    return Corpus(order, LICENSE, samples, modality="text", notes=notes, source=source)


def _classes(rows: Iterator[Row], notes: Counter[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the classes in their order, and the place among them of each label as it is written, -1 for none."""
    written: set[str] = set()
    for row in rows:
        written.add(row.label)
        if len(written) > _MOST:
            raise EmoError(f"there are more than {_MOST:,} different labels; is it the right column? -p label=")
    written.discard("")
    spelled: dict[str, set[str]] = {}
    for word in written:
        spelled.setdefault(labels.canonical(word), set()).add(labels.plain(word))
    if len(spelled) < 2:
        seen = f"have one class only, {next(iter(spelled))!r}" if spelled else "have no labels, or are none"
        raise EmoError(f"the texts {seen}; two classes at least are needed")
    for name, words in spelled.items():
        if len(words) > 1:
            notes[f"labels {', '.join(sorted(words))} are one class, {name}"] = 1
    order = _folders.known_order(set(spelled))
    return order, {"": -1} | {word: order.index(labels.canonical(word)) for word in written}


def _samples(rows: Iterator[Row], places: Mapping[str, int], notes: Counter[str], *, named: bool) -> Iterator[Sample]:
    for row in rows:
        if not row.label:
            notes["text without a label"] += 1
        if named and not row.subject:
            notes["text without a subject"] += 1
        yield Sample(row.text.encode(), places[row.label], row.part, row.subject, row.id)


def _rows(paths: Sequence[Path], columns: Mapping[str, str], notes: Counter[str]) -> Iterator[Row]:
    """Yield the rows of all files that have a text; `columns` has the name that is asked for by what it is for."""
    for path in paths:
        read_as = _objects if path.suffix.lower() == ".jsonl" else _table
        name, wanted = _files.text(Path(path.name)), dict[str, str]()
        with _csv.opened(path, notes) as lines:
            for line, cells in read_as(path, _plain(path, lines)):
                wanted = wanted or _wanted(path, cells, columns)
                try:
                    row = _row(f"{name}:{line}", {use: _word(cells.get(column)) for use, column in wanted.items()})
                except ValueError as fault:
                    raise EmoError(f"{path} line {line} {fault}") from None
                if row.text.strip():
                    yield row
                else:
                    notes["row without a text left out"] += 1
        if not wanted:
            raise EmoError(f"{path} has no rows; its first line names the columns, if it is no jsonl file")


def _plain(path: Path, lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines; raises EmoError for one that no text has."""
    for line in lines:
        if "\0" in line:
            raise EmoError(f"{path} is no text, or in UTF-16; save it as UTF-8")
        yield line


def _wanted(path: Path, cells: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of the uses that one is named for; raises EmoError for one that is not there."""
    wanted = {use: _name(name) for use, name in columns.items() if name or use in ("text", "label")}
    for use, name in wanted.items():
        if name not in cells:
            there = ", ".join(each[:_SHOWN] or "''" for each in list(cells)[:_SHOWN])
            raise EmoError(f"{path} has no column {name!r}, but {there}; choose with -p {use}=")
    return wanted


def _row(id: str, words: Mapping[str, str]) -> Row:
    """Return a row, its part by its usual name; raises ValueError, saying what it has, for words that can't be."""
    for use in ("label", "subject"):
        if len(words.get(use, "")) > _LONGEST:
            raise ValueError(f"has a {use} of {len(words[use]):,} characters; is it the right column? -p {use}=")
    written = words.get("part", "").strip()
    part = written and _folders.part(written)
    if written and not part:
        raise ValueError(f"is of part {written[:_LONGEST]!r}; say train, validation or test, or leave it empty")
    return Row(id, words["text"], words["label"].strip(), words.get("subject", "").strip(), part)


def _table(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line that each row of a csv or tsv file begins at, and its cells by column."""
    first, line = next(lines, ""), 1
    tabs = path.suffix.lower() == ".tsv"
    delimiter = "\t" if tabs else max(_DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    try:
        header = [_name(name) for name in next(reader, [])]
        line = reader.line_num + 1
        for row in reader:
            if len(row) not in (0, len(header)):
                raise EmoError(
                    f"{path} line {line} has {len(row)} columns and the first line {len(header)}; a text with what "
                    f"divides them in it, {_DELIMITERS[delimiter]}, is put in quotation marks"
                )
            if row:
                yield line, dict(zip(header, row, strict=True))
            line = reader.line_num + 1
    except csv.Error as fault:
        raise EmoError(
            f"{path} line {line}: {fault}; a text in quotation marks ends with one, and those inside it are doubled"
        ) from fault


def _objects(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line of each object of a jsonl file, and its values by name."""
    for line, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise EmoError(f'{path} line {line} is no JSON object; expected one a line: {{"text": "…", "label": "…"}}')
        yield line, {_name(name): value for name, value in found.items()}


def _name(column: str) -> str:
    return column.strip().lower()


def _word(value: Any) -> str:
    """Return what a cell holds as text that can be written as UTF-8; raises ValueError for a list or an object."""
    if isinstance(value, list | dict):
        raise ValueError("has a list or an object where a text or a number should be")
    # an escape in JSON may be half of a character
    return "" if value is None else str(value).encode("utf-8", "replace").decode()

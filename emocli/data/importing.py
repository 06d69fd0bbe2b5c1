"""Turns an open corpus into a dataset artifact, in chunks."""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from emocli.artifact import Header, Step
from emocli.data import splits
from emocli.data.hdf5_writer import Writer
from emocli.data.samples import Corpus, Sample, Samples
from emocli.errors import EmoError
from emocli.telling import Note

CHUNK_BYTES = 1 << 22
"""What is written at once: many small pictures or few large ones; one clip may be an hour long."""


def write(corpus: Corpus, path: Path, step: Step, split: dict[str, Any], note: Note) -> Header:
    """Write all samples of a corpus to `path`; returns the header.

    `step` gains the corpus's licence and the hash of what was read. Raises EmoError when there are no samples, and
    before anything is read for a `split` that can't be.
    """
    splits.check(**split)
    if step["params"].get("fold") and split["split"] != "published":
        raise EmoError(
            f"fold={step['params']['fold']} says who is in the test part and --split {split['split']} divides anew; "
            "leave out one of them"
        )
    columns: dict[str, list[Any]] = {"y": [], "split": [], "group": [], "id": [], "about": []}
    writer = Writer(path, modality=corpus.modality, count=corpus.count, channels=corpus.channels)
    try:
        for chunk in _chunks(corpus.stream):
            fields = _fields(chunk)
            _append(writer, fields["x"], fields["landmarks"])
            for name, column in columns.items():
                column.extend(fields[name])
        _report(corpus, len(columns["y"]), note)
        y = np.array(columns["y"], np.float32 if corpus.meaning != "label" else np.int64)
        classes = y if y.ndim == 1 else y.argmax(axis=1)
        parts = splits.assign(columns["split"], columns["group"], columns["id"], classes.astype(np.int64), **split)
        if _is_drawn(columns["split"], split["split"]) and (rows := int((parts == "test").sum())):
            note(f"no test part is there: {rows} rows of train are drawn for it")
        # a generated corpus reads nothing: its step says all there is to know
        read = corpus.source.hexdigest()
        source = {} if read == hashlib.sha256().hexdigest() else {"input": f"sha256:{read}"}
        step |= {**source, "license": corpus.license}
        header = Header("dataset", corpus.labels, (step,))
        writer.finish(header, y, corpus.meaning, parts, columns["group"], columns["id"], _about(columns["about"]))
    finally:
        writer.close()
    return header


def _is_drawn(published: list[str], how: str) -> bool:
    """Tell whether parts as published lack the one for scoring, where there are any."""
    return how == "published" and any(published) and "test" not in published


def _fields(chunk: list[Sample] | list[Samples]) -> dict[str, Any]:
    """Return what a chunk holds by the names of Sample's fields, each of them as a sequence."""
    columns = zip(*chunk, strict=True)
    if isinstance(chunk[0], Sample):
        return dict(zip(Sample._fields, columns, strict=True))
    x, *lists = columns
    y, split, ids = ([*chain.from_iterable(each)] for each in lists)
    return {"x": x, "y": y, "split": split, "id": ids, "group": repeat("", len(y)), "about": (), "landmarks": (None,)}


def _append(writer: Writer, x: Any, landmarks: Any) -> None:
    if isinstance(x[0], bytes):
        writer.append_encoded(x)
    elif x[0].ndim < 3:
        writer.append_ragged(x)
    else:
        # pictures one by one, or many at once
        writer.append(np.concatenate(x).reshape(-1, *x[0].shape[-3:]))
    if landmarks[0] is not None:
        writer.append_landmarks(np.stack(landmarks))


def _about(rows: list[Mapping[str, str]]) -> dict[str, list[str]]:
    return {name: [row.get(name, "") for row in rows] for name in (rows[0] if rows else ())}


def _report(corpus: Corpus, count: int, note: Note) -> None:
    for text, times in corpus.notes.items():
        note(text if times == 1 else f"{text} ({times} times)")
    if not count:
        raise EmoError("the corpus has no samples; check that the path is the right one")


def _chunks(stream: Iterator[Sample] | Iterator[Samples]) -> Iterator[list[Sample] | list[Samples]]:
    chunk: list[Any] = []
    held = 0
    for each in stream:
        chunk.append(each)
        held += len(each.x) if isinstance(each.x, bytes) else each.x.nbytes
        if held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk

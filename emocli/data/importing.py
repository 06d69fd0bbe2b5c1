"""Turns an open corpus into a dataset artifact, in chunks."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from emocli.artifact import Header, Step
from emocli.data import splits
from emocli.data.hdf5_writer import Writer
from emocli.data.samples import Corpus, Sample
from emocli.errors import EmoError

CHUNK_BYTES = 1 << 22
"""What is written at once: many small pictures or few large ones; one clip may be an hour long."""


def write(corpus: Corpus, path: Path, step: Step, split: dict[str, Any], note: Callable[[str], None]) -> Header:
    """Write all samples of a corpus to `path`; returns the header.

    `step` gains the corpus's licence and the hash of what was read. Raises EmoError when there are no samples.
    """
    columns: dict[str, list[Any]] = {"y": [], "split": [], "group": [], "id": [], "about": []}
    fields = attrgetter(*columns)
    writer = Writer(path, modality=corpus.modality, count=corpus.count)
    try:
        for samples in _chunks(corpus.samples):
            _append(writer, samples)
            for column, values in zip(columns.values(), zip(*map(fields, samples), strict=True), strict=True):
                column.extend(values)
        _report(corpus, len(columns["y"]), note)
        y = np.array(columns["y"], np.float32 if corpus.meaning != "label" else np.int64)
        classes = y if y.ndim == 1 else y.argmax(axis=1)
        parts = splits.assign(columns["split"], columns["group"], classes.astype(np.int64), **split)
        # a generated corpus reads nothing: its step says all there is to know
        read = corpus.source.hexdigest()
        source = {} if read == hashlib.sha256().hexdigest() else {"input": f"sha256:{read}"}
        step |= {**source, "license": corpus.license}
        header = Header("dataset", corpus.labels, (step,))
        writer.finish(header, y, corpus.meaning, parts, columns["group"], columns["id"], _about(columns["about"]))
    finally:
        writer.close()
    return header


def _append(writer: Writer, samples: list[Sample]) -> None:
    if isinstance(samples[0].x, bytes):
        writer.append_encoded([sample.x for sample in samples if isinstance(sample.x, bytes)])
    elif samples[0].x.ndim == 1:
        writer.append_ragged([sample.x for sample in samples if not isinstance(sample.x, bytes)])
    else:
        rows = np.concatenate([sample.x for sample in samples if not isinstance(sample.x, bytes)])
        writer.append(rows.reshape(len(samples), *samples[0].x.shape))
    if samples[0].landmarks is not None:
        writer.append_landmarks(np.stack([sample.landmarks for sample in samples if sample.landmarks is not None]))


def _about(rows: list[Mapping[str, str]]) -> dict[str, list[str]]:
    return {name: [row.get(name, "") for row in rows] for name in (rows[0] if rows else ())}


def _report(corpus: Corpus, count: int, note: Callable[[str], None]) -> None:
    for text, times in corpus.notes.items():
        note(text if times == 1 else f"{text} ({times} times)")
    if not count:
        raise EmoError("the corpus has no samples; check that the path is the right one")


def _chunks(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    chunk: list[Sample] = []
    held = 0
    for sample in samples:
        chunk.append(sample)
        held += len(sample.x) if isinstance(sample.x, bytes) else sample.x.nbytes
        if held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk

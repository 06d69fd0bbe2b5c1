"""Turns a dataset artifact into a features artifact, in chunks."""

import atexit
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import pipes
from emocli.artifact import Header
from emocli.data import hdf5
from emocli.data.hdf5 import Data
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.extracting.extraction import Process
from emocli.extracting.joining import Features

CHUNK, CHUNK_SAMPLES = 256, 1 << 22
"""What is read at once: so many rows, and no more sound than this (16 MB); one sound at least."""
USUAL = {"face": "pixels", "speech": "mfcc"}
"""The extractor for each modality that is taken when none is named."""
Made = tuple[Features, NDArray[np.bool_]]
"""The features of those of some rows that have a face or a voice, and which these are."""
MISSING = {"face": "samples have no face", "speech": "clips have no voice"}


def write(
    source: pipes.Input,
    path: Path,
    name: str,
    params: Mapping[str, Any],
    detector: str,
    detector_params: Mapping[str, Any],
    *,
    limit: int,
    jobs: int = 1,
    note: Callable[[str], None],
) -> None:
    """Write the features of `source` to `path`; samples without a face are left out and counted.

    No `name` is the usual extractor of what the data hold. `limit` keeps the first so many samples of each part, 0 all;
    `jobs` processes share the work. Raises EmoError when no sample has a face or a voice.
    """
    if jobs < 1:
        raise EmoError(f"jobs={jobs} is less than one process; try 2")
    with hdf5.open_data(source.path, source.source) as data:
        name = name or USUAL[data.modality]
        process, step = extraction.start(name, params, detector, note, detector_params, data.modality)
        rows = _limited(data, limit)
        parts = _chunks(data, rows)
        made: Iterator[Made] = (_features(data, part, process) for part in parts)
        if jobs > 1:
            recipe = name, dict(params), detector, dict(detector_params), data.modality
            made = _by_several(source, recipe, parts, jobs)
        writer = Writer(path, modality=data.modality, count=len(rows) if step["detector"] == "none" else None)
        try:
            found = [_append(writer, *each) for each in made]
            kept = rows[np.concatenate([np.empty(0, bool), *found])]
            if missing := len(rows) - len(kept):
                note(f"{missing} of {len(rows)} {MISSING[data.modality]} that {step['detector']} finds; left out")
            if not len(kept):
                raise EmoError(f"all {MISSING[data.modality]}; try another --detector, or --detector none to keep all")
            step |= {"input": source.digest} | ({"options": {"limit": limit}} if limit else {})
            _finish(writer, data, kept, data.header.then(step, kind="features"))
        finally:
            writer.close()


def _finish(writer: Writer, data: Data, kept: NDArray[np.int64], header: Header) -> None:
    """Write the columns of the rows that are kept, as the dataset has them, and the header."""
    group, ids = ([texts[row] for row in kept] for texts in (data.group, data.id))
    about = {name: [texts[row] for row in kept] for name, texts in data.about.items()}
    writer.finish(header, data.y[kept], data.meaning, data.split[kept], group, ids, about)


def _by_several(
    source: pipes.Input, recipe: tuple[Any, ...], parts: Sequence[NDArray[np.int64]], jobs: int
) -> Iterator[Made]:
    """Return the features of each part of the rows, in order, made by several processes."""
    from emocli.extracting import parallel  # 50 ms and 5 MB, which one process does without

    return parallel.each_in_order(_work, parts, jobs, (source.path, source.source, recipe))


def _work(path: Path, source: str, recipe: tuple[Any, ...]) -> Callable[[NDArray[np.int64]], Made]:
    """Return what a process that shares the work does: it makes the extractor and opens the data for itself, once."""
    name, params, detector, detector_params, modality = recipe
    process, _ = extraction.start(name, params, detector, lambda text: None, detector_params, modality)
    opened = contextlib.ExitStack()
    atexit.register(opened.close)
    data = opened.enter_context(hdf5.open_data(path, source))

    def work(rows: NDArray[np.int64]) -> Made:
        return _features(data, rows, process)

    return work


def _features(data: Data, rows: NDArray[np.int64], process: Process) -> Made:
    """Return the features of those of some rows that have a face or a voice, and which these are."""
    items = data.raw(int(rows[0]), int(rows[-1]) + 1)
    features, found = process([items[row - rows[0]] for row in rows])
    arrays = features if isinstance(features, list) else [features]
    if any(each.dtype.kind == "f" and not np.isfinite(each).all() for each in arrays):
        raise EmoError(f"the extractor gave values that are not numbers in rows {rows[0]} to {rows[-1]}")
    return features, found


def _append(writer: Writer, features: Features, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if isinstance(features, list):
        writer.append_ragged(features)
    elif len(features):
        writer.append(features)
    return found


def _limited(data: Data, limit: int) -> NDArray[np.int64]:
    if not limit:
        return data.rows("all")
    parts = [np.flatnonzero(data.split == part)[:limit] for part in np.unique(data.split)]
    return np.sort(np.concatenate(parts))


def _chunks(data: Data, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split the rows into runs that are read at once, never over a long gap and never much sound."""
    cuts = np.diff(rows) > CHUNK
    if data.modality == "speech":
        cuts = (np.diff(rows) > 1) | (np.diff(np.cumsum(data.lengths[rows]) // CHUNK_SAMPLES) > 0)
    runs = np.split(rows, np.flatnonzero(cuts) + 1)
    return [run[start : start + CHUNK] for run in runs for start in range(0, len(run), CHUNK)]

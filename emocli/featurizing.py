"""Turns a dataset artifact into a features artifact, in chunks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import extraction, hdf5, pipes
from emocli.errors import EmoError
from emocli.extraction import Process
from emocli.hdf5 import Data
from emocli.hdf5_writer import Writer

CHUNK, CHUNK_SAMPLES = 256, 1 << 22
"""What is read at once: so many rows, and no more sound than this (16 MB); one sound at least."""
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
    note: Callable[[str], None],
) -> None:
    """Write the features of `source` to `path`; samples without a face are left out and counted.

    `limit` keeps the first so many samples of each part, 0 all. Raises EmoError when no sample has a face or a voice.
    """
    with hdf5.open_data(source.path, source.source) as data:
        process, step = extraction.start(name, params, detector, note, detector_params, data.modality)
        rows = _limited(data, limit)
        writer = Writer(path, modality=data.modality, count=len(rows) if step["detector"] == "none" else None)
        try:
            found = [_append(writer, data, part, process) for part in _chunks(data, rows)]
            kept = rows[np.concatenate([np.empty(0, bool), *found])]
            if missing := len(rows) - len(kept):
                note(f"{missing} of {len(rows)} {MISSING[data.modality]} that {step['detector']} finds; left out")
            if not len(kept):
                raise EmoError(f"all {MISSING[data.modality]}; try another --detector, or --detector none to keep all")
            step |= {"input": source.digest} | ({"options": {"limit": limit}} if limit else {})
            header = data.header.then(step, kind="features")
            group, ids = ([texts[row] for row in kept] for texts in (data.group, data.id))
            about = {name: [texts[row] for row in kept] for name, texts in data.about.items()}
            writer.finish(header, data.y[kept], data.meaning, data.split[kept], group, ids, about)
        finally:
            writer.close()


def _append(writer: Writer, data: Data, rows: NDArray[np.int64], process: Process) -> NDArray[np.bool_]:
    """Write the features of some rows; returns which of them have a face or a voice."""
    items = data.raw(int(rows[0]), int(rows[-1]) + 1)
    features, found = process([items[row - rows[0]] for row in rows])
    arrays = features if isinstance(features, list) else [features]
    if any(each.dtype.kind == "f" and not np.isfinite(each).all() for each in arrays):
        raise EmoError(f"the extractor gave values that are not numbers in rows {rows[0]} to {rows[-1]}")
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

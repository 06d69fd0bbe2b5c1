"""Turns a dataset artifact into a features artifact, in chunks."""

import atexit
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from emocli.extracting import by_person, copying, extraction, pieces
from emocli.extracting.copying import Part
from emocli.extracting.extraction import Process
from emocli.extracting.joining import Features
from emocli.sound.augmenting import Copies
from emocli.telling import Note

CHUNK = 256
"""Rows that are read at once; fewer where they are long clips or large pictures: see `pieces`."""
USUAL = {"face": "pixels", "speech": "mfcc", "physio": "pulse+eda+skin-temperature+movement", "text": "projection"}
"""The extractor for each modality that is taken when none is named."""
Made = tuple[Features, NDArray[np.bool_]]
"""The features of those of some rows that have a face or a voice, and which these are."""
Plan = Callable[[str], Copies]
"""From what the data hold, face, speech, physio or text, to the copies that are asked for."""
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
    length: float = 0.0,
    relative: bool = False,
    plan: Plan = lambda modality: Copies(),
    jobs: int = 1,
    note: Note,
) -> None:
    """Write the features of `source` to `path`; samples without a face are left out and counted.

    No `name` is the usual extractor of what the data hold. Sounds are cut and then brought to `length` seconds, 0 for
    as long as they are. With `relative`, vectors are seen against others of the same person. `limit` keeps the first so
    many samples of each part, 0 all; `plan` tells which copies of the train part come after all rows; `jobs` processes
    share the work. Raises EmoError when no sample has a face or a voice.
    """
    if jobs < 1:
        raise EmoError(f"jobs={jobs} is less than one process; try 2")
    with hdf5.open_data(source.path, source.source) as data:
        name, copies = name or USUAL[data.modality], plan(data.modality)
        by_person.check(relative, data.modality, data.group)
        process, step = extraction.start(name, params, detector, note, detector_params, data.modality, length)
        parts = copying.parts(data, _chunks(data, _limited(data, limit)), copies)
        if jobs > 1:
            # the detector that was found, not asked for: auto might find another one in each process
            recipe = name, dict(params), step["detector"], step["detector_params"], data.modality, length, copies
            made = _by_several(source, recipe, parts, jobs)
        else:
            items = copying.listener(data, copies)
            made = (_features(items(part), part, process) for part in parts)
        if relative:
            made = by_person.together(made, [data.group[row] for part in parts for row in part.rows])
        count = sum(len(part.rows) for part in parts) if step["detector"] == "none" else None
        writer = Writer(path, modality=data.modality, count=count)
        try:
            kept, numbers = _appended(writer, zip(parts, made, strict=True), len(data))
            _tell(data, parts, numbers, step["detector"], note)
            options = {"limit": limit} if limit else {}
            options |= ({"length": length} if length else {}) | copies.recorded()
            options |= {by_person.OPTION: True} if relative else {}
            step |= {"input": source.digest} | ({"options": options} if options else {})
            _finish(writer, data, kept, numbers, data.header.then(step, kind="features"))
        finally:
            writer.close()


def _tell(data: Data, parts: Sequence[Part], numbers: NDArray[np.int64], detector: str, note: Note) -> None:
    """Say how many samples are left out; raises EmoError where nothing is left."""
    asked = sum(len(part.rows) for part in parts if not part.copy)
    found = int((numbers == 0).sum())
    if asked > found:
        note(f"{asked - found} of {asked} {MISSING[data.modality]} that {detector} finds; left out")
    if detector == "none" and data.modality == "face" and not data.shape:
        note("pictures are taken whole; unless they are cut to faces, --detector auto cuts them as predict and live do")
    if not found:
        raise EmoError(f"all {MISSING[data.modality]}; try another --detector, or --detector none to keep all")
    if lost := sum(len(part.rows) for part in parts) - asked - int((numbers > 0).sum()):
        note(f"{lost} copies are left out: no voice is found in them, or none in the clip itself")


def _finish(writer: Writer, data: Data, kept: NDArray[np.int64], numbers: NDArray[np.int64], header: Header) -> None:
    """Write the columns of the rows that are kept, as the dataset has them, and the header."""
    group, ids = ([texts[row] for row in kept] for texts in (data.group, data.id))
    about = {name: [texts[row] for row in kept] for name, texts in data.about.items()}
    original = copying.originals(kept, numbers) if numbers.any() else None
    ids = copying.named(ids, numbers)
    writer.finish(header, data.y[kept], data.meaning, data.split[kept], group, ids, about, original)


def _by_several(source: pipes.Input, recipe: tuple[Any, ...], parts: Sequence[Part], jobs: int) -> Iterator[Made]:
    """Return the features of each part of the rows, in order, made by several processes."""
    from emocli.extracting import parallel  # 50 ms and 5 MB, which one process does without

    return parallel.each_in_order(_work, parts, jobs, (source.path, source.source, recipe))


def _work(path: Path, source: str, recipe: tuple[Any, ...]) -> Callable[[Part], Made]:
    """Return what a process that shares the work does: it makes the extractor and opens the data for itself, once."""
    name, params, detector, detector_params, modality, length, copies = recipe
    process, _ = extraction.start(name, params, detector, lambda text: None, detector_params, modality, length)
    opened = contextlib.ExitStack()
    atexit.register(opened.close)
    items = copying.listener(opened.enter_context(hdf5.open_data(path, source)), copies)

    def work(part: Part) -> Made:
        return _features(items(part), part, process)

    return work


def _features(items: Sequence[Any], part: Part, process: Process) -> Made:
    """Return the features of those of some rows that have a face or a voice, and which these are."""
    features, found = process(items)
    arrays = features if isinstance(features, list) else [features]
    if any(each.dtype.kind == "f" and not np.isfinite(each).all() for each in arrays):
        raise EmoError(f"the extractor gave values that are not numbers in rows {part.rows[0]} to {part.rows[-1]}")
    return features, found


def _appended(
    writer: Writer, made: Iterable[tuple[Part, Made]], rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Write the features as they come; returns the rows that are kept, and of which copy they are, 0 for none."""
    heard = np.zeros(rows, bool)
    kept, numbers = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part, (features, found) in made:
        if part.copy:  # noise alone may pass for a voice: what is left out has no copies
            features, found = _of_heard(features, found, heard[part.rows])
        else:
            heard[part.rows[found]] = True
        _append(writer, features)
        kept.append(part.rows[found])
        numbers.append(np.full(found.sum(), part.copy))
    return np.concatenate(kept), np.concatenate(numbers)


def _of_heard(features: Features, found: NDArray[np.bool_], heard: NDArray[np.bool_]) -> Made:
    keep = heard[found]
    if isinstance(features, list):
        return [each for each, is_heard in zip(features, keep, strict=True) if is_heard], found & heard
    return features[keep] if len(keep) else features, found & heard


def _append(writer: Writer, features: Features) -> None:
    if len(features):
        writer.append_ragged(features) if isinstance(features, list) else writer.append(features)


def _limited(data: Data, limit: int) -> NDArray[np.int64]:
    if not limit:
        return data.rows("all")
    parts = [np.flatnonzero(data.split == part)[:limit] for part in np.unique(data.split)]
    return np.sort(np.concatenate(parts))


def _chunks(data: Data, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split the rows into runs that are read at once, never over a long gap and never much to decode."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) > CHUNK) + 1)
    light = [piece for run in runs for piece in pieces.of(data, run)]
    return [run[start : start + CHUNK] for run in light for start in range(0, len(run), CHUNK)]

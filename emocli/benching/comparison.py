"""A model beside the FP32 model it was quantized from: speed, size, memory and accuracy."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from emocli import benchmark, cores, kept, onnx_file, pipes, registry, shipped, store
from emocli.benching import bench_row
from emocli.data import hdf5, people
from emocli.devices._device import Device
from emocli.engines._engine import Engine
from emocli.errors import EmoError
from emocli.scores import acquaintance, evaluation, metrics
from emocli.telling import Note

_PART = "validation"
"""What accuracy is of: the part that a model was chosen by, while `emo eval` scores the test part."""


def rows(
    source: pipes.Input,
    data: str | None,
    device: Device,
    load: Mapping[str, Any],
    *,
    batch: int,
    seconds: float,
    note: Note,
) -> list[dict[str, Any]]:
    """Return a bench record per model, the one asked for last.

    `load` has `engine` and that engine's options. Accuracy is on the validation part of the features named by `data` or
    by the model's lineage; `note` says where these, or the FP32 model, are not at hand, and why nothing can be scored.
    """
    if not 0 <= seconds < math.inf:
        raise EmoError(f"--seconds {seconds:g} is no time to measure for; use 0 or more")
    if not device.is_here():
        load = _on_a_processor(load, device)
        if load["threads"] not in (0, 1, device.cores):
            note(f"an estimate is for all {device.cores} cores of {device.title}, whatever --threads says")
    load = {**load, "threads": cores.taken(load["threads"])}  # the rows say how many these are
    note = functools.cache(note)  # what one model can't be scored on, the other can't either
    features = _features(source, data, note)
    models = [*_origin(source, note), source]
    engines = [_engine(model, load, batch) for model in models]
    frames = _frames(features)
    found = [
        _row(model, engine, device, load, batch, seconds, frames) for model, engine in zip(models, engines, strict=True)
    ]
    for row, model, engine in zip(found, models, engines, strict=True):
        row |= _accuracy(model, engine, features, note)
    if len(engines) == 2 and device.is_here():
        x = benchmark.sample_input(engines[0], batch, frames=frames)
        found[1]["speedup"] = round(benchmark.compare(engines[0], engines[1], x, seconds=seconds)["ratio"], 2)
    return found


def _on_a_processor(load: Mapping[str, Any], device: Device) -> Mapping[str, Any]:
    """Return `load` for times that shall be scaled to a device: those of a GPU here would say nothing of it."""
    if load["engine"] != "onnxruntime" or load["provider"] not in ("auto", "cpu"):
        raise EmoError(
            f"{device.title} is not here: it is estimated by ONNX Runtime on this processor; leave --engine and "
            "--provider out"
        )
    return {**load, "provider": "cpu"}


def _row(
    source: pipes.Input,
    engine: Engine,
    device: Device,
    load: Mapping[str, Any],
    batch: int,
    seconds: float,
    frames: int,
) -> dict[str, Any]:
    precision, threads = source.header.precision, load["threads"]
    how = {"threads": threads, "batch": batch, "frames": frames}
    row = bench_row.row(engine, source.path, device, precision=precision, seconds=seconds, **how)
    row["model"] = source.digest.removeprefix("sha256:")[:12]
    # another machine's is another one
    if load["engine"] == "onnxruntime" and device.is_here():
        row["peak_memory_bytes"] = benchmark.peak_memory_bytes(source.path, **how)
    return row


def _accuracy(source: pipes.Input, engine: Engine, features: pipes.Input | None, note: Note) -> dict[str, Any]:
    """Return the accuracy on the validation part, nothing where there is none to score: the times are worth showing."""
    if features is None:
        return {}
    try:
        hint = "name data that have one with --data"
        found = evaluation.answers(engine, source.header, features, _PART, hint=hint)
        accuracy = metrics.evaluate(found.logits, found.y, source.header.labels)["accuracy"]
        if acquaintance.knows_validation(source.header, features.digest):
            note("the accuracy is of a validation part that was learned from (--folds, choose=subjects)")
        return {"split": _PART, "accuracy": accuracy, **people.among(found.groups, found.known)}
    except EmoError as fault:
        note(f"no accuracy: {fault}")
        return {}


def _frames(features: pipes.Input | None) -> int:
    """Return how long the middle one of the sequences to time is; without any what is usual."""
    if features is None:
        return benchmark.FRAMES
    with hdf5.open_data(features.path, features.source) as data:
        return int(np.median(data.lengths)) if data.shape[:1] == (-1,) and len(data) else benchmark.FRAMES


def _engine(source: pipes.Input, load: Mapping[str, Any], batch: int) -> Engine:
    engine: Engine = registry.load("engines", load["engine"])(source.path, **engine_options(load, batch))
    return engine


def engine_options(load: Mapping[str, Any], batch: int) -> dict[str, Any]:
    """Return those of `load` that its engine has; one that is built for a largest batch is built for what is timed."""
    known = registry.options("engines", load["engine"])
    larger = {"batch": max(batch, known["batch"])} if "batch" in known else {}
    return larger | {key: value for key, value in load.items() if key in known}


def _origin(source: pipes.Input, note: Note) -> list[pipes.Input]:
    """Return the FP32 model that an INT8 one was made from, where it is at hand."""
    step = source.header.own_step("quantize")
    if step is None:
        return []
    try:
        path = shipped.find(step["input"]) or store.find(step["input"])
    except EmoError:
        note(f"the FP32 model {step['input']} is not at hand; showing INT8 alone")
        return []
    return [pipes.Input(path, "the FP32 model", onnx_file.read_header(path), step["input"])]


def _features(source: pipes.Input, data: str | None, note: Note) -> pipes.Input | None:
    try:
        return kept.data(source.header, data)
    except EmoError as fault:
        if data is not None:
            raise
        note(f"no accuracy: {fault}")
        return None

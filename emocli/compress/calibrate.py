"""The range of each activation, found by running the FP32 model over a stream of inputs: memory stays flat."""

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, helper

from emocli import onnx_session
from emocli.errors import EmoError

Batches = Callable[[], Iterable[NDArray[Any]]]
"""Gives the calibration inputs, batch after batch, each time it is called: percentiles take two passes."""

METHODS = ("minmax", "percentile")
_BINS = 4096
_SAMPLE = 65_536
"""Values of one tensor and batch that go into its histogram."""


def ranges(
    model: ModelProto,
    tensors: Sequence[str],
    batches: Batches,
    *,
    method: str = "percentile",
    percentile: float = 99.99,
    threads: int = 1,
) -> dict[str, float]:
    """Return, for each of the float `tensors`, the magnitude that its INT8 codes shall reach.

    `minmax` takes the largest magnitude seen, `percentile` the one that this share of the values stays below (in
    percent, from histograms of 4,096 bins). Larger magnitudes are cut off, by ONNX Runtime less than by TensorRT: its
    uint8 codes after a ReLU go on to twice the range. With `minmax` both give the same answers. Raises EmoError for
    another method and when there is no input.
    """
    if method not in METHODS:
        raise EmoError(f"no calibration method {method!r}; use {' or '.join(METHODS)}")
    if not 50 < percentile <= 100:
        raise EmoError(f"percentile {percentile} is not between 50 and 100; 99.99 is usual")
    largest = _largest(model, tensors, batches, threads)
    if method == "minmax":
        return largest
    return _percentiles(model, largest, batches, percentile, threads)


def choose_rows(rows: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return at most `count` of the row numbers, drawn without repeats by `seed` and sorted as files are read."""
    if count >= len(rows):
        return np.sort(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))


def _largest(model: ModelProto, tensors: Sequence[str], batches: Batches, threads: int) -> dict[str, float]:
    """Return the largest magnitude of each tensor; it is taken inside the graph, so that two numbers leave it.

    ONNX Runtime's largest passes over most NaN, which no sum does.
    """
    probe = copy.deepcopy(model)
    for name in tensors:
        probe.graph.node.append(helper.make_node("Abs", [name], [f"{name}/magnitude"]))
        for kind in ("Max", "Sum"):
            probe.graph.node.append(
                helper.make_node(f"Reduce{kind}", [f"{name}/magnitude"], [f"{name}/{kind}"], keepdims=0)
            )
    session = _session(probe, [f"{name}/{kind}" for kind in ("Max", "Sum") for name in tensors], threads)
    seen, count = np.zeros(2 * len(tensors)), 0
    for x in batches():
        seen = np.maximum(seen, session.run(None, {session.get_inputs()[0].name: x}))
        count += len(x)
    if count == 0:
        raise EmoError("there are no inputs to calibrate with; the features need a train part, or ask for more rows")
    if not np.isfinite(seen).all():
        raise EmoError("the model gives NaN or infinite activations on its training data; train it again")
    return dict(zip(tensors, seen[: len(tensors)].tolist(), strict=True))


def _percentiles(
    model: ModelProto, largest: dict[str, float], batches: Batches, percentile: float, threads: int
) -> dict[str, float]:
    session = _session(model, list(largest), threads)
    counts = np.zeros((len(largest), _BINS), dtype=np.int64)
    for x in batches():
        values = session.run(None, {session.get_inputs()[0].name: x})
        for row, (value, top) in enumerate(zip(values, largest.values(), strict=True)):
            counts[row] += _histogram(value, top)
    return {
        name: _bin_at(count, percentile) * top / _BINS
        for (name, top), count in zip(largest.items(), counts, strict=True)
    }


def _histogram(values: NDArray[np.float32], top: float) -> NDArray[np.int64]:
    if top == 0:
        return np.zeros(_BINS, dtype=np.int64)
    flat = values.reshape(-1)
    # an odd step, so that it does not fall on the same columns of every image
    flat = flat[:: max(1, flat.size // _SAMPLE) | 1]
    places = np.minimum(np.abs(flat) * (_BINS / top), _BINS - 1).astype(np.int64)
    return np.bincount(places, minlength=_BINS)


def _bin_at(counts: NDArray[np.int64], percentile: float) -> int:
    """Return the number of bins that hold this share of the values."""
    total = np.cumsum(counts)
    return int(np.searchsorted(total, total[-1] * percentile / 100)) + 1


def _session(model: ModelProto, outputs: list[str], threads: int) -> onnxruntime.InferenceSession:
    """Return a session of the model whose outputs are the named tensors."""
    probe = copy.deepcopy(model)
    del probe.graph.output[:]
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in outputs)
    return onnx_session.opened(probe.SerializeToString(), threads=threads)

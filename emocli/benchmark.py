"""How fast a model runs and what it takes: latency percentiles, throughput, size, peak memory."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from emocli import onnx_file
from emocli.compress.quantize import quantize
from emocli.devices._device import Device
from emocli.engines import onnxruntime
from emocli.engines._engine import Engine
from emocli.errors import EmoError

_WARM_UPS = 10
_FEWEST = 30
"""Runs below which a 95th percentile means nothing."""
_PROBE_SHAPE = (16, 24, 24)
_PEAK = """
import resource, sys
from pathlib import Path
import numpy as np
from emocli.engines.onnxruntime import load
engine = load(Path(sys.argv[1]), threads=int(sys.argv[2]))
shape = [1 if axis == -1 else axis for axis in engine.input_shape]
for _ in range(3):
    engine.run(np.zeros((int(sys.argv[3]), *shape), engine.input_type))
status = Path("/proc/self/status")
# Linux counts the parent's memory in ru_maxrss too
lines = status.read_text().splitlines() if status.exists() else []
peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
print(peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(engine: Engine, x: NDArray[Any], *, seconds: float = 1.0, runs: int = 0) -> dict[str, float]:
    """Return p50_ms, p95_ms, p99_ms, mean_ms, images_per_second, batch and runs of an engine on the batch x.

    It is warmed up and then run for `seconds`, 30 times at least, or exactly `runs` times where that is given.
    Throughput is that of the median run, which the other users of a machine disturb least.
    """
    return summary(_times([lambda: engine.run(x)], seconds, runs)[:, 0], len(x))


def compare(first: Engine, second: Engine, x: NDArray[Any], *, seconds: float = 1.0, runs: int = 0) -> dict[str, Any]:
    """Return the summaries of two engines, run in turns, and how many times faster the second is.

    `ratio` is the median over pairs of neighbouring runs: what disturbs the machine disturbs both of a pair.
    """
    times = _times([lambda: first.run(x), lambda: second.run(x)], seconds, runs)
    ratio = float(np.median(times[:, 0] / times[:, 1]))
    return {"first": summary(times[:, 0], len(x)), "second": summary(times[:, 1], len(x)), "ratio": ratio}


def summary(seconds: NDArray[np.float64], batch: int) -> dict[str, float]:
    """Return latency percentiles in milliseconds and throughput from the duration of each run of a batch."""
    p50, p95, p99 = (float(value) for value in np.percentile(seconds, [50, 95, 99]))
    return {
        "p50_ms": round(p50 * 1e3, 4),
        "p95_ms": round(p95 * 1e3, 4),
        "p99_ms": round(p99 * 1e3, 4),
        "mean_ms": round(float(seconds.mean()) * 1e3, 4),
        "images_per_second": round(batch / p50, 1),
        "batch": batch,
        "runs": len(seconds),
    }


def sample_input(engine: Engine, batch: int, *, seed: int = 0) -> NDArray[Any]:
    """Return a batch of random inputs that the engine takes, for timing."""
    shape = (batch, *(1 if axis == -1 else axis for axis in engine.input_shape))
    random = np.random.default_rng(seed)
    if engine.input_type == "uint8":
        return random.integers(0, 256, shape, dtype=np.uint8)
    return random.random(shape, dtype=np.float32)


def peak_memory_bytes(model: Path, *, threads: int = 1, batch: int = 1) -> int:
    """Return the peak memory of a fresh process that runs a model in ONNX Runtime; raises EmoError if it fails."""
    command = [sys.executable, "-c", _PEAK, str(model), str(threads), str(batch)]
    # the folder that holds the package, for a process that starts elsewhere
    path = os.pathsep.join([str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EmoError(f"a fresh process could not run {model} ({reason[0]})")
    return int(done.stdout) * 1024


def row(
    engine: Engine,
    model: Path,
    device: Device,
    *,
    precision: str,
    threads: int = 1,
    batch: int = 1,
    seconds: float = 1.0,
) -> dict[str, Any]:
    """Return the bench record of a loaded model on a device, ready for JSON.

    `status` is `measured` on the device itself. Elsewhere it is `estimated`, as `estimate` does, with a p50 only: the
    tails here are this machine's. Where nothing published tells how fast the device is, it is `unavailable` and there
    are no times. `within_budget` says whether the device's frame rate is kept, by 95 % of the runs where measured.
    """
    x = sample_input(engine, batch)
    record: dict[str, Any] = {"model": model.name, "device": device.name, "status": "measured"}
    record |= {"precision": precision, "provider": engine.provider, "threads": threads}
    if device.is_here():
        timing: dict[str, Any] = measure(engine, x, seconds=seconds)
        slow_ms = timing["p95_ms"]
    else:
        slow_ms = estimate(engine, x, device, precision=precision, threads=threads, seconds=seconds)
        timing = {"p50_ms": None, "images_per_second": None}
        if slow_ms is not None:
            timing = {"p50_ms": round(slow_ms, 3), "images_per_second": round(batch / slow_ms * 1e3, 1)}
        timing = {**timing, "p95_ms": None, "p99_ms": None, "batch": batch}
        record |= {"status": "unavailable" if slow_ms is None else "estimated", "how": _how(device, slow_ms)}
    in_time = None if slow_ms is None else batch / slow_ms * 1e3 >= device.budget_fps
    return (
        record
        | timing
        | {
            "size_bytes": model.stat().st_size,
            "budget_fps": device.budget_fps,
            "within_budget": in_time,
        }
    )


def estimate(
    engine: Engine, x: NDArray[Any], device: Device, *, precision: str, threads: int = 1, seconds: float = 1.0
) -> float | None:
    """Return the milliseconds that a batch would take on all cores of a device; None where its speed is not published.

    The model runs here in turns with a dense net of known size, both on `threads`: how much longer it takes than that
    net is a matter of the model, how fast the net is one of the device. It holds for nets of dense convolutions, within
    a factor of two or so: YuNet at 160x120 takes a Raspberry Pi 4 5.4 ms, of which a 2-core PC's 1.3 ms predict 7.3.
    """
    there = device.gops_per_core.get(precision, 0.0) * device.cores
    if not there:
        return None
    probe, operations = _probe_engine(precision, threads)
    sample = sample_input(probe, 1)
    times = _times([lambda: engine.run(x), lambda: probe.run(sample)], seconds, 0)
    return float(np.median(times[:, 0] / times[:, 1])) * operations / there / 1e6


@functools.cache
def _probe_engine(precision: str, threads: int) -> tuple[Engine, int]:
    """Return a dense net on this machine's processor, fp32 or int8, and the operations of one run."""
    model, operations = _probe()
    if precision == "int8":
        model = quantize(model, lambda: [np.arange(np.prod(_PROBE_SHAPE), dtype=np.uint8).reshape(1, *_PROBE_SHAPE)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.onnx"
        onnx_file.save(model, path)
        return onnxruntime.load(path, threads=threads, provider="cpu"), operations


def _probe() -> tuple[ModelProto, int]:
    """Return a plain net of four 3x3 convolutions with 64 channels, and the operations of one run."""
    random, nodes, weights = np.random.default_rng(0), [], []
    nodes.append(helper.make_node("Cast", ["face"], ["x0"], to=TensorProto.FLOAT))
    channels, height, width = _PROBE_SHAPE
    operations = 0
    for layer in range(4):
        weight = random.normal(0, 0.05, (64, channels, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{layer}"))
        nodes.append(helper.make_node("Conv", [f"x{layer}", f"w{layer}"], [f"y{layer}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"y{layer}"], [f"x{layer + 1}"]))
        operations += 2 * weight.size * height * width
        channels = 64
    nodes.append(helper.make_node("GlobalAveragePool", ["x4"], ["logits"]))
    entry = helper.make_tensor_value_info("face", TensorProto.UINT8, ["batch", *_PROBE_SHAPE])
    end = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 64, 1, 1])
    graph = helper.make_graph(nodes, "probe", [entry], [end], weights)
    opsets = [helper.make_opsetid("", onnx_file.OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=onnx_file.IR_VERSION), operations


def _how(device: Device, slow_ms: float | None) -> str:
    if slow_ms is None:
        return f"no published figure to scale by; measure with: {device.reach}"
    return f"scaled from times here, for dense nets on all {device.cores} cores; measure with: {device.reach}"


def _times(calls: Sequence[Callable[[], object]], seconds: float, runs: int) -> NDArray[np.float64]:
    """Return the seconds of each call, (rounds, calls), made in turns after a warm-up: `runs` rounds or `seconds`."""
    for call in calls:
        for _ in range(_WARM_UPS):
            call()
    rounds: list[list[float]] = []
    end = time.perf_counter() + seconds
    while len(rounds) < runs if runs else len(rounds) < _FEWEST or time.perf_counter() < end:
        rounds.append([_seconds(call) for call in calls])
    return np.array(rounds)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start

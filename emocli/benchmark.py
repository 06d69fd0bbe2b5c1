"""How fast a model runs and what it takes: latency percentiles, throughput, size, peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import emocli
from emocli.engines._engine import Engine
from emocli.errors import EmoError

_WARM_UPS = 10
_FEWEST = 30
"""Runs below which a 95th percentile means nothing."""
FRAMES = 200
"""How long a sequence is where no data say it: two seconds in steps of 10 ms."""
_PEAK = """
import resource, sys
from pathlib import Path
import numpy as np
from emocli.engines.onnxruntime import load
engine = load(Path(sys.argv[1]), threads=int(sys.argv[2]))
shape = [int(sys.argv[4]) if axis == -1 else axis for axis in engine.input_shape]
for _ in range(3):
    engine.run(np.zeros((int(sys.argv[3]), *shape), engine.input_type))
status = Path("/proc/self/status")
# Linux counts the parent's memory in ru_maxrss too
lines = status.read_text().splitlines() if status.exists() else []
peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
print(peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(engine: Engine, x: NDArray[Any], *, seconds: float = 1.0) -> dict[str, float]:
    """Return p50_ms, p95_ms, p99_ms, mean_ms, images_per_second, batch and runs of an engine on the batch x.

    It is warmed up and then run for `seconds`, 30 times at least. Throughput is that of the median run, which the other
    users of a machine disturb least.
    """
    return summary(times([lambda: engine.run(x)], seconds)[:, 0], len(x))


def compare(
    first: Engine,
    second: Engine,
    x: NDArray[Any],
    *,
    other: NDArray[Any] | None = None,
    seconds: float = 1.0,
) -> dict[str, Any]:
    """Return the summaries of two engines, run in turns, and how many times faster the second is.

    Both take the batch x, unless the second has an `other` one.

    `ratio` is the median over pairs of neighbouring runs: what disturbs the machine disturbs both of a pair.
    """
    of_second = x if other is None else other
    taken = times([lambda: first.run(x), lambda: second.run(of_second)], seconds)
    ratio = float(np.median(taken[:, 0] / taken[:, 1]))
    return {"first": summary(taken[:, 0], len(x)), "second": summary(taken[:, 1], len(of_second)), "ratio": ratio}


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


def sample_input(engine: Engine, batch: int, *, frames: int = FRAMES) -> NDArray[Any]:
    """Return a batch of random inputs that the engine takes, for timing; sequences have that many `frames`."""
    shape = (batch, *(frames if axis == -1 else axis for axis in engine.input_shape))
    random = np.random.default_rng(0)
    if engine.input_type == "uint8":
        return random.integers(0, 256, shape, dtype=np.uint8)
    return random.random(shape, dtype=np.float32)


def peak_memory_bytes(model: Path, *, threads: int = 1, batch: int = 1, frames: int = FRAMES) -> int:
    """Return the peak memory of a fresh process that runs a model in ONNX Runtime; raises EmoError if it fails."""
    command = [sys.executable, "-P", "-c", _PEAK, str(model), str(threads), str(batch), str(frames)]
    # the folder that holds the package, for a process that starts elsewhere
    path = os.pathsep.join(filter(None, [str(Path(emocli.__path__[0]).parent), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise EmoError(f"a fresh process could not run {model} ({reason[0]})")
    return int(done.stdout) * 1024


def times(calls: Sequence[Callable[[], object]], seconds: float, runs: int = 0) -> NDArray[np.float64]:
    """Return the seconds of each call, (rounds, calls), made in turns after a warm-up: `runs` rounds or `seconds`.

    Of several, each is called twice a turn and timed the second time: the first pays for what the others left in the
    caches (a quarter of a small INT8 model's time), which a model that runs by itself doesn't.
    """
    for call in calls:
        for _ in range(_WARM_UPS):
            call()
    rounds: list[list[float]] = []
    end = time.perf_counter() + seconds
    while len(rounds) < runs if runs else len(rounds) < _FEWEST or time.perf_counter() < end:
        rounds.append([_seconds(call, again=len(calls) > 1) for call in calls])
    return np.array(rounds)


def _seconds(call: Callable[[], object], *, again: bool) -> float:
    if again:
        call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start

"""One row of what bench prints: a model on a device, measured there or estimated from here."""

from pathlib import Path
from typing import Any

from emocli import benchmark
from emocli.benching import estimation
from emocli.devices._device import Device
from emocli.engines._engine import Engine


def row(
    engine: Engine,
    model: Path,
    device: Device,
    *,
    precision: str,
    threads: int = 1,
    batch: int = 1,
    seconds: float = 1.0,
    frames: int = benchmark.FRAMES,
) -> dict[str, Any]:
    """Return the bench record of a loaded model on a device, ready for JSON.

    `status` is `measured` on the device itself. Elsewhere it is `estimated`, as estimation does, with a p50 only: the
    tails here are this machine's. Where nothing published tells how fast the device is, it is `unavailable` and there
    are no times. `within_budget` says whether the device's frame rate is kept, by 95 % of the runs where measured.
    """
    x = benchmark.sample_input(engine, batch, frames=frames)
    record: dict[str, Any] = {"model": model.name, "input": engine.input_name, "device": device.name}
    record |= {"status": "measured", "precision": precision, "provider": engine.provider, "threads": threads}
    record |= {"frames": frames} if -1 in engine.input_shape else {}
    if device.is_here():
        timing: dict[str, Any] = benchmark.measure(engine, x, seconds=seconds)
        slow_ms = timing["p95_ms"]
    else:
        slow_ms = estimation.estimate(engine, x, device, precision=precision, threads=threads, seconds=seconds)
        timing = {"p50_ms": None, "images_per_second": None}
        if slow_ms is not None:
            timing = {"p50_ms": round(slow_ms, 3), "images_per_second": round(batch / slow_ms * 1e3, 1)}
        timing = {**timing, "p95_ms": None, "p99_ms": None, "batch": batch}
        record |= {"status": "unavailable" if slow_ms is None else "estimated", "how": _how(device, slow_ms)}
        record["threads"] = device.cores
    in_time = None if slow_ms is None else batch / slow_ms * 1e3 >= device.budget_fps
    budget = {"size_bytes": model.stat().st_size, "budget_fps": device.budget_fps, "within_budget": in_time}
    return record | timing | budget


def unit(record: dict[str, Any]) -> str:
    """Return what is counted: images, texts, or of voices and signals windows."""
    return {"face": "images", "text": "texts"}.get(record["input"], "windows")


def reached(record: dict[str, Any]) -> str:
    """Return in words the frame rate that decides about `within_budget`, and which times it comes from."""
    name = "p50_ms" if record["p95_ms"] is None else "p95_ms"
    rate = record["batch"] / record[name] * 1e3
    return f"{rate:.1f} {unit(record)}/s at {name.removesuffix('_ms')} ({record[name]:.3g} ms a run)"


def _how(device: Device, slow_ms: float | None) -> str:
    scaled = f"scaled from times here, for dense nets on all {device.cores} cores"
    known = "no published figure to scale by" if slow_ms is None else scaled
    return "; ".join(filter(None, [known, f"measure with: {device.reach}", device.limits]))

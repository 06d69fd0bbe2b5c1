"""Time a model, FP32 beside INT8: latency, size, memory, validation accuracy, and whether a device's rate is kept."""

from typing import Annotated

import typer

from emocli import pipes, registry
from emocli.commands import _flags
from emocli.commands._show import note, show_beside
from emocli.errors import GATE, EmoError


def run(
    model: _flags.Input = None,
    data: _flags.Data = None,
    device: Annotated[str, typer.Option(help="Whose frame rate the model alone must keep: emo list devices.")] = "host",
    param: _flags.Params = [],  # noqa: B006
    threads: _flags.Threads = 1,
    batch: Annotated[int, typer.Option(min=1, max=1_000_000, help="Images a run.")] = 1,
    seconds: Annotated[float, typer.Option(help="How long to measure each model.")] = 2.0,
    engine: _flags.Engine = "onnxruntime",
    provider: _flags.Provider = "auto",
    trust: Annotated[
        bool, typer.Option("--trust", help="Load a TensorRT plan built elsewhere, now and later.")
    ] = False,
    as_json: _flags.Json = None,
) -> None:
    """Print a row per precision; leave with status 3 when the device's frame rate is missed."""
    given = registry.parse(param)
    target = registry.load("devices", device)(**registry.resolve("devices", device, given))
    source = pipes.read(model, "model")
    from emocli import onnx_file
    from emocli.benching import bench_row, comparison

    if "fps" not in given and "face" not in onnx_file.describe(source.path)["inputs"]:
        target = target.for_windows()
    load = {"engine": engine, "provider": provider, "threads": threads, "trust": trust}
    rows = comparison.rows(source, data, target, load, batch=batch, seconds=seconds, note=note)
    heads = [row["precision"] for row in rows]
    wanted = f"{target.budget_fps:g} {bench_row.unit(rows[-1])}/s"
    show_beside(rows, as_json=as_json, heads=heads, title=f"{target.title}, {wanted} wanted")
    if rows[-1]["within_budget"] is False:
        raise EmoError(f"{bench_row.reached(rows[-1])} miss the {wanted} of {target.title}", status=GATE)

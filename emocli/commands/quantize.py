"""Make a model INT8: calibrated on its train part, refused unless as accurate on validation and faster than FP32."""

import math
from typing import Annotated

import typer

from emocli import outputs, pipes, store
from emocli.commands import _flags
from emocli.commands._show import note
from emocli.errors import GATE, EmoError

_PERCENTILE = 99.99


def run(
    model: _flags.Input = None,
    data: _flags.Data = None,
    method: Annotated[str, typer.Option(help="Calibration: minmax or percentile.")] = "percentile",
    percentile: Annotated[
        float, typer.Option(help="Share of activations kept in range by --method percentile.")
    ] = _PERCENTILE,
    calibration: Annotated[int, typer.Option(min=1, help="Samples of the train part to calibrate with.")] = 512,
    exclude: Annotated[list[str], typer.Option(help="Operator type or node to leave in FP32; may be repeated.")] = [],  # noqa: B006
    max_drop: Annotated[float, typer.Option(help="Largest loss of validation accuracy, in points.")] = 1.0,
    min_speedup: Annotated[
        float, typer.Option(help="INT8 must be more than so many times as fast as FP32 here; 0 for another device.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the calibration sample.")] = 0,
    output: _flags.Output = None,
    force: _flags.Force = False,
) -> None:
    """Write the INT8 model, or leave with status 3 when it fails a gate."""
    how = {"method": method, "percentile": percentile, "calibration": calibration, "seed": seed, "exclude": exclude}
    gates = {"max_drop": max_drop, "min_speedup": min_speedup}
    step = {"command": "quantize", "name": "static", "options": {**how, **gates}}
    if unclear := [name for name, value in gates.items() if math.isnan(value)]:
        raise EmoError(f"--{unclear[0].replace('_', '-')} nan allows nothing; give a number")
    if method == "minmax" and percentile != _PERCENTILE:
        note(f"--percentile {percentile:g} changes nothing with --method minmax")
    with outputs.output(output, force=force) as scratch:
        source = pipes.read(model, "model")
        features = pipes.features_of(source.header, data)
        from emocli.compress import static

        static.write(source, features, scratch, step)
        verdict = static.judge(source, features, scratch)
        note(f"INT8 {verdict}")
        if why := verdict.failure(**gates):
            raise EmoError(why, status=GATE)
    # bench shows INT8 beside the FP32 model it was made from
    try:
        store.copy(source.path, source.digest)
    except EmoError as fault:
        note(f"the INT8 model is written, but bench will not find the FP32 one that it was made from: {fault}")

"""Build a TensorRT plan on this machine's GPU: machine code that pipes like any model."""

from typing import Annotated

import typer

from emocli import outputs, pipes
from emocli.commands import _flags


def run(
    model: _flags.Input = None,
    batch: Annotated[int, typer.Option(min=1, help="Largest batch that the plan will take.")] = 32,
    raw: Annotated[bool, typer.Option("--raw", help="Write the bare plan, as trtexec takes it.")] = False,
    output: _flags.Output = None,
    force: _flags.Force = False,
) -> None:
    """Write the plan."""
    step = {"command": "plan", "name": "tensorrt", "options": {"batch": batch}}
    with outputs.output(output, force=force) as scratch:
        source = pipes.read(model, "model")
        from emocli.compress import plan

        plan.write(source, scratch, step, raw=raw)

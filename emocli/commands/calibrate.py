"""Make a model's probabilities tell how often it is right: a temperature, fitted on validation, in its last layer."""

from typing import Annotated

import typer

from emocli import outputs, pipes
from emocli.commands import _flags
from emocli.commands._show import note


def run(
    model: _flags.Input = None,
    data: _flags.Data = None,
    temperature: Annotated[str, typer.Option(help="What logits are divided by: fit, or a number.")] = "fit",
    output: _flags.Output = None,
    force: _flags.Force = False,
) -> None:
    """Write the model, whose answers stay the same."""
    step = {"command": "calibrate", "options": {"temperature": temperature}}
    with outputs.output(output, force=force) as scratch:
        source = pipes.read(model, "model")
        features = pipes.features_of(source.header, data)
        from emocli.compress import temperature as scaling

        note(str(scaling.write(source, features, scratch, step)))

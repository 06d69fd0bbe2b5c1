"""Make a model one person's: what it says more of them than of others, by a few samples, is taken from its answers."""

from typing import Annotated

import typer

from emocli import outputs, pipes
from emocli.commands import _flags
from emocli.commands._show import note
from emocli.errors import EmoError


def run(
    model: _flags.Input = None,
    sample: Annotated[
        list[str],
        typer.Option(
            metavar="[LABEL=]FILE",
            help="Picture or sound of the person, neutral by default, any=FILE of an unknown emotion; many are better.",
        ),
    ] = [],  # noqa: B006
    detector: Annotated[str, typer.Option(help="What finds faces or speech; none takes all there is.")] = "auto",
    output: _flags.Output = None,
    force: _flags.Force = False,
) -> None:
    """Write the model, FP32 or INT8, which runs as fast as before."""
    if not sample:
        raise EmoError("no samples of the person; name pictures or sounds: --sample rest.jpg --sample happy=grin.jpg")
    with outputs.output(output, force=force) as scratch:
        source = pipes.read(model, "model")
        from emocli.compress import personalize
        from emocli.serving import persons

        named = persons.samples(sample, source.header)
        usually = personalize.expected(source, [place for _, place in named])
        logits, y = persons.answers(source.path, source.header, named, detector=detector, note=note)
        note(str(personalize.write(source, logits, y, usually, scratch, {"command": "personalize"})))

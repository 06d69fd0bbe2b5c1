"""Turn a dataset into model input: faces found, aligned and cropped, or speech found and cut, then described."""

from typing import Annotated, Any

import typer

from emocli import kept, outputs, registry
from emocli.commands import _flags
from emocli.commands._show import note


def run(
    dataset: Annotated[
        str | None, typer.Argument(help="Artifact, a dataset's name, or a sound file; stdin when absent or -.")
    ] = None,
    extractor: Annotated[
        str,
        typer.Option("--extractor", "-x", help="Extractor, or several joined by +; the data's usual one when absent."),
    ] = "",
    param: _flags.Params = [],  # noqa: B006
    detector: Annotated[str, typer.Option(help="What finds the face or the voice; none for cut corpora.")] = "none",
    detector_param: Annotated[list[str], typer.Option(metavar="KEY=VALUE", help="Option of the detector.")] = [],  # noqa: B006
    length: Annotated[
        float, typer.Option(help="Seconds of each sound: its middle, or silence after it; 0 is all.")
    ] = 0.0,
    by_person: Annotated[
        bool, typer.Option("--by-person", help="Signals: see each number against the same person's other windows.")
    ] = False,
    copies: Annotated[
        int, typer.Option(min=0, max=1000, help="Augmented copies of each clip of the train part; 0 is none.")
    ] = 0,
    effect: Annotated[
        list[str], typer.Option(metavar="NAME=LOW:HIGH", help="What copies go through, in this order; see: emo list.")
    ] = [],  # noqa: B006
    effect_param: Annotated[list[str], typer.Option(metavar="KEY=VALUE", help="Option of an effect.")] = [],  # noqa: B006
    effect_chance: Annotated[float, typer.Option(help="Probability of each effect; a copy has at least one.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws of the effects.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Use the first so many samples of each part only; 0 for all.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes that share the work; the result is the same.")] = 1,
    output: _flags.Output = None,
    force: _flags.Force = False,
) -> None:
    """Extract the features and write them out."""
    params, found = registry.parse(param), registry.parse(detector_param, "--detector-param")
    with outputs.output(output, force=force, makes="hdf5") as scratch:
        source = kept.dataset(dataset)
        from emocli.extracting import featurizing
        from emocli.sound import augmenting

        changes = registry.parse(effect_param, "--effect-param")

        def plan(modality: str) -> augmenting.Copies:
            return augmenting.planned(copies, effect, changes, effect_chance, seed, modality)

        how: dict[str, Any] = {"limit": limit, "length": length, "relative": by_person, "plan": plan, "jobs": jobs}
        featurizing.write(source, scratch, extractor, params, detector, found, **how, note=note)

"""Score a model on one part of the data: accuracy, macro-F1, UAR, ROC-AUC, ECE, each with its interval."""

from typing import Annotated

import typer

from emocli import pipes, registry
from emocli.commands import _flags
from emocli.commands._show import for_people, show, show_record


def run(
    model: _flags.Input = None,
    data: _flags.Data = None,
    split: Annotated[str, typer.Option(help="Part to score: train, validation, test or all.")] = "test",
    plot: Annotated[str | None, typer.Option(help="Write the confusion matrix to this PNG.")] = None,
    samples: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 1000,
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 0,
    force: _flags.Force = False,
    as_json: _flags.Json = None,
) -> None:
    """Run the model over the part and print the figures."""
    source = pipes.read(model, "model")
    features = pipes.features_of(source.header, data, "dataset", "features")
    from emocli import evaluation, metrics

    running = registry.load("engines", engine)(source.path, threads=threads)
    logits, y = evaluation.answers(running, source.header, features, split)
    figures = metrics.evaluate(logits, y, source.header.labels, samples=samples)
    if plot:
        from emocli import plotting

        with pipes.output(plot, force=force) as scratch:
            title = f"{split} part, n = {len(y)}, accuracy {figures['accuracy']['value']:.1%}"
            plotting.confusion(figures["confusion"], source.header.labels, title, scratch)
    record = {"model": source.digest, "data": features.digest, "split": split, **figures}
    if not for_people(as_json):
        show_record(record, as_json=True)
        return
    per_class, matrix = record.pop("per_class"), record.pop("confusion")
    show_record(record, as_json=False)
    show(({"class": label, **row} for label, row in per_class.items()), as_json=False)
    rows = zip(source.header.labels, matrix, strict=True)
    show(
        ({"true \\ said": label, **dict(zip(source.header.labels, row, strict=True))} for label, row in rows),
        as_json=False,
    )

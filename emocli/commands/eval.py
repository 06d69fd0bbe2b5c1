"""Score models on one part of the data: accuracy, macro-F1, UAR, ROC-AUC, ECE, each with its interval."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emocli import outputs, pipes
from emocli.commands import _flags, _show_scores
from emocli.commands._show import for_people, note, show
from emocli.errors import EmoError

if TYPE_CHECKING:
    from emocli.scores.pairing import Options, Pair
    from emocli.scores.robustness import Noises

Models = Annotated[list[str], typer.Argument(metavar="[INPUT]...", help="Models; stdin when absent or -.")]
Datas = Annotated[
    list[str],
    typer.Option("--data", help="Features, dataset or its name; the model's own when absent; may be repeated."),
]
Maps = Annotated[
    list[str],
    typer.Option("--map", metavar="DATA=MODEL", help="What a label counts as, nothing: left out; or auto, by meaning."),
]
Scale = Annotated[str, typer.Option("--temperature", help="Divide logits: a number, or fit on the validation part.")]
Enrol = Annotated[
    list[str],
    typer.Option(metavar="LABEL=N", help="First hear N such samples of each person, unscored; each=1: one of each."),
]


_RATIOS = "30,20,10,0"
_LEAST = 10


def run(
    models: Models = [],  # noqa: B006
    data: Datas = [],  # noqa: B006
    split: Annotated[str, typer.Option(help="Part to score: train, validation, test or all.")] = "test",
    maps: Maps = [],  # noqa: B006
    restrict: Annotated[bool, typer.Option("--restrict", help="Choose among labels that the data have only.")] = False,
    metric: Annotated[str, typer.Option(help="What the table of several models or corpora shows.")] = "accuracy",
    temperature: Scale = "",
    abstain: Annotated[bool, typer.Option("--abstain", help="Add accuracy by the share of answers given.")] = False,
    by_group: Annotated[bool, typer.Option("--by-group", help="Add accuracy by subject, and the gap.")] = False,
    group_by: Annotated[
        str,
        typer.Option(metavar="COLUMN", help="The same by what else the corpus tells: sex, language, …; see: emo info."),
    ] = "",
    min_group: Annotated[int, typer.Option(help="Rows of a group that is compared with others.")] = _LEAST,
    folds: Annotated[
        bool, typer.Option("--folds", help="The models are of a corpus's folds: add all together.")
    ] = False,
    drop_leaks: Annotated[
        bool, typer.Option("--drop-leaks", help="Leave out what an earlier part has too, people included.")
    ] = False,
    enrol: Enrol = [],  # noqa: B006
    flip: _flags.Flip = False,
    views: _flags.Views = 1,
    plot: Annotated[str | None, typer.Option(help="Write the confusion matrix to this PNG.")] = None,
    plot_abstain: Annotated[str | None, typer.Option(help="Write the curve of --abstain to this PNG.")] = None,
    noise: Annotated[
        str, typer.Option(metavar="KIND,…", help="Add figures with noise in the sound: white,pink,babble or some.")
    ] = "",
    snr: Annotated[str, typer.Option(metavar="DB,…", help="Signal to noise of --noise, in decibels.")] = _RATIOS,
    plot_noise: Annotated[str | None, typer.Option(help="Write the curve of --noise to this PNG.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws of --noise.")] = 0,
    samples: Annotated[int, typer.Option(max=1_000_000, help="Draws of the bootstrap.")] = 1000,
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 0,
    force: _flags.Force = False,
    as_json: _flags.Json = None,
) -> None:
    """Run each model over the part of each corpus and print the figures."""
    sources = [pipes.read(each, "model") for each in models or ["-"]]
    from emocli.scores import enrolment, pairing, scoring
    from emocli.scores.views import Views

    if min_group != _LEAST and not (by_group or group_by):
        raise EmoError("--min-group is of groups that are compared; say which: --by-group, or --group-by sex")
    added = _noises(noise, snr, seed, plotted=bool(plot_noise))
    options = pairing.Options(
        split=split,
        maps=tuple(maps),
        restrict=restrict,
        metric=metric,
        temperature=temperature,
        abstain=abstain or plot_abstain is not None,
        by_group=by_group,
        group_by=group_by,
        least=min_group,
        views=Views(views, flip),
        samples=samples,
        noise=added,
        drop_leaks=drop_leaks,
        enrol=enrolment.parse(enrol),
    )
    if folds and (options.has_more or plot):
        raise EmoError(
            "--folds has figures of all folds and no more; leave out what asks for others, or score one fold"
        )
    pairs = pairing.pairs(sources, data, options)
    if len(pairs) > 1 and (plot or plot_abstain or plot_noise):
        raise EmoError("a plot shows one model on one corpus; name one of each")
    if folds:
        _show_folds(pairs, engine, threads, options, as_json)
        return
    if len(pairs) > 1:
        _show_several(pairs, engine, threads, options, as_json)
        return
    with _plots(plot, plot_abstain, plot_noise, force=force) as files:
        (record,) = scoring.records(pairs, engine, threads, options, note)
        _show_scores.draw(record, *files)
    # when the plots are whole: it is no fault of theirs that stdout may be full
    _show_scores.of_one(record, as_json)


def _noises(kinds: str, snr: str, seed: int, *, plotted: bool) -> "Noises | None":
    """Return what --noise, --snr and --seed ask for: all kinds for a plot that names none."""
    from emocli.scores import robustness
    from emocli.sound import noises

    if kinds or plotted:
        return robustness.parse(kinds or ",".join(noises.KINDS), snr, seed)
    if snr != _RATIOS:
        raise EmoError("--snr is of --noise; say which: --noise white,pink,babble")
    if seed:
        raise EmoError("--seed draws the noise of --noise, and nothing else is drawn anew; leave it out")
    return None


def _show_several(pairs: Sequence["Pair"], engine: str, threads: int, options: "Options", as_json: bool | None) -> None:
    """Print a table of one figure, or each record as it is found."""
    from emocli.scores import pairing, scoring

    records = scoring.records(pairs, engine, threads, options, note)
    if for_people(as_json) and options.has_more:
        note(f"a table of several shows {options.metric} alone; all that was asked for is in --json")
    rows = pairing.table(pairs, records, options.metric) if for_people(as_json) else pairing.named(pairs, records)
    show(rows, as_json=as_json)


def _show_folds(pairs: Sequence["Pair"], engine: str, threads: int, options: "Options", as_json: bool | None) -> None:
    """Print the record of each fold, and that of all together."""
    from emocli.scores import over_folds, pairing, scoring

    over_folds.check(pairs, options.split)
    found = list(pairing.named(pairs, scoring.records(pairs, engine, threads, options, note)))
    _show_scores.of_folds(found, over_folds.together(found, samples=options.samples), as_json)


@contextmanager
def _plots(*targets: str | None, force: bool) -> Iterator[list[Path | None]]:
    """Yield a file for each plot that is asked for; one that can't be written is refused before anything is scored."""
    asked = [Path(target).resolve() for target in targets if target is not None]
    if len(set(asked)) < len(asked):
        raise EmoError("two plots can't go to the same file; name one for each")
    with ExitStack() as stack:
        yield [stack.enter_context(outputs.second_output(target, None, force=force)) for target in targets]

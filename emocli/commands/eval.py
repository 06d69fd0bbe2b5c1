"""Score models on one part of the data: accuracy, macro-F1, UAR, ROC-AUC, ECE, each with its interval."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocli import outputs, pipes
from emocli.commands import _flags
from emocli.commands._show import for_people, note, show, show_record
from emocli.errors import EmoError

if TYPE_CHECKING:
    from emocli.scores.pairing import Options, Pair

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
    min_group: Annotated[int, typer.Option(help="Rows of a group that is compared with others.")] = 10,
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
    samples: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 1000,
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 0,
    force: _flags.Force = False,
    as_json: _flags.Json = None,
) -> None:
    """Run each model over the part of each corpus and print the figures."""
    sources = [pipes.read(each, "model") for each in models or ["-"]]
    from emocli.scores import enrolment, pairing, robustness, scoring
    from emocli.scores.views import Views
    from emocli.sound import noises

    abstain = abstain or plot_abstain is not None
    if snr != _RATIOS and not (noise or plot_noise):
        raise EmoError("--snr is of --noise; say which: --noise white,pink,babble")
    noise = noise or (",".join(noises.KINDS) if plot_noise else "")
    added = robustness.parse(noise, snr, seed) if noise else None
    options = pairing.Options(
        split=split,
        maps=tuple(maps),
        restrict=restrict,
        metric=metric,
        temperature=temperature,
        abstain=abstain,
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
    with _plots(plot, plot_abstain, plot_noise, force=force) as files:
        records = scoring.records(pairs, engine, threads, options, note)
        if len(pairs) == 1:
            (record,) = records
            _draw(record, *files)
            _show_one(record, as_json)
            return
        if for_people(as_json) and options.has_more:
            note(f"a table of several shows {metric} alone; all that was asked for is in --json")
        rows = pairing.table(pairs, records, metric) if for_people(as_json) else pairing.named(pairs, records)
        show(rows, as_json=as_json)


def _show_folds(pairs: Sequence["Pair"], engine: str, threads: int, options: "Options", as_json: bool | None) -> None:
    """Print the record of each fold, and that of all together."""
    from emocli.scores import over_folds, pairing, scoring

    over_folds.check(pairs, options.split)
    found = list(pairing.named(pairs, scoring.records(pairs, engine, threads, options, note)))
    whole = over_folds.together(found, samples=options.samples)
    if not for_people(as_json):
        show([*found, whole], as_json=True)
        return
    columns = over_folds.MEASURES
    rows = [{"fold": each["model_name"], **{name: each[name] for name in columns}} for each in found]
    rows.append({"fold": "all rows", **{name: whole[name] for name in columns}})
    rows.append({"fold": "mean of folds", **{name: whole["mean"][name] for name in columns}})
    show(rows, as_json=False)
    show(({"class": label, **row} for label, row in whole["per_class"].items()), as_json=False)


@contextmanager
def _plots(*targets: str | None, force: bool) -> Iterator[list[Path | None]]:
    """Yield a file for each plot that is asked for; one that can't be written is refused before anything is scored."""
    asked = [Path(target).resolve() for target in targets if target is not None]
    if len(set(asked)) < len(asked):
        raise EmoError("two plots can't go to the same file; name one for each")
    with ExitStack() as stack:
        yield [stack.enter_context(outputs.second_output(target, None, force=force)) for target in targets]


def _draw(record: Mapping[str, Any], plot: Path | None, plot_abstain: Path | None, plot_noise: Path | None) -> None:
    if not plot and not plot_abstain and not plot_noise:
        return
    from emocli.scores import plotting

    title = f"{record['split']} part, n = {record['accuracy']['n']}, accuracy {record['accuracy']['value']:.1%}"
    if plot:
        plotting.confusion(record["confusion"], list(record["per_class"]), title, plot)
    if plot_abstain:
        area = record["abstention"]["aurc"]["value"]
        plotting.risk_coverage(record["abstention"]["curve"], f"{title}, AURC {area:.3f}", plot_abstain)
    if plot_noise:
        n, uar = record["accuracy"]["n"], record["uar"]["value"]
        title = f"{record['split']} part, n = {n}, UAR {uar:.1%} without noise"
        plotting.noise(record["noise"]["curve"], title, plot_noise)


def _show_one(record: dict[str, Any], as_json: bool | None) -> None:
    """Print one record; for people what is long comes in tables of its own."""
    if not for_people(as_json):
        show_record(record, as_json=True)
        return
    per_class, matrix = record.pop("per_class"), record.pop("confusion")
    curve, of_group = (record.get(key) or {} for key in ("abstention", "groups"))
    points, groups = curve.pop("curve", []), of_group.pop("accuracy", {})
    noisy = record.pop("noise", {}).get("curve", [])
    record.get("enrolment", {}).get("before", {}).pop("confusion", None)
    show_record(record, as_json=False)
    show(({"class": label, **row} for label, row in per_class.items()), as_json=False)
    rows = (
        {"true \\ said": label, **dict(zip(per_class, row, strict=True))}
        for label, row in zip(per_class, matrix, strict=True)
    )
    show(rows, as_json=False)
    if points:
        show(
            ({"answered": f"{p['coverage']:.0%}", "accuracy": p, "threshold": p["threshold"]} for p in points),
            as_json=False,
        )
    if noisy:
        show(noisy, as_json=False)
    if groups:
        show(({"group": name, "accuracy": row} for name, row in groups.items()), as_json=False)

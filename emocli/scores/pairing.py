"""What is to be scored: every model with every corpus, their labels matched, and what is asked about each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emocli import kept, pipes
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import calibration, enrolment, label_map, metrics, personal, robustness
from emocli.scores.enrolment import Enrolment
from emocli.scores.label_map import LabelMap
from emocli.scores.robustness import Noises
from emocli.scores.views import PLAIN, Views


@dataclass(frozen=True, slots=True)
class Options:
    """What is scored, and what is reported beside the figures."""

    split: str = "test"
    maps: tuple[str, ...] = ()
    """DATA=MODEL, as `label_map.parse` takes them."""
    restrict: bool = False
    """Choose among the labels that the data have only."""
    metric: str = "accuracy"
    """What a table of several shows."""
    temperature: str = ""
    """"fit" or a number; empty for none."""
    abstain: bool = False
    by_group: bool = False
    group_by: str = ""
    """Column of the corpus whose values are compared, such as sex; empty for subjects."""
    least: int = 10
    """Rows of a group that is compared with others."""
    views: Views = PLAIN
    """Of a picture, whose answers are averaged."""
    samples: int = 1000
    noise: Noises | None = None
    """What is added to sounds for a curve of its own."""
    drop_leaks: bool = False
    """Leave out what an earlier part has too."""
    enrol: Enrolment = field(default_factory=dict)
    """What is heard of each person before the rest is scored."""

    @property
    def has_more(self) -> bool:
        """Whether more is asked for than the figures themselves."""
        return bool(self.temperature or self.abstain or self.by_group or self.group_by or self.noise)


@dataclass(frozen=True, slots=True)
class Pair:
    """A model and the data it is scored on."""

    model: pipes.Input
    data: pipes.Input
    labels: LabelMap


def pairs(models: Sequence[pipes.Input], names: Sequence[str], options: Options) -> list[Pair]:
    """Return every model with every corpus; without names each model with the features its header states.

    All that can be wrong with the labels and the options is an error here, before anything runs.
    """
    entries = label_map.parse(options.maps)
    _check(options)
    datas = [kept.data(models[0].header, name) for name in names]
    couples = [(model, data) for model in models for data in datas or [kept.data(model.header, None)]]
    label_map.check_used(entries, [data.header.labels for _, data in couples])
    for _, data in couples if options.drop_leaks else []:
        if data.header.kind != "features":
            raise EmoError(f"--drop-leaks compares features and {data.source} has none; make them with: emo features")
    for _, data in couples if options.group_by else []:
        _expect_column(data, options.group_by)
    for model, data in couples if options.noise else []:
        robustness.check(model.header, data)
    found = [
        Pair(model, data, label_map.match(data.header.labels, model.header.labels, entries, data.source))
        for model, data in couples
    ]
    for pair in found if options.enrol else []:
        enrolment.counts(options.enrol, pair.labels, personal.usual(pair.model.header, pair.model.source))
    return found


def named(couples: Sequence[Pair], found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each record with the names of its model and its data before it."""
    models, datas = _names([pair.model for pair in couples]), _names([pair.data for pair in couples])
    for pair, one in zip(couples, found, strict=True):
        yield {"model_name": models[pair.model.digest], "data_name": datas[pair.data.digest], **one}


def table(couples: Sequence[Pair], found: Iterable[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Return a row per model with the metric on each corpus, for people."""
    rows: dict[str, dict[str, Any]] = {}
    for one in named(couples, found):
        row = rows.setdefault(one["model_name"], {f"{metric} ({one['split']})": one["model_name"]})
        row[one["data_name"]] = one[metric]
    return list(rows.values())


def _expect_column(source: pipes.Input, name: str) -> None:
    """Raise EmoError unless the data say of each row what is called so."""
    with hdf5.open_data(source.path, source.source) as data:
        if name not in data.about:
            known = f"{', '.join(sorted(data.about))}, or subjects without it" if data.about else "subjects at most"
            raise EmoError(f"{source.source} does not tell --group-by {name}; it tells {known}")


def _check(options: Options) -> None:
    """Raise EmoError for options that can't be met, before anything runs."""
    if options.metric not in metrics.FIGURES:
        raise EmoError(f"no metric {options.metric!r}; choose {', '.join(metrics.FIGURES)}")
    if options.least < 1:
        raise EmoError(f"--min-group is {options.least}; compare groups of at least one row")
    if options.samples < 1:
        raise EmoError(f"--samples {options.samples} draws nothing to make intervals of; use 1 or more, 1000 is usual")
    if options.drop_leaks and options.split not in ("validation", "test"):
        raise EmoError(f"--drop-leaks leaves out what an earlier part has too; {options.split} has none before it")
    if options.enrol and options.noise:
        raise EmoError("--enrol and --noise ask two things of the same sounds; give one of them")
    if options.temperature:
        calibration.temperature(options.temperature, options.split)


def _names(inputs: Sequence[pipes.Input]) -> dict[str, str]:
    """Return what to call each input, by its hash: the file's name where that tells them apart."""
    by_digest = {each.digest: Path(each.source).name for each in inputs}
    unique = len(set(by_digest.values())) == len(by_digest)
    return {key: name if unique else f"{name} {key.removeprefix('sha256:')[:8]}" for key, name in by_digest.items()}

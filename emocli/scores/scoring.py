"""The record of a score: one model on one part of one corpus."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import pipes, registry
from emocli.data import audit, hdf5
from emocli.scores import (
    abstention,
    acquaintance,
    calibration,
    enrolment,
    evaluation,
    group_gaps,
    metrics,
    personal,
    robustness,
)
from emocli.scores.evaluation import Answers
from emocli.scores.label_map import LabelMap
from emocli.scores.pairing import Options, Pair
from emocli.scores.robustness import Noises
from emocli.scores.views import Runs
from emocli.telling import Note

_NAMED = 5
"""People in one remark."""


def records(
    couples: Sequence[Pair], engine: str, threads: int, options: Options, note: Note
) -> Iterator[dict[str, Any]]:
    """Yield the record of each pair, in order; one model is loaded at a time."""
    load = registry.load("engines", engine)
    leaks = {
        data.digest: _leaks(data, options, note) for data in {pair.data.digest: pair.data for pair in couples}.values()
    }
    for path, same in itertools.groupby(couples, lambda pair: pair.model.path):
        running = load(path, threads=threads)
        for pair in same:
            yield record(running, pair, options, note, leaks[pair.data.digest])


def record(engine: Runs, pair: Pair, options: Options, note: Note, leaks: NDArray[np.int64]) -> dict[str, Any]:
    """Return the figures of a pair as a dict that is ready for JSON.

    {"model", "data", "split"}, the figures of `metrics.evaluate`, and what the options and the labels add: `labels`,
    `left_out`, `temperature`, `abstention`, `noise`, `groups`, `flip`, `views`, `enrolment`; `not_found`, samples
    without a face or voice that the detector finds, which are not scored; `shared_groups` where the model was trained
    on people whom the part has too, `shared_rows` on rows of it, as its corpus was divided otherwise;
    `leaks_left_out`, rows that are not scored, as an earlier part has them too.
    """
    told = acquaintance.tell_of_rows(pair, options, note)
    found = evaluation.collect(
        engine, pair.model.header, pair.data, options.split, pair.labels, seen=options.views, leave_out=leaks
    )
    if found.no_face:
        note(f"{found.no_face} samples of {pair.data.source} have no face or voice that the model's detector finds")
    labels = pair.labels.shared if options.restrict else pair.labels.model
    enrolled: dict[str, Any] = {}
    if options.enrol:
        found, enrolled = _enrolled(found, pair, labels, options, note)
    plain, y = _among(labels, pair.labels, found)
    scaling = _scaling(engine, pair, options, labels)
    logits = plain / scaling["value"] if scaling else plain
    result: dict[str, Any] = {"model": pair.model.digest, "data": pair.data.digest, "split": options.split}
    result |= metrics.evaluate(logits, y, labels, samples=options.samples)
    result |= {"enrolment": enrolled} if enrolled else {}
    result |= {"leaks_left_out": len(leaks)} if options.drop_leaks else {}
    result |= {"not_found": found.no_face} if found.no_face else {}
    result |= acquaintance.counted(found, pair, options, note, told=told)
    result |= {"flip": True} if options.views.flip else {}
    result |= {"views": options.views.count} if options.views.count > 1 else {}
    if pair.labels.differs or options.restrict:
        result |= _labels(pair, labels, found, options, note)
    if scaling:
        before = metrics.calibration_error(plain, y, samples=options.samples)
        result["temperature"] = scaling | {"ece_before": before, "ece_after": result["ece"]}
    if options.abstain:
        result["abstention"] = abstention.risk_coverage(logits, y, samples=options.samples)
    if options.noise:
        result["noise"] = _noise(engine, pair, options, options.noise, labels, found)
    if options.by_group or options.group_by:
        result["groups"] = _groups(logits, y, found, pair, options)
        if result["groups"] is None:
            note(f"{pair.data.source} names no groups, so there is nothing to compare by group")
    return result


def _leaks(source: pipes.Input, options: Options, note: Note) -> NDArray[np.int64]:
    """Return the rows of the part that are left out, and say how many; none unless it is asked for."""
    if not options.drop_leaks:
        return np.empty(0, np.int64)
    with hdf5.open_data(source.path, source.source) as data:
        rows = audit.audit(data).later_rows[options.split]
    note(f"leaves {len(rows)} rows of {source.source} out, which an earlier part has too, or nearly so")
    return rows


def _enrolled(
    found: Answers, pair: Pair, labels: Sequence[str], options: Options, note: Note
) -> tuple[Answers, dict[str, Any]]:
    """Return the answers after an enrolment, and how many people had one, with the figures that they had before it."""
    usually = personal.usual(pair.model.header, pair.model.source)
    counts = enrolment.counts(options.enrol, pair.labels, usually)
    left, logits, without = enrolment.enrolled(found, counts, usually)
    people = len(set(left.groups)) - len(without)
    if without:
        more = ", …" if len(without) > _NAMED else ""
        note(f"{len(without)} with too few samples to enrol, scored as anybody: {', '.join(without[:_NAMED])}{more}")
    before, y = _among(labels, pair.labels, replace(left, logits=logits))
    figures = metrics.of_answers(before, y, labels, samples=options.samples)
    figures["confusion"] = metrics.confusion(before, y, len(labels)).tolist()
    heard = {personal.name_of(place, pair.labels.model): count for place, count in counts.items()}
    return left, {"samples": heard, "people": people, "before": figures}


def _among(labels: Sequence[str], known: LabelMap, found: Answers) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the logits of `labels`, and each row's place among these."""
    columns = [known.model.index(label) for label in labels]
    places = np.full(len(known.model) + 1, -1, np.int64)
    places[columns] = np.arange(len(columns))
    # the last place is that of rows without a label, -1
    return found.logits[:, columns].astype(np.float64), places[found.y]


def _scaling(engine: Runs, pair: Pair, options: Options, labels: Sequence[str]) -> dict[str, Any]:
    """Return the temperature, and for one that is fitted on what; empty without."""
    if not options.temperature:
        return {}
    given = calibration.temperature(options.temperature, options.split)
    if given is not None:
        return {"value": given}
    hint = "a number needs no such part: --temperature 1.5"
    found = evaluation.collect(
        engine, pair.model.header, pair.data, "validation", pair.labels, seen=options.views, hint=hint
    )
    logits, y = _among(labels, pair.labels, found)
    value = calibration.fit_temperature(logits, y)
    return {"value": value, "fitted_on": "validation", "n": int((y >= 0).sum())}


def _labels(pair: Pair, labels: Sequence[str], found: Answers, options: Options, note: Note) -> dict[str, Any]:
    """Return which labels were scored and how, and say what is missing on either side."""
    rows = ", ".join(f"{label} ({count} rows)" for label, count in found.left_out.items())
    remarks = [f"left out, as it has no place among the model's labels: {rows}"] if rows else []
    if pair.labels.lacking:
        price = "never answered" if options.restrict else "wrong when answered; see --restrict"
        remarks.append(f"only the model has {', '.join(pair.labels.lacking)} ({price})")
    if remarks:
        note(f"{pair.data.source}: {'; '.join(remarks)}")
    return {
        "labels": list(labels),
        "map": pair.labels.renamed,
        "left_out": found.left_out,
        "only_in_model": list(pair.labels.lacking),
        "restrict": options.restrict,
    }


def _noise(
    engine: Runs, pair: Pair, options: Options, wanted: Noises, labels: Sequence[str], clean: Answers
) -> dict[str, Any]:
    """Return accuracy and UAR without noise and with each, on the same rows."""
    heard = robustness.answers(engine, pair.model.header, pair.data, options.split, clean, wanted, seen=options.views)
    made = ((about, *_among(labels, pair.labels, found)) for about, found in heard)
    curve = [robustness.row(about, logits, y, labels, options.samples) for about, logits, y in made]
    return {"seed": wanted.seed, "curve": curve}


def _groups(
    logits: NDArray[Any], y: NDArray[np.int64], found: Answers, pair: Pair, options: Options
) -> dict[str, Any] | None:
    """Return the accuracy by subject, or by another column of the data, and the gap."""
    scored, named = y >= 0, found.groups
    if options.group_by:
        with hdf5.open_data(pair.data.path, pair.data.source) as data:
            named = [data.about[options.group_by][row] for row in found.rows]
    right = (logits.argmax(axis=1) == y)[scored]
    groups = [group for group, is_scored in zip(named, scored, strict=True) if is_scored]
    gaps = group_gaps.by_group(right, groups, least=options.least)
    return {"by": options.group_by, **gaps} if gaps and options.group_by else gaps

"""Scores as `emo eval` gives them: JSON for programs, for people tables of what is long, and plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emocli.commands._show import Row, for_people, show, show_record


def of_one(record: dict[str, Any], as_json: bool | None) -> None:
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
    _show_classes(per_class)
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


def of_folds(found: Sequence[Row], whole: Row, as_json: bool | None) -> None:
    """Print the record of each fold, and that of all together."""
    if not for_people(as_json):
        show([*found, whole], as_json=True)
        return
    from emocli.scores.over_folds import MEASURES

    rows = [{"fold": each["model_name"], **{name: each[name] for name in MEASURES}} for each in found]
    rows.append({"fold": "all rows", **{name: whole[name] for name in MEASURES}})
    rows.append({"fold": "mean of folds", **{name: whole["mean"][name] for name in MEASURES}})
    show(rows, as_json=False)
    _show_classes(whole["per_class"])


def _show_classes(per_class: Mapping[str, Row]) -> None:
    show(({"class": label, **row} for label, row in per_class.items()), as_json=False)


def draw(record: Row, plot: Path | None, plot_abstain: Path | None, plot_noise: Path | None) -> None:
    """Draw the plots that are asked for, each into its file."""
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

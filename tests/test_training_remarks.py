"""Options of training that do nothing beside the others are told before the run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_runs import QUICK, three_classes, trained

from emocli.data import hdf5
from emocli.training import remarks
from emocli.training.recipe import Recipe


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"restart_epochs": 4}, ["--restart-epochs 4 changes nothing with --schedule cosine"]),
        ({"onecycle_rise": 0.1, "schedule": "step"}, ["--onecycle-rise 0.1 changes nothing with --schedule step"]),
        ({"step_factor": 0.5}, ["--step-factor 0.5 changes nothing with --schedule cosine"]),
        ({"milestones": "0.9"}, ["--milestones 0.9 changes nothing with --schedule cosine"]),
        ({"warmup": 3.0, "schedule": "onecycle"}, ["--warmup 3.0 changes nothing with --schedule onecycle"]),
        ({"center_rate": 0.1}, ["--center-rate 0.1 changes nothing with --center 0"]),
        ({"center_rate": 0.1, "center": 0.01, "warmup": 3.0}, []),
        ({"milestones": "0.9", "step_factor": 0.5, "schedule": "step"}, []),
        ({"onecycle_rise": 0.1, "schedule": "onecycle"}, []),
        ({"schedule": "restarts", "restart_epochs": 7}, []),  # 1 + 5 * 7 of 36
        ({"schedule": "restarts", "restart_epochs": 35}, []),
    ],
)
def test_an_option_of_what_is_not_asked_for_is_told(given: dict[str, Any], told: list[str]) -> None:
    assert list(remarks.lines(replace(Recipe(), **given))) == told


@pytest.mark.parametrize(("cycle", "left"), [(10, "50%"), (70, "50%")])
def test_a_run_that_ends_within_a_cycle_is_told(cycle: int, left: str) -> None:
    (line,) = remarks.lines(replace(Recipe(), schedule="restarts", restart_epochs=cycle))
    assert f"ends within a cycle of {cycle} epochs, at {left} of the highest learning rate" in line


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"freeze": 1e-6}, "0 of "),
        ({"progressive": 0.5}, "pixels can't begin smaller so: trains without --progressive"),
        ({"restart_epochs": 4}, "--restart-epochs 4 changes nothing"),
    ],
)
def test_what_does_nothing_is_told_by_the_run(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    notes: list[str] = []
    with hdf5.open_data(three_classes(tmp_path / "features.h5")) as data:
        trained(data, replace(QUICK, epochs=1, **given), note=notes.append)
    assert any(told in line for line in notes)

"""A study: the trials of one question in an sqlite file, which a killed search continues as if nothing had happened."""

import contextlib
import fcntl
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from emocli.errors import EmoError
from emocli.telling import Note
from emocli.tuning.space import Range, Space

_NAME, _QUESTION, _REASON = "emo", "question", "reason"
_WITHOUT_PRUNING = 5
"""Trials that run to their end before others are measured by them."""

Report = Callable[[int, float], None]
"""Told the validation accuracy after each epoch; ends the trial when it is below the median of those before."""
Objective = Callable[[Mapping[str, Any], Report], tuple[float, dict[str, Any]]]
"""From the values of a trial to its validation accuracy and the facts that its row shows; may raise EmoError."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a search goes on."""

    trials: int
    """That the study has at the end, those of earlier calls included."""
    minutes: float
    """After which no trial begins; 0 is no limit."""
    unpruned_epochs: int | None
    """Epochs of a trial before it may be given up; None never gives one up."""


@contextlib.contextmanager
def opened(path: Path, question: Mapping[str, Any]) -> Iterator[optuna.Study]:
    """Yield the study in a file, which is made when it isn't there; nobody else may work on it meanwhile.

    Raises EmoError when the file is no study, or one of another `question`: data, architecture, options and space.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _refuse(path)
    with open(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise EmoError(f"another emo tune works on {path}; wait for it, or name another --study") from fault
        try:
            study = optuna.create_study(
                storage=URL.create("sqlite", database=str(path.absolute())).render_as_string(),
                study_name=_NAME,
                direction="maximize",
                load_if_exists=True,
            )
        except (SQLAlchemyError, RuntimeError) as fault:
            raise EmoError(f"{path} is not a study that can be read; name another --study") from fault
        _same(study, question, path)
        yield study


def search(study: optuna.Study, space: Space, objective: Objective, limits: Limits, seed: int, note: Note) -> None:
    """Run trials until the study has as many as wanted. A trial that fails is one; a killed one is run again.

    Values depend on the seed and the trials before only, so that a search that was killed finds what one that was
    not would have found. Tree-structured Parzen estimator (Bergstra et al. 2011), median rule for giving up.
    """
    for killed in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
    begun = time.monotonic()
    while (number := len(ended(study))) < limits.trials:
        if limits.minutes and time.monotonic() - begun >= 60 * limits.minutes:
            note(f"{limits.minutes:g} minutes are over after {number} of {limits.trials} trials; the same line goes on")
            return
        _prepare(study, limits, seed, number)
        trial = study.ask()
        values = {name: _suggested(trial, name, values) for name, values in space.items()}
        outcome = _known(study, trial) or _outcome(study, trial, values, objective)
        note(f"trial {number}: {outcome} ({_listed(values)})")


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that came to an end, in order; a trial that was killed did not."""
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    trials = study.get_trials(deepcopy=False, states=states)
    return [trial for trial in trials if trial.state != TrialState.FAIL or _REASON in trial.user_attrs]


def rows(study: optuna.Study, n: int) -> list[dict[str, Any]]:
    """Return a row per trial, best first, then those that were given up and those that failed.

    `n` is the rows of the validation part, which accuracies are about.
    """
    order = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    numbered = sorted(enumerate(ended(study)), key=lambda item: (order.index(item[1].state), -(item[1].value or 0)))
    return [
        {
            "trial": number,
            "state": trial.state.name.lower().replace("fail", "failed"),
            "accuracy": trial.value,
            "n": n,
            "epoch": trial.last_step,
            **trial.user_attrs,
            "parameters": dict(trial.params),
        }
        for number, trial in numbered
    ]


def _refuse(path: Path) -> None:
    """Refuse a file that holds something else, and a place where none can be."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise EmoError(f"{path} can't be a study; name a file in a folder that is there")
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            tables = {name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as fault:
        raise EmoError(f"{path} is not a study of emo tune; name another --study") from fault
    # a database without tables is a study whose making was killed
    if tables and not {"studies", "version_info"} <= tables:
        raise EmoError(f"{path} is a database of something else; name another --study")


def _same(study: optuna.Study, question: Mapping[str, Any], path: Path) -> None:
    asked = json.loads(json.dumps(question))
    stated = study.user_attrs.get(_QUESTION)
    if stated is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(_QUESTION, asked)
    elif stated != asked:
        other = [key for key in asked if (stated or {}).get(key) != asked[key]]
        raise EmoError(f"{path} is a study with other {', '.join(other)}; repeat those, or name another --study")


def _prepare(study: optuna.Study, limits: Limits, seed: int, number: int) -> None:
    # a sampler per trial: one that goes on would draw the same first values again after a kill
    own = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=own)
    if limits.unpruned_epochs is None:
        study.pruner = optuna.pruners.NopPruner()
    else:
        study.pruner = optuna.pruners.MedianPruner(_WITHOUT_PRUNING, limits.unpruned_epochs)


def _suggested(trial: optuna.Trial, name: str, values: Any) -> Any:
    if not isinstance(values, Range):
        return trial.suggest_categorical(name, values.values)
    if isinstance(values.low, int) and isinstance(values.high, int):
        return trial.suggest_int(name, values.low, values.high, step=int(values.step or 1), log=values.log)
    return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)


def _known(study: optuna.Study, trial: optuna.Trial) -> str:
    """End a trial whose values were tried before as that one did, and say so; empty where they are new."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    before = next((each for each in done if each.params == trial.params), None)
    if before is None or before.value is None:
        return ""
    for name, fact in before.user_attrs.items():
        trial.set_user_attr(name, fact)
    study.tell(trial, before.value)
    return f"validation accuracy {before.value:.2%}, as before with these values"


def _outcome(study: optuna.Study, trial: optuna.Trial, values: Mapping[str, Any], objective: Objective) -> str:
    """Run one trial, write down how it ended, and return that in words."""

    def report(epoch: int, accuracy: float) -> None:
        trial.report(accuracy, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        accuracy, facts = objective(values, report)
    except optuna.TrialPruned:
        told = study.tell(trial, state=TrialState.PRUNED)
        return f"given up after epoch {told.last_step} with {told.value or 0:.2%}"
    except (EmoError, MemoryError, torch.OutOfMemoryError) as fault:
        reason = str(fault).splitlines()[0] if str(fault) else "the machine has too little memory for it"
        trial.set_user_attr(_REASON, reason)
        study.tell(trial, state=TrialState.FAIL)
        return f"failed: {reason}"
    for name, fact in facts.items():
        trial.set_user_attr(name, fact)
    study.tell(trial, accuracy)
    return f"validation accuracy {accuracy:.2%}"


def _listed(values: Mapping[str, Any]) -> str:
    texts = {name: f"{value:.4g}" if isinstance(value, float) else f"{value}" for name, value in values.items()}
    return ", ".join(f"{name} {text}" for name, text in texts.items())

"""How much noise a model of speech stands: its figures on the same clips with noise of several kinds and ratios."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import numerals, pipes, registry
from emocli.artifact import Header
from emocli.data.hdf5 import Data
from emocli.errors import EmoError
from emocli.extracting import extraction, others
from emocli.scores import evaluation, metrics
from emocli.scores.evaluation import Answers, Change
from emocli.scores.views import PLAIN, Runs, Views
from emocli.sound import mixing, noises
from emocli.sound.sounds import Sound

Row = dict[str, Any]
FIGURES = ("accuracy", "uar")
CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Noises:
    """What is added to each clip, one after the other."""

    kinds: tuple[str, ...]
    ratios_db: tuple[float, ...]
    """Signal to noise, of the mean powers over the whole clip."""
    seed: int = 0


def parse(kinds: str, ratios: str, seed: int) -> Noises:
    """Return what "white,babble" and "20,10,0" say; raises EmoError for kinds that are not there and for no numbers."""
    names = tuple(dict.fromkeys(kinds.split(",")))
    for name in names:
        if name not in noises.KINDS:
            near = registry.nearest(name, noises.KINDS)
            raise EmoError(f"no noise {name!r}{near}; choose from {','.join(noises.KINDS)}")
    decibels = tuple(dict.fromkeys(map(numerals.number, ratios.split(","))))
    low, high = noises.RATIOS_DB
    if not all(low <= each <= high for each in decibels) or seed < 0:
        raise EmoError(f"--snr {ratios} is no list of decibels from {low:g} to {high:g}, such as 30,20,10,0")
    return Noises(names, decibels, seed)


def check(model: Header, data: pipes.Input) -> None:
    """Raise EmoError unless noise can be added to the data and heard by the model."""
    if data.header.kind != "dataset":
        raise EmoError(f"{data.source} holds features, to which no noise can be added; name sounds: --data DATASET")
    if (kind := extraction.modality(model)) != "speech":
        raise EmoError(f"noise is for models of speech, and this one is of {kind}; leave out --noise")


def answers(
    engine: Runs,
    model: Header,
    source: pipes.Input,
    split: str,
    clean: Answers,
    wanted: Noises,
    *,
    seen: Views = PLAIN,
) -> Iterator[tuple[Row, Answers]]:
    """Yield {"noise", "snr_db", "unheard"} and the answers on the same rows, first without noise.

    Each is the mean over the views that are `seen`, as those of `clean` were. A clip in which the model's detector
    hears no voice any more counts as answered wrong: `unheard` says how many.
    """
    yield {"noise": CLEAN, "snr_db": None, "unheard": 0}, clean
    for kind in wanted.kinds:
        for ratio in wanted.ratios_db:
            change = _adding(kind, ratio, (wanted.seed, noises.KINDS.index(kind)))
            logits, rows = evaluation.logits(engine, model, source, split, change, seen)
            filled, unheard = _on_rows(clean, logits, rows)
            yield {"noise": kind, "snr_db": ratio, "unheard": unheard}, replace(clean, logits=filled)


def row(about: Row, logits: NDArray[Any], y: NDArray[np.int64], labels: Sequence[str], samples: int) -> Row:
    """Return one row of the curve: `about`, and accuracy and UAR with their intervals."""
    figures = metrics.of_answers(logits, y, labels, samples=samples)
    return about | {name: figures[name] for name in FIGURES}


def _on_rows(clean: Answers, logits: NDArray[np.float32], rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], int]:
    """Return the logits of the rows that are heard without noise, those of rows that are not heard with it wrong."""
    filled = np.zeros_like(clean.logits)
    filled[np.arange(len(filled)), clean.y] = -1
    heard = np.isin(rows, clean.rows)
    filled[np.searchsorted(clean.rows, rows[heard])] = logits[heard]
    unheard = (clean.y >= 0) & ~np.isin(clean.rows, rows)
    return filled, int(unheard.sum())


def _adding(kind: str, ratio_db: float, seed: tuple[int, ...]) -> Change:
    """Return what adds noise to sounds; the noise of a clip is the same at every ratio."""

    def noisy(data: Data, scored: NDArray[np.int64], sounds: Sequence[Sound], rows: NDArray[np.int64]) -> list[Sound]:
        # a fold of one speaker has nobody else to babble
        alone = len({data.group[row] for row in scored.tolist()} - {""}) == 1
        others_of = others.among(data, data.scored("all") if alone else scored)
        changed = []
        for sound, place in zip(sounds, rows.tolist(), strict=True):
            random = np.random.default_rng((*seed, place))
            noise = noises.make(kind, len(sound), random, others_of(place))
            changed.append(mixing.mix(sound, noise, ratio_db))
        return changed

    return noisy

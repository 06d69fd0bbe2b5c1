"""Augmented copies of sounds: which effects, how strong, how often, and the draws that are always the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from emocli import registry
from emocli.errors import EmoError
from emocli.sound.noises import Others
from emocli.sound.sounds import Sound

Change = Callable[[Sound, Generator, Others], Sound]


@dataclass(frozen=True, slots=True)
class Copies:
    """How many copies of each clip of the train part are made, and what each goes through, in this order."""

    count: int = 0
    effects: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()
    """Name and all options of each effect."""
    chance: float = 1.0
    """Probability of each effect; a copy has at least one."""
    seed: int = 0

    def recorded(self) -> dict[str, Any]:
        """Return the options of `emo features` that say this again, empty without copies."""
        if not self.count:
            return {}
        strengths = [f"{name}={options[0][1]}" for name, options in self.effects]
        others = [f"{name}.{key}={value}" for name, options in self.effects for key, value in options[1:]]
        flags = {"copies": self.count, "effect": strengths, "effect_param": others}
        return flags | {"effect_chance": self.chance, "seed": self.seed}


def planned(
    count: int, effects: Sequence[str], params: Mapping[str, Any], chance: float, seed: int, modality: str
) -> Copies:
    """Return the copies that flags ask for: effects as NAME or NAME=LOW:HIGH, params as NAME.OPTION or OPTION.

    The range is an effect's first option. Raises EmoError for effects that are not there or not for `modality`, for
    options and strengths that can't be, and for effects without copies or copies without effects.
    """
    if not count and not effects and not params:
        if chance != 1 or seed:
            raise EmoError("--effect-chance and --seed are of augmented copies; say how many: --copies 2")
        return Copies()
    if count < 0 or not effects or not count:
        missing = "give the effects too: --effect noise=5:20" if not effects else "say how many: --copies 2"
        raise EmoError(f"--copies {count} with {len(effects)} effects makes no copies; {missing}")
    if not 0 < chance <= 1:
        raise EmoError(f"--effect-chance {chance:g} is no chance; use more than 0 and at most 1")
    if seed < 0:
        raise EmoError(f"--seed {seed} is no seed; use 0 or more")
    given = _given(effects, modality)
    shares = _completed(given, params)
    chosen = tuple((name, tuple(registry.resolve("effects", name, share).items())) for name, share in shares.items())
    for name, options in chosen:  # strengths out of range are found before anything is read
        registry.load("effects", name)(**dict(options))
    return Copies(count, chosen, chance, seed)


def changer(copies: Copies) -> Callable[[Sound, int, int, Others], Sound]:
    """Return the function from a sound, its row and the number of the copy to that copy; the same draws every time."""
    changes: list[Change] = [registry.load("effects", name)(**dict(options)) for name, options in copies.effects]

    def changed(sound: Sound, row: int, number: int, others: Others) -> Sound:
        random = np.random.default_rng((copies.seed, number, row))
        drawn = random.random(len(changes)) < copies.chance
        if not drawn.any():
            drawn[random.integers(len(changes))] = True
        for change, is_drawn in zip(changes, drawn, strict=True):
            # an effect has something to work on and leaves something
            after = change(sound, random, others) if is_drawn and len(sound) else sound
            sound = after if len(after) else sound
        return sound

    return changed


def _given(effects: Sequence[str], modality: str) -> dict[str, dict[str, Any]]:
    """Return the range given for each effect, in their order, under the name of its first option."""
    given: dict[str, dict[str, Any]] = {}
    for text in effects:
        name, equals, strength = text.partition("=")
        entry = registry.describe("effects", name)
        if entry.modality != modality:
            raise EmoError(f"{name} is an effect for {entry.modality} and these data hold {modality}; leave it out")
        if name in given:
            raise EmoError(f"--effect {name} is given twice; give it once")
        given[name] = {next(iter(entry.options)): strength} if equals else {}
    return given


def _completed(given: dict[str, dict[str, Any]], params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all options given for each effect; raises EmoError for one that no effect has."""
    for name, share in registry.shares("effects", list(given), params).items():
        for option, value in share.items():
            if option in given[name] and f"{name}.{option}" in params:
                raise EmoError(f"{name} is given {option} twice, by --effect and by --effect-param; give it once")
            given[name].setdefault(option, value)
    return given

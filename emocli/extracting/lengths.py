"""Sounds of one length: the middle of longer ones, shorter ones filled up with silence."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from emocli.artifact import Step
from emocli.errors import EmoError
from emocli.extracting.joining import Extractor, Features
from emocli.sound.sounds import RATE_HZ, Sound

_SECONDS = 0.1, 3600.0


def check(seconds: float, modality: str) -> None:
    """Raise EmoError for a length that sounds can't be brought to, and for one of faces; 0 is as long as they are."""
    if seconds and modality != "speech":
        raise EmoError(f"--length {seconds:g} is for sounds and these data hold {modality}; leave it out")
    least, most = _SECONDS
    if seconds and not (math.isfinite(seconds) and least <= seconds <= most):
        raise EmoError(f"--length {seconds:g} is no length of a clip; use {least:g} to {most:g} seconds, or 0 for all")


def recorded(step: Step, modality: str) -> float:
    """Return the seconds that sounds were brought to by a step of features, 0 for none; raises EmoError as `check`."""
    seconds = step.get("options", {}).get("length", 0.0)
    try:
        seconds = float(seconds) if isinstance(seconds, int | float) else 0.0
    except OverflowError:
        seconds = math.inf
    check(seconds, modality)
    return seconds


def fitted(sound: Sound, seconds: float) -> Sound:
    """Return (seconds · RATE_HZ,) samples: the middle of a longer sound, silence after a shorter one."""
    size = round(seconds * RATE_HZ)
    begin = max(0, len(sound) - size) // 2
    kept = sound[begin : begin + size]
    return np.pad(kept, (0, size - len(kept)))


def of(seconds: float, extract: Extractor) -> Extractor:
    """Return the extractor of sounds that are brought to this length first; itself for 0."""
    if not seconds:
        return extract

    def extract_fitted(sounds: Sequence[Any]) -> Features:
        return extract([fitted(sound, seconds) for sound in sounds])

    return extract_fitted

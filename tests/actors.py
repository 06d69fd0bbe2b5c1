"""A small RAVDESS: four actors who hum, two to a sentence, of folds 1, 2 and 3."""

from pathlib import Path

import numpy as np
from sound_made import tone, write

ACTORS = (2, 3, 10, 11)
"""Fold 1 has the first, fold 2 the second, fold 3 the others."""
CLIPS = 16
"""Of each actor."""


def write_actors(root: Path) -> Path:
    """Write the clips as they are published; returns the folder."""
    quiet = tone(0.3, level=1e-4)
    for actor in ACTORS:
        for emotion in range(1, 9):
            for repetition in (1, 2):
                name = f"03-01-0{emotion}-01-01-0{repetition}-{actor:02}.wav"
                voice = tone(0.4, hz=100 * emotion + actor) + tone(0.4, hz=130 * emotion * repetition, level=0.2)
                write(root / f"Actor_{actor:02}" / name, np.concatenate([quiet, voice, quiet]))
    return root

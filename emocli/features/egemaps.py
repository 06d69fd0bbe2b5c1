"""eGeMAPS of openSMILE: 88 numbers of a clip, or 25 every 10 ms. openSMILE is for non-commercial use only.

Eyben et al., "The Geneva minimalistic acoustic parameter set" (IEEE Transactions on Affective Computing 2016), version
2, computed by audEERING's openSMILE itself. It needs the extra: pip install 'emocli[egemaps]', and its licence
(audEERING Research License) allows research and private use; products need one of their own.

Options:
    level: clip, one vector of functionals for all of it, or frames, the low-level descriptors
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import opensmile
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.sound.sounds import RATE_HZ, Sound
from emocli.telling import tell

MODALITY = "speech"

_LEVELS = {
    "clip": opensmile.FeatureLevel.Functionals,
    "frames": opensmile.FeatureLevel.LowLevelDescriptors,
}


def extractor(*, level: str = "clip") -> Callable[[Sequence[Sound]], NDArray[np.float32] | list[NDArray[np.float32]]]:
    """Return the function from n sounds to (n, 88) float32, or to n arrays (frames, 25); says its licence on stderr."""
    if level not in _LEVELS:
        raise EmoError(f"egemaps has no level {level!r}; choose clip or frames")
    tell("openSMILE is licensed for non-commercial use only (audEERING Research License)")
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, _LEVELS[level])

    def extract(sounds: Sequence[Sound]) -> NDArray[np.float32] | list[NDArray[np.float32]]:
        found = [_rows(smile, sound) for sound in sounds]
        return found if level == "frames" else np.concatenate(found)

    return extract


_SHORTEST = RATE_HZ // 10
"""Samples below which openSMILE finds no value for some features."""


def _rows(smile: opensmile.Smile, sound: Sound) -> NDArray[np.float32]:
    # silence around what is too short, as every other extractor has it
    sound = np.pad(sound, (0, max(0, _SHORTEST - len(sound))))
    with warnings.catch_warnings():
        # its warning of a short sound, which is an error here
        warnings.simplefilter("ignore", UserWarning)
        rows: NDArray[np.float32] = smile(sound, RATE_HZ)[0].T.astype(np.float32)
    if not np.isfinite(rows).all():
        raise EmoError(f"eGeMAPS finds no values in a clip of {len(sound) / RATE_HZ:.2f} s; leave it out")
    return rows

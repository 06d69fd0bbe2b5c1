"""Skin conductance in its two parts, the level and what rises above it, and the single responses.

The level (tonic part) is what lies below 0.05 Hz, the phasic part what is above: the method highpass of NeuroKit2
(Makowski et al., Behavior Research Methods 2021) and of Biopac's AcqKnowledge. A response is a rise from a trough to a
peak, by a least amplitude: Boucsein et al., "Publication recommendations for electrodermal measurements"
(Psychophysiology 2012).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emocli.physio import bands, signals

Floats = NDArray[np.float64]

RATE_HZ = 8
"""What both parts are kept at: skin is slow, and a wristband takes four samples a second of it."""

_LEVEL_HZ, _NOISE_HZ = 0.05, 1.0
"""Below the first lies the level; a response takes a second to rise, and what is above the second is noise."""
_LONGEST = 5 * RATE_HZ
"""Samples that a response takes to rise; what came before was drift."""


class Responses(NamedTuple):
    """The responses of some time, in order, (n,) each."""

    amplitudes: Floats
    """How far each rises, microsiemens."""
    rises: Floats
    """How long it takes to, seconds."""


def parts(conductance: Floats) -> tuple[Floats, Floats]:
    """Return the tonic and the phasic part, 8 samples a second, of (frames,) in microsiemens, 64 a second.

    Without noise, their sum is the whole.
    """
    together = min(signals.RATE_HZ // RATE_HZ, len(conductance))
    slow = conductance[: len(conductance) // together * together].reshape(-1, together).mean(axis=1)
    tonic = bands.between(slow, RATE_HZ, 0, _LEVEL_HZ)
    return tonic, bands.between(slow, RATE_HZ, 0, _NOISE_HZ) - tonic


def responses(whole: Floats, least: float) -> Responses:
    """Return the responses of at least so many microsiemens in (n,), both parts together, 8 a second.

    Above the level alone they are smaller than they were, and swing back below it, which is no response either.
    """
    rises = [(_onset(whole, max(trough, peak - _LONGEST), peak), peak) for trough, peak in _rises(whole, least)]
    onsets, peaks = np.array(rises, np.intp).reshape(-1, 2).T
    amplitudes, seconds = whole[peaks] - whole[onsets], (peaks - onsets) / RATE_HZ
    return Responses(amplitudes[amplitudes >= least], seconds[amplitudes >= least])


def _onset(whole: Floats, trough: int, peak: int) -> int:
    """Return where the rise begins: furthest below the straight line from trough to peak, as a level drifts before."""
    line = np.linspace(whole[trough], whole[peak], peak - trough + 1)
    return trough + int((whole[trough : peak + 1] - line).argmin())


def _rises(values: Floats, least: float) -> list[tuple[int, int]]:
    """Return from where to where `values` rise by `least` before they fall by as much; what still rises is left out."""
    up = np.diff(values) > 0
    turns = [0, *(np.flatnonzero(up[1:] != up[:-1]) + 1).tolist(), len(values) - 1]
    heights = values[turns].tolist()
    found: list[tuple[int, int]] = []
    low = high = 0
    rising = False
    for turn, height in enumerate(heights):
        if rising and height > heights[high]:
            high = turn
        elif rising and heights[high] - height >= least:
            found.append((turns[low], turns[high]))
            low, rising = turn, False
        elif not rising and height < heights[low]:
            low = turn
        elif not rising and height - heights[low] >= least:
            high, rising = turn, True
    return found

"""One vector a window: how well the skin conducts, how that drifts, and how often and how far it responds.

Thirteen numbers of the electrodermal activity (channel eda), in microsiemens (µS). Of the level (tonic part, below 0.05
Hz): mean, deviation, least, largest, slope a minute, and the logarithm of the mean, by which people are less far apart
(0.01 is the least that it is taken of). Of what lies above the level (phasic part): deviation, and the area between the
two in µS s a minute. Of the responses: how many a minute, mean amplitude, mean rise time in seconds, sum of the
amplitudes a minute, and the largest amplitude; zeros for these five where there is none.

Options:
    least: amplitude in µS from which on a rise is a response; 0.05 is customary too
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.features import _windows
from emocli.physio import skin_conductance, trends
from emocli.physio.signals import RATE_HZ, Signals

MODALITY = "physio"

_LOWEST = 0.01


def extractor(*, least: float = 0.01) -> Callable[[Sequence[Signals]], NDArray[np.float32]]:
    """Return the function from n windows to (n, 13) float32."""
    if not least > 0:
        raise EmoError(f"eda can't take least={least:g}; give microsiemens above 0, such as 0.01 or 0.05")
    return lambda windows: _windows.described(windows, lambda window: _numbers(window.channel("eda"), least))


def _numbers(conductance: NDArray[np.float64], least: float) -> list[float]:
    minutes = len(conductance) / RATE_HZ / 60
    tonic, phasic = skin_conductance.parts(conductance)
    amplitudes, rises = skin_conductance.responses(tonic + phasic, least)
    slope = trends.a_minute(tonic, np.arange(len(tonic)) / skin_conductance.RATE_HZ)
    level = [tonic.mean(), tonic.std(), tonic.min(), tonic.max(), slope, np.log(max(tonic.mean(), _LOWEST))]
    about = [phasic.std(), np.abs(phasic).mean() * 60]
    if not len(amplitudes):
        return [*level, *about, *[0.0] * 5]
    sums = [len(amplitudes) / minutes, amplitudes.mean(), rises.mean(), amplitudes.sum() / minutes, amplitudes.max()]
    return [*level, *about, *sums]

"""Physiological signals as emo keeps them: the channels of a wearable on one clock, 64 samples of each a second."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

RATE_HZ = 64
"""What the pulse of a wrist is recorded at; slower channels are interpolated linearly to it."""
CHANNELS = {
    "bvp": "blood volume pulse, in the recorder's own unit",
    "eda": "electrodermal activity, microsiemens",
    "temp": "temperature of the skin, degrees Celsius",
    "acc_x": "acceleration, g",
    "acc_y": "acceleration, g",
    "acc_z": "acceleration, g",
}
"""The channels that there can be, in the order in which they are kept, and what they are measured in."""


class Signals(NamedTuple):
    """Some time of some channels."""

    values: NDArray[np.float32]
    """(frames, channels), finite."""
    channels: tuple[str, ...]
    """Of `CHANNELS`, in that order."""

    def channel(self, name: str) -> NDArray[np.float64]:
        """Return (frames,) of one channel; raises EmoError where it was not recorded."""
        if name not in self.channels:
            raise EmoError(
                f"these recordings have no {name} ({CHANNELS[name]}), they have {', '.join(self.channels)}; "
                "leave out the extractors that need it"
            )
        return self.values[:, self.channels.index(name)].astype(np.float64)

"""What Whisper's encoder hears: half a minute of log-mel spectrum, scaled as in its own code.

Radford et al., "Robust speech recognition via large-scale weak supervision" (ICML 2023).
"""

import numpy as np
from numpy.typing import NDArray

from emocli.features import _mel
from emocli.sound.frames import Block
from emocli.sound.sounds import RATE_HZ, Sound

SAMPLES = 30 * RATE_HZ
"""What the encoder takes at once; shorter sounds are followed by silence."""
STEP = 320
"""Samples from one frame of the encoder's output to the next."""
_SIZE, _HOP = 400, 160


def log_mel(sound: Sound, mels: int) -> NDArray[np.float32]:
    """Return (mels, 3000) of at most half a minute of sound."""
    padded = np.pad(np.pad(sound, (0, SAMPLES - len(sound))), _SIZE // 2, "reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP][: SAMPLES // _HOP]
    bank = _mel.groups(_mel.filters(_SIZE, mels, 0.0, RATE_HZ / 2))
    powers = np.log10(np.maximum(_mel.filtered(Block(frames).power, bank), 1e-10))
    scaled: NDArray[np.float32] = (np.maximum(powers, powers.max() - 8) + 4) / 4
    return np.ascontiguousarray(scaled.T)

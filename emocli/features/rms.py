"""Loudness: root mean square of each frame, equal to librosa's.

Options:
    n_fft: samples of a frame, at 16 kHz
    hop: samples from one frame to the next
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emocli.sound.frames import Block, Framing
from emocli.sound.framewise import Framewise

MODALITY = "speech"


def extractor(*, n_fft: int = 2048, hop: int = 512) -> Framewise:
    """Return the function from n sounds to n arrays (frames, 1) float32."""
    return Framewise(Framing(n_fft, hop), _rms)


def _rms(blocks: Iterable[Block]) -> NDArray[np.float32]:
    # a product of each frame with itself
    energies = [block.samples[:, None, :] @ block.samples[:, :, None] / block.size for block in blocks]
    return np.sqrt(np.concatenate(energies)[:, 0])

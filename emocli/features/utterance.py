"""One vector a clip: means over time of 13 MFCC, 12 chroma and the loudness.

What most tutorials on RAVDESS feed to a classifier, with librosa's numbers; one spectrum serves all three.

Options:
    n_fft: samples of a frame, at 16 kHz
    hop: samples from one frame to the next
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.features import chroma, mfcc, rms
from emocli.sound.sounds import Sound

MODALITY = "speech"


def extractor(*, n_fft: int = 2048, hop: int = 512) -> Callable[[Sequence[Sound]], NDArray[np.float32]]:
    """Return the function from n sounds to (n, 26) float32."""
    parts = (each.extractor(n_fft=n_fft, hop=hop) for each in (chroma, rms))
    rows = mfcc.extractor(deltas=0, n_fft=n_fft, hop=hop).beside(list(parts))

    def extract(sounds: Sequence[Sound]) -> NDArray[np.float32]:
        return np.stack([frames.mean(axis=0) for frames in rows(sounds)])

    return extract

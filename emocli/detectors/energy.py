"""Speech by loudness and spectrum: no network, works offline, for rooms that are quiet or steadily noisy.

Frames of 32 ms every 10 ms. A frame is speech when it is `above` dB louder than the noise floor and its spectrum from
100 to 4,000 Hz is not flat, or has its centre of gravity where voices have it; so after Moattar and Homayounpour
(EUSIPCO 2009), who let energy, spectral flatness and the dominant frequency vote. The floor is followed by minimum
statistics (Martin, IEEE TSAP 2001): the least smoothed level within 1.5 s before and after. Pauses shorter than
`silence` do not end a span (hangover), which carries it over unvoiced sounds.

Options:
    above: decibels over the noise floor with which speech begins; it ends half of that above the floor
    shortest: seconds that speech lasts at least
    silence: seconds of a pause that ends a span
    margin: seconds that are added on each side
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from emocli.detectors import _spans
from emocli.detectors._spans import Span
from emocli.errors import EmoError
from emocli.sound import sounds
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

_FRAME, _STEP, _AT_ONCE = 512, 160, 4096
_BAND = slice(3, 129)
"""Bins of 31.25 Hz from 100 to 4,000 Hz."""
_QUIETEST_DB, _FLAT_DB, _VOICES_HZ = -70.0, -7.0, (200.0, 1800.0)
"""Level below which there is nothing to hear; flatness of noise (0 is white); the centre of gravity of voices."""
_SMOOTH, _FLOOR = 5, 301
"""Frames over which levels are smoothed, and within which the least of them is the floor."""


def detector(
    *, above: float = 8.0, shortest: float = 0.1, silence: float = 0.3, margin: float = 0.05
) -> Callable[[Sound], list[Span]]:
    """Return the function from a sound, (samples,) float32 at 16 kHz, to its spans of speech in samples, in order."""
    if not 0 < above <= 60:
        raise EmoError(f"above={above} is no loudness over the noise; use more than 0 and at most 60 decibels")
    _spans.check(shortest, silence, margin)
    how = {"on": above, "off": above / 2, "shortest": shortest, "silence": silence, "margin": margin}

    def detect(sound: Sound) -> list[Span]:
        level, like_speech = _frames(sound)
        smooth = uniform_filter1d(level, _SMOOTH, mode="nearest")
        over = smooth - np.maximum(minimum_filter1d(smooth, _FLOOR, mode="nearest"), _QUIETEST_DB)
        # what does not sound like speech neither begins a span nor ends one at once
        scores = np.where(like_speech, over, np.minimum(over, above * 0.99))
        return _spans.spans(scores.tolist(), len(sound), step=_STEP, **how)

    return detect


def _frames(sound: Sound) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return each frame's level in dB of full scale, and whether its spectrum may be a voice's; both (frames,)."""
    count = -(-len(sound) // _STEP)
    window = np.hanning(_FRAME).astype(np.float32)
    hertz = np.arange(_FRAME // 2 + 1, dtype=np.float32)[_BAND] * RATE_HZ / _FRAME
    level, voiced = np.empty(count, np.float32), np.empty(count, bool)
    for start in range(0, count, _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, count))
        power = np.abs(np.fft.rfft(_framed(sound, part) * window)[:, _BAND]).astype(np.float32) ** 2 + 1e-12
        total = power.sum(axis=1)
        level[part] = 10 * np.log10(2 * total / (window @ window) / _FRAME)
        flatness = 10 * (np.log10(power).mean(axis=1) - np.log10(power.mean(axis=1)))
        centre = power @ hertz / total
        voiced[part] = (flatness < _FLAT_DB) | ((centre > _VOICES_HZ[0]) & (centre < _VOICES_HZ[1]))
    return level, voiced


def _framed(sound: Sound, part: slice) -> Sound:
    """Return frames (k, samples), each around its step; beyond the sound is silence."""
    first, last = part.start * _STEP - (_FRAME - _STEP) // 2, (part.stop - 1) * _STEP + (_FRAME + _STEP) // 2
    return np.lib.stride_tricks.sliding_window_view(sounds.between(sound, first, last), _FRAME)[::_STEP]

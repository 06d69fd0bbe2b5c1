"""Silero VAD: a small recurrent network that hears where somebody speaks, also through noise.

Silero Team, "Silero VAD", version 6 (MIT), downloaded on first use. It gives the probability of speech for every 32 ms;
spans are made of these as its authors do, with their defaults.

Options:
    score: least probability with which speech begins, 0 to 1; it ends 0.15 below
    shortest: seconds that speech lasts at least
    silence: seconds of a pause that ends a span
    margin: seconds that are added on each side
"""

from collections.abc import Callable, Iterator

import numpy as np
import onnxruntime

from emocli import download, onnx_session
from emocli.detectors import _spans
from emocli.detectors._spans import Span
from emocli.errors import EmoError
from emocli.sound.sounds import RATE_HZ, Sound

MODALITY = "speech"

URL = "https://raw.githubusercontent.com/snakers4/silero-vad/v6.2.1/src/silero_vad/data/silero_vad.onnx"
SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
_STEP, _BEFORE = 512, 64
"""Samples of a step, and samples before it that the network sees again."""


def detector(
    *, score: float = 0.5, shortest: float = 0.25, silence: float = 0.1, margin: float = 0.03
) -> Callable[[Sound], list[Span]]:
    """Return the function from a sound, (samples,) float32 at 16 kHz, to its spans of speech in samples, in order."""
    if not 0 < score < 1:
        raise EmoError(f"score={score} is no probability of speech; use more than 0 and less than 1")
    _spans.check(shortest, silence, margin)
    session = onnx_session.opened(str(download.fetch(URL, SHA256)))
    how = {"on": score, "off": max(score - 0.15, 0.01), "shortest": shortest, "silence": silence, "margin": margin}

    def detect(sound: Sound) -> list[Span]:
        return _spans.spans(_probabilities(session, sound), len(sound), step=_STEP, **how)

    return detect


def _probabilities(session: onnxruntime.InferenceSession, sound: Sound) -> Iterator[float]:
    """Yield the probability of speech in each step; the last one is filled up with silence."""
    state, rate_hz = np.zeros((2, 1, 128), np.float32), np.array(RATE_HZ, np.int64)
    frame = np.zeros((1, _BEFORE + _STEP), np.float32)
    for start in range(0, len(sound), _STEP):
        part = sound[start : start + _STEP]
        frame[0, :_BEFORE] = frame[0, _STEP:]
        frame[0, _BEFORE : _BEFORE + len(part)], frame[0, _BEFORE + len(part) :] = part, 0
        probability, state = session.run(None, {"input": frame, "state": state, "sr": rate_hz})
        yield float(probability[0, 0])

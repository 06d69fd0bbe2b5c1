"""Small sounds that tests write to files."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def tone(seconds: float = 0.2, rate_hz: int = 16_000, *, hz: float = 440, level: float = 0.5) -> NDArray[np.float32]:
    """Return a sine, (samples,) float32."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def write(path: Path, samples: NDArray[np.float32] | None = None, rate_hz: int = 16_000, **how: str) -> Path:
    """Write a sound, a short tone unless given, in the format that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(0.05) if samples is None else samples, rate_hz, **how)
    return path

"""Intonation: twenty numbers of a clip that say what was sung into it."""

import numpy as np
import pytest
from speech_clips import Clip, made, real

from emocli import registry
from emocli.extracting import extraction

RATE_HZ = 16_000


def _numbers(clip: Clip) -> np.ndarray:
    (row,) = registry.load("features", "intonation")()([clip])
    assert row.shape == (20,) and row.dtype == np.float32 and np.isfinite(row).all()
    return row


def _voice(hz: np.ndarray) -> Clip:
    """A buzz of that pitch at each sample, silent where it is 0."""
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    return (sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.2 * (hz > 0)).astype(np.float32)


def test_a_level_voice_has_its_pitch_and_does_not_move() -> None:
    row = _numbers(_voice(np.full(RATE_HZ, 110.0)))
    assert row[0] == pytest.approx(12, abs=0.2) and row[4] == pytest.approx(12, abs=0.2)
    assert row[1] < 0.2 and row[8] < 0.1 and row[9] > 0.9
    assert row[18] == pytest.approx(1, abs=0.1)


def test_a_voice_that_glides_an_octave_has_its_range() -> None:
    row = _numbers(_voice(110 * 2 ** np.linspace(0, 1, 2 * RATE_HZ)))
    assert row[7] == pytest.approx(0.9 * 12, abs=0.7) and row[8] == pytest.approx(12 * 256 / (2 * RATE_HZ), rel=0.3)


def test_two_words_are_two_stretches() -> None:
    hz = np.repeat([150.0, 0.0, 150.0, 0.0], RATE_HZ // 2)
    row = _numbers(_voice(hz))
    assert row[9] == pytest.approx(0.5, abs=0.1) and row[18] == pytest.approx(0.5, abs=0.15)
    assert row[19] == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("name", made())
def test_odd_clips_have_finite_numbers(name: str) -> None:
    _numbers(made()[name])


def test_silence_has_no_voice() -> None:
    row = _numbers(made()["silence"])
    assert not row[:10].any() and not row[12:].any()


def test_what_is_joined_with_it_stands_beside_it() -> None:
    extract, options = extraction.build("utterance+intonation", {})
    clips = real()[:1]
    assert np.asarray(extract(clips)).shape == (1, 46) and options["intonation.hop"] == 256

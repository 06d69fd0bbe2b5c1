"""Prosody: the pitch is librosa's, and made voices show the irregularity and the noise they were made with."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from speech_clips import Clip, made, real

from emocli import registry
from emocli.errors import EmoError
from emocli.features import _harmonicity, _pyin
from emocli.sound.frames import Frames, Framing

librosa = pytest.importorskip("librosa")
MADE = made()
RANGE = {"fmin": 60.0, "fmax": 600.0}
RNG = np.random.default_rng(0)


def _rows(clip: Clip, **options: Any) -> NDArray[np.float32]:
    (rows,) = registry.load("features", "prosody")(**options)([clip])
    assert rows.shape == (1 + len(clip) // options.get("hop", 512), 5) and rows.dtype == np.float32
    assert np.isfinite(rows).all()
    return rows


def _like_librosas_pyin(clip: Clip) -> None:
    hz, _, voiced = librosa.pyin(clip, sr=16_000, **RANGE)
    rows = _rows(clip, **RANGE)
    # one sample among silence has no period: rounding decides there
    sounds = np.concatenate([(block.samples != 0).sum(axis=1) for block in Frames(clip, Framing())]) != 1
    np.testing.assert_allclose(rows[sounds, 0], np.nan_to_num(hz)[sounds], rtol=1e-4)
    np.testing.assert_allclose(rows[sounds, 1], voiced[sounds], atol=1e-4)


@pytest.mark.parametrize("index", range(3))
def test_the_pitch_of_real_speech_is_that_of_librosas_pyin(index: int) -> None:
    _like_librosas_pyin(real()[index])


@pytest.mark.parametrize("name", MADE)
def test_the_pitch_of_odd_clips_is_that_of_librosas_pyin(name: str) -> None:
    _like_librosas_pyin(MADE[name])


def test_a_path_through_blocks_is_that_through_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from emocli.sound import frames

    clip = np.concatenate([MADE["vowel"], MADE["noise"], MADE["tone among silence"]])
    whole = _rows(clip)
    monkeypatch.setattr(frames, "BLOCK", 10)
    monkeypatch.setattr(frames, "KEPT", 10)
    assert np.array_equal(_rows(clip), whole)


def test_the_pitch_of_single_frames_is_that_of_librosas_yin() -> None:
    for clip in (MADE["vowel"], MADE["tone among silence"], MADE["noise"]):
        rows = _rows(clip, tracker="yin", **RANGE)
        voiced = rows[:, 0] > 0
        expected = librosa.yin(clip, sr=16_000, **RANGE)
        np.testing.assert_allclose(rows[voiced, 0], expected[voiced], rtol=1e-4)


def test_a_threshold_draws_as_the_beta_distribution_does() -> None:
    stats = pytest.importorskip("scipy.stats")
    x = np.linspace(0, 1, 101)
    np.testing.assert_allclose(_pyin._beta_2_18(x), stats.beta.cdf(x, 2, 18), atol=1e-12)


def _voice(periods: NDArray[np.float64], heights: NDArray[np.float64]) -> Clip:
    """A voice whose cycles have these periods in samples and these heights: smooth bumps at parts of a sample."""
    time = np.arange(int(periods.sum()))
    places = np.cumsum(periods) - periods[0] / 2
    bumps = [h * np.exp(-(((time - p) / 6) ** 2)) for p, h in zip(places, heights, strict=True)]
    return np.sum(bumps, axis=0).astype(np.float32)


def _local(values: NDArray[np.float64]) -> float:
    return float(np.abs(np.diff(values)).mean() / values.mean())


@pytest.mark.parametrize("share", [0.0, 0.005, 0.02])
def test_jitter_is_how_much_neighbouring_periods_differ(share: float) -> None:
    periods = 100 * (1 + share * RNG.uniform(-1, 1, 320))
    rows = _rows(_voice(periods, np.full(320, 0.5)), fmin=100.0)[5:-5]
    voiced = rows[rows[:, 0] > 0]
    assert len(voiced) > 45
    assert voiced[:, 2].mean() == pytest.approx(_local(periods), rel=0.1, abs=1e-3)
    # the amplitude of a pulse is over a share of its cycle, so it moves a little with its length
    np.testing.assert_allclose(voiced[:, 3], 0, atol=5e-3)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_shimmer_is_how_much_neighbouring_peaks_differ(share: float) -> None:
    heights = 0.5 * (1 + share * RNG.uniform(-1, 1, 320))
    voice = _voice(np.full(320, 100.0), heights)
    rows = _rows(voice, fmin=100.0)[5:-5]
    voiced = rows[rows[:, 0] > 0]
    assert len(voiced) > 45
    # peaks are measured from the wave's middle
    assert voiced[:, 3].mean() == pytest.approx(_local(heights - voice.mean()), rel=0.1)
    np.testing.assert_allclose(voiced[:, 2], 0, atol=2e-3)


def _vowel(decibels: float) -> Clip:
    """A voice of 123 Hz with three formants, its cycles 1 % and its pulses 10 % irregular, in white noise."""
    rng = np.random.default_rng(0)
    periods, heights = 130 * (1 + 0.01 * rng.uniform(-1, 1, 240)), 1 + 0.1 * rng.uniform(-1, 1, 240)
    time, wave = np.arange(int(periods.sum())), np.zeros(int(periods.sum()))
    for place, height in zip(np.cumsum(periods) - 130, heights, strict=True):
        seconds = np.maximum(time - place, 0) / 16_000
        for hz, width in ((600, 80), (1100, 90), (2500, 120)):
            wave += height * np.exp(-np.pi * width * seconds) * np.sin(2 * np.pi * hz * seconds)
    wave *= 0.1 / wave.std()
    return (wave + rng.standard_normal(len(time)) * 0.1 * 10 ** (-decibels / 20)).astype(np.float32)


# what Praat 6.1.38 says: To Pitch 0 75 500, To PointProcess (cc), local measures with its defaults
@pytest.mark.parametrize(
    ("decibels", "jitter", "shimmer"), [(60, 0.00678, 0.0632), (10, 0.00681, 0.0726), (5, 0.00740, 0.1048)]
)
def test_jitter_and_shimmer_are_praats_in_noise_too(decibels: float, jitter: float, shimmer: float) -> None:
    rows = _rows(_vowel(decibels), fmin=75.0, fmax=500.0)
    assert (rows[:, 0] > 0).all()
    assert rows[:, 2].mean() == pytest.approx(jitter, rel=0.05)
    assert rows[:, 3].mean() == pytest.approx(shimmer, rel=0.15)


@pytest.mark.parametrize("decibels", [5, 10, 20])
def test_harmonics_to_noise_is_what_a_voice_was_mixed_with(decibels: int) -> None:
    voice = MADE["vowel"]
    noise = RNG.standard_normal(len(voice)) * voice.std() * 10 ** (-decibels / 20)
    rows = _rows((voice + noise).astype(np.float32), fmin=100.0, fmax=200.0)[4:-4]
    voiced = rows[rows[:, 0] > 0]
    assert len(voiced) > 25
    assert np.median(voiced[:, 4]) == pytest.approx(decibels, abs=1)


def test_a_pitch_that_glides_and_an_offset_are_no_noise() -> None:
    time = np.arange(16_000) / 16_000
    phase = 2 * np.pi * np.cumsum(150 + 100 * time) / 16_000
    voice = sum(np.cos(k * phase + 0.3 * k) / k for k in range(1, 12)) * 0.05
    noise = RNG.standard_normal(len(time)) * voice.std() * 10 ** (-10 / 20)
    for sound, expected in ((voice, 25), (voice + noise + 0.1, 10)):
        rows = _rows(sound.astype(np.float32), fmin=75.0, fmax=500.0, tracker="yin")[4:-4]
        ratio = np.median(rows[rows[:, 0] > 0, 4])
        assert abs(ratio - expected) < 1.5 if expected == 10 else ratio > expected


def test_the_noise_of_a_frame_is_the_same_whatever_frames_are_beside_it() -> None:
    periods = np.array([57.0, 512 / 4.5, 200.0])
    waves = np.sin(2 * np.pi * np.arange(2048) / periods[:, None]) + RNG.standard_normal((3, 2048)) / 30
    frames = waves.astype(np.float32)
    alone = [_harmonicity.ratio(frames[[row]], periods[[row]])[0] for row in range(3)]
    np.testing.assert_allclose(_harmonicity.ratio(frames, periods), alone, rtol=1e-6)


def test_peaks_that_a_voice_lacks_do_not_count() -> None:
    heights = np.full(320, 0.5)
    heights[::7] = 0.02
    rows = _rows(_voice(np.full(320, 100.0), heights), fmin=100.0)[5:-5]
    assert rows[rows[:, 0] > 0, 3].max() < 0.6, "Praat's factor leaves out what differs by more than 1.6 times"


def test_real_speech_is_as_rough_as_voices_are() -> None:
    for clip in real()[1:]:  # the first has little but hum at these settings
        voiced = (rows := _rows(clip, fmin=75.0, fmax=500.0, hop=256))[rows[:, 0] > 0]
        jitter, shimmer, ratio = voiced[:, 2:].mean(axis=0)
        assert 0.005 < jitter < 0.1 and 0.005 < shimmer < 0.3 and 0 < ratio < 20


def test_silence_has_no_pitch() -> None:
    for tracker in ("pyin", "yin"):
        assert not _rows(MADE["silence"], tracker=tracker)[:, [0, 2, 3, 4]].any()


@pytest.mark.parametrize(
    "options", [{"tracker": "ear"}, {"fmin": 0.0}, {"fmin": 300.0, "fmax": 200.0}, {"n_fft": 512}, {"fmax": 9000.0}]
)
def test_odd_options_are_refused_in_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(EmoError) as refusal:
        registry.load("features", "prosody")(**options)
    assert "\n" not in str(refusal.value)

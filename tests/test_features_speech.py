"""Frame features of speech are librosa's, on real clips and odd ones; joined they share a spectrum."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from speech_clips import Clip, made, real

from emocli import registry
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.sound import frames, transforms

librosa = pytest.importorskip("librosa")
pytestmark = pytest.mark.filterwarnings("ignore:n_fft=", "ignore:Trying to estimate", "ignore:Empty filters")
RATE = {"sr": 16_000}
MADE = made()


def _rows(name: str, clip: Clip, **options: Any) -> NDArray[np.float32]:
    (rows,) = registry.load("features", name)(**options)([clip])
    assert rows.dtype == np.float32
    return rows


def _mfcc(clip: Clip, count: int = 13, **options: Any) -> NDArray[np.float32]:
    """The reference recipe: 13 coefficients, slope, curvature."""
    rows = librosa.feature.mfcc(y=clip, n_mfcc=count, **RATE, **options)
    mode = "interp" if rows.shape[1] >= 9 else "nearest"
    deltas = [librosa.feature.delta(rows, order=order, mode=mode) for order in (1, 2)]
    return np.concatenate([rows, *deltas]).T


def _logmel(clip: Clip, top_db: float | None = 80.0, **options: Any) -> NDArray[np.float32]:
    return librosa.power_to_db(librosa.feature.melspectrogram(y=clip, **RATE, **options), top_db=top_db).T


def _chroma(clip: Clip, **options: Any) -> NDArray[np.float32]:
    return librosa.feature.chroma_stft(y=clip, **RATE, **options).T


def _same(clip: Clip) -> None:
    """All four extractors with their defaults, within 1e-4 of librosa's and MFCC within 2e-3 on its own scale."""
    assert np.abs(_rows("mfcc", clip) - _mfcc(clip)).max() < 2e-3
    np.testing.assert_allclose(_rows("logmel", clip), _logmel(clip), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(_rows("chroma", clip), _chroma(clip), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(_rows("rms", clip), librosa.feature.rms(y=clip).T, rtol=1e-4)


@pytest.mark.parametrize("index", range(3))
def test_real_speech_gives_librosas_numbers(index: int) -> None:
    _same(real()[index])


@pytest.mark.parametrize("name", MADE)
def test_odd_clips_give_librosas_numbers(name: str) -> None:
    _same(MADE[name])


@pytest.mark.parametrize("cents", [-37, 0, 21])
def test_the_tuning_of_an_instrument_is_heard(cents: int) -> None:
    time = np.arange(32_000) / 16_000
    notes = [440 * 2 ** ((note + cents / 100) / 12) for note in (0, 4, 7)]
    chord = np.sum([np.sin(2 * np.pi * hz * time) for hz in notes], axis=0).astype(np.float32) / 4
    np.testing.assert_allclose(_rows("chroma", chord), _chroma(chord), rtol=1e-4, atol=1e-6)
    heard = librosa.estimate_tuning(S=np.abs(librosa.stft(chord)) ** 2, **RATE)
    fixed = _rows("chroma", chord, tuning=f"{heard:.2f}")
    np.testing.assert_allclose(_rows("chroma", chord), fixed, rtol=1e-4, atol=1e-6)
    assert abs(heard * 100 - cents) <= 2


def test_options_are_librosas_too() -> None:
    clip = MADE["vowel"]
    cut = {"n_fft": 512, "hop_length": 160}
    ours = {"n_fft": 512, "hop": 160}
    mel = {"fmin": 50.0, "fmax": 4000.0}
    found = _rows("mfcc", clip, count=20, mels=40, **mel, **ours)
    assert np.abs(found - _mfcc(clip, 20, n_mels=40, **mel, **cut)).max() < 2e-3
    logmel = _rows("logmel", clip, mels=64, top_db=0.0, **ours)
    np.testing.assert_allclose(logmel, _logmel(clip, None, n_mels=64, **cut), rtol=1e-4, atol=1e-3)
    chroma = _rows("chroma", clip, bins=24, tuning="0.1", **ours)
    np.testing.assert_allclose(chroma, _chroma(clip, n_chroma=24, tuning=0.1, **cut), rtol=1e-4, atol=1e-5)
    loudness = librosa.feature.rms(y=clip, frame_length=512, hop_length=160).T
    np.testing.assert_allclose(_rows("rms", clip, **ours), loudness, rtol=1e-4)


def test_coefficients_without_deltas_are_the_first_ones() -> None:
    full = _rows("mfcc", MADE["noise"])
    # not to the last bit: a BLAS may add a product of fewer columns up in another order
    np.testing.assert_allclose(_rows("mfcc", MADE["noise"], deltas=0), full[:, :13], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(_rows("mfcc", MADE["noise"], deltas=1), full[:, :26], rtol=1e-5, atol=1e-5)


def test_joined_extractors_give_each_ones_columns() -> None:
    clips = [MADE["noise"], MADE["vowel"][:5000]]
    extract, options = extraction.build("mfcc+chroma+rms", {"hop": 400, "mfcc.count": 12})
    assert options["chroma.hop"] == 400 and options["mfcc.count"] == 12
    for clip, rows in zip(clips, extract(clips), strict=True):
        parts = [_rows("mfcc", clip, hop=400, count=12), _rows("chroma", clip, hop=400), _rows("rms", clip, hop=400)]
        assert np.array_equal(rows, np.concatenate(parts, axis=1))


def test_joined_extractors_share_one_spectrum(monkeypatch: pytest.MonkeyPatch) -> None:
    transform, frames_seen = np.fft.rfft, []
    monkeypatch.setattr(np.fft, "rfft", lambda x, **axis: frames_seen.append(len(x)) or transform(x, **axis))
    extract, _ = extraction.build("mfcc+logmel+chroma+rms", {})
    (rows,) = extract([MADE["noise"]])
    assert sum(frames_seen) == len(rows)


@pytest.mark.parametrize("size", [16, 400, 2048])
def test_both_transforms_give_the_same_spectrum(size: int) -> None:
    rows = np.lib.stride_tricks.sliding_window_view(MADE["vowel"].astype(np.float64), size)[::300]
    spectra = [transform(rows) for transform in (transforms.by_numpy, transforms.by_opencv())]
    np.testing.assert_allclose(spectra[0], spectra[1], rtol=1e-6, atol=1e-9)


def test_a_corpus_at_once_gives_what_each_clip_alone_gives() -> None:
    clips = [MADE["vowel"][start:] for start in range(transforms.MANY)]
    extract, _ = extraction.build("mfcc+chroma", {})
    for clip, rows in list(zip(clips, extract(clips), strict=True))[::10]:
        np.testing.assert_allclose(rows, extract([clip])[0], rtol=1e-5, atol=1e-5)


def test_frames_of_different_steps_are_not_joined() -> None:
    with pytest.raises(EmoError, match=r"mfcc every 512 samples, rms every 256 samples.*same hop"):
        extraction.build("mfcc+rms", {"rms.hop": 256})


def test_frames_of_different_size_but_equal_steps_are_joined() -> None:
    extract, _ = extraction.build("mfcc+rms", {"rms.n_fft": 1024})
    (rows,) = extract([MADE["noise"]])
    assert np.array_equal(rows[:, 39:], _rows("rms", MADE["noise"], n_fft=1024))


def test_a_long_sound_is_worked_on_in_blocks_with_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = np.tile(MADE["vowel"], 3) * np.linspace(1, 0.1, 72_000, dtype=np.float32)
    extract, _ = extraction.build("mfcc+chroma+rms", {})
    (whole,) = extract([clip])
    monkeypatch.setattr(frames, "BLOCK", 17)
    monkeypatch.setattr(frames, "KEPT", 17)
    (blockwise,) = extract([clip])
    np.testing.assert_allclose(blockwise, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mfcc", {"count": 0}),
        ("mfcc", {"count": 41, "mels": 40}),
        ("mfcc", {"deltas": 3}),
        ("mfcc", {"hop": 0}),
        ("mfcc", {"n_fft": 0}),
        ("logmel", {"fmin": 4000.0, "fmax": 4000.0}),
        ("logmel", {"fmax": 9000.0}),
        ("logmel", {"top_db": -1.0}),
        ("logmel", {"n_fft": 256, "hop": 128, "mels": 128}),
        ("rms", {"n_fft": 401}),
        ("rms", {"n_fft": 400, "hop": 512}),
        ("chroma", {"bins": 0}),
        ("chroma", {"tuning": "high"}),
    ],
)
def test_odd_options_are_refused_in_one_line(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(EmoError) as refusal:
        registry.load("features", name)(**options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["mfcc", "logmel", "chroma", "rms"])
def test_a_sound_without_samples_or_with_nan_is_refused(name: str) -> None:
    extract = registry.load("features", name)()
    with pytest.raises(EmoError, match="without samples"):
        extract([np.empty(0, np.float32)])
    with pytest.raises(EmoError, match="not numbers"):
        extract([np.where(np.arange(24_000) == 5, np.float32(np.nan), MADE["noise"])])

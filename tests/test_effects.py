"""Effects do to a sound what their strength says: ratios, pitch, length, decay and band are measured."""

from collections import Counter

import numpy as np
import pytest
from numpy.random import Generator
from sound_made import tone
from speech_clips import Clip, made

from emocli import registry
from emocli.errors import EmoError
from emocli.sound import mixing, noises

EFFECTS = registry.names("effects")
ODD = {**made(), "one sample of silence": np.zeros(1, np.float32), "over full scale": 3 * made()["vowel"]}
RANGES = {
    "codec": "3:16",
    "gain": "-60:60",
    "lossy": "0:1",
    "noise": "-20:80",
    "pitch": "-12:12",
    "reverb": "0.05:5",
    "speed": "0.5:2",
}


def _changed(name: str, sound: Clip, seed: int = 0, **options: object) -> Clip:
    change = registry.load("effects", name)(**options)
    changed: Clip = change(sound, np.random.default_rng(seed), _somebody)
    return changed


def _somebody(random: Generator) -> Clip:
    return made()["vowel"][:: 1 + random.integers(3)]


def _voice(hz: float = 150.0, seconds: float = 1.0) -> Clip:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return np.asarray(sum(np.sin(2 * np.pi * hz * k * time + k) / k for k in range(1, 20)) * 0.1, np.float32)


def _pitch(sound: Clip) -> float:
    """The fundamental in Hz, from the highest peak of the autocorrelation between 110 and 400 Hz, interpolated."""
    middle = sound[len(sound) // 4 : -len(sound) // 4].astype(np.float64)
    power = np.abs(np.fft.rfft(middle, 4 * len(middle))) ** 2
    alike = np.fft.irfft(power)[: len(middle)] / np.arange(len(middle), 0, -1)
    place = 40 + int(alike[40:146].argmax())
    left, top, right = alike[place - 1 : place + 2]
    return float(16_000 / (place + 0.5 * (left - right) / (left - 2 * top + right)))


def test_one_number_is_the_strength_itself() -> None:
    assert np.array_equal(_changed("gain", _voice(), db="-6"), _changed("gain", _voice(), db="-6:-6"))


def test_every_effect_is_for_sounds_and_begins_with_a_range_as_its_strength() -> None:
    for name in EFFECTS:
        entry = registry.describe("effects", name)
        assert entry.modality == "speech"
        low, high = map(float, next(iter(entry.options.values())).split(":"))
        assert low < high


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("odd", ODD)
def test_odd_sounds_stay_finite_and_within_full_scale(name: str, odd: str) -> None:
    strongest = next(iter(registry.options("effects", name)))
    for seed in range(3):
        for options in ({}, {strongest: RANGES[name]}):
            changed = _changed(name, ODD[odd], seed, **options)
            assert changed.dtype == np.float32 and changed.ndim == 1
            assert np.isfinite(changed).all()
            assert np.abs(changed).max(initial=0) <= 1 + 1e-6


@pytest.mark.parametrize("name", EFFECTS)
def test_silence_stays_silent(name: str) -> None:
    assert np.abs(_changed(name, ODD["silence"])).max() < 1e-6


@pytest.mark.parametrize("name", EFFECTS)
def test_the_same_draws_give_the_same_sound_and_others_another(name: str) -> None:
    sound = _voice()
    before = sound.copy()
    assert np.array_equal(_changed(name, sound, 1), _changed(name, sound, 1))
    # a codec has few strengths to draw, and both laws of one are alike
    assert any(not np.array_equal(_changed(name, sound, 1), _changed(name, sound, seed)) for seed in range(2, 6))
    assert np.array_equal(sound, before), "the sound that goes in is left alone"


@pytest.mark.parametrize("name", [name for name in EFFECTS if name != "speed"])
def test_all_but_speed_keep_the_length(name: str) -> None:
    for samples in (1, 700, 16_001):
        assert len(_changed(name, made()["noise"][:samples])) == samples


@pytest.mark.parametrize("kind", noises.KINDS)
@pytest.mark.parametrize("ratio", [-5.0, 0.0, 10.0, 30.0])
def test_noise_is_as_loud_as_its_ratio_says(kind: str, ratio: float) -> None:
    sound = _voice()
    noisy = _changed("noise", sound, kind=kind, snr=f"{ratio}").astype(np.float64)
    # both may have been turned down: what of the sum is the sound is found by projection
    clean = sound.astype(np.float64)
    drawn = np.random.default_rng(0)
    drawn.uniform(), drawn.integers(1)
    noise = noises.make(kind, len(sound), drawn, _somebody).astype(np.float64)
    (speech, disturbance), *_ = np.linalg.lstsq(np.stack([clean, noise], 1), noisy, rcond=None)
    measured = 20 * np.log10(abs(speech) * np.linalg.norm(clean) / abs(disturbance) / np.linalg.norm(noise))
    assert measured == pytest.approx(ratio, abs=0.1)


def test_a_mix_beyond_full_scale_is_turned_down_and_keeps_its_ratio() -> None:
    loud, noise = tone(1.0, level=0.9), np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    mixed = mixing.mix(loud, noise, -10)
    assert np.abs(mixed).max() == pytest.approx(1.0)
    (speech, disturbance), *_ = np.linalg.lstsq(np.stack([loud, noise], 1), mixed, rcond=None)
    assert 10 * np.log10(speech**2 * mixing.power(loud) / disturbance**2 / mixing.power(noise)) == pytest.approx(
        -10, abs=0.1
    )


def test_white_noise_is_flat_and_pink_falls_by_three_decibels_an_octave() -> None:
    for kind, slope in (("white", 0.0), ("pink", -3.01)):
        sound = noises.make(kind, 1 << 17, np.random.default_rng(0), _somebody)
        power = np.abs(np.fft.rfft(sound)) ** 2
        octaves = [10 * np.log10(power[1 << k : 2 << k].mean()) for k in range(10, 16)]
        assert np.polyfit(range(6), octaves, 1)[0] == pytest.approx(slope, abs=0.15)


def test_babble_is_made_of_the_clips_it_is_given_each_as_loud() -> None:
    quiet, loud = tone(1.0, hz=300, level=0.01), tone(1.0, hz=900, level=0.9)
    taken = iter([quiet, np.zeros(100, np.float32), np.empty(0, np.float32), loud])
    babble = noises.make("babble", 16_000, np.random.default_rng(0), lambda random: next(taken), talkers=2)
    power = np.abs(np.fft.rfft(babble)) ** 2
    assert power[300] == pytest.approx(power[900], rel=0.01) and power[[300, 900]].sum() > 0.99 * power.sum()


@pytest.mark.parametrize("semitones", [-4, -1.5, 2, 5])
def test_pitch_moves_the_fundamental_by_its_ratio_and_keeps_time_and_loudness(semitones: float) -> None:
    voice = _voice()
    higher = _changed("pitch", voice, semitones=str(semitones))
    assert _pitch(higher) / _pitch(voice) == pytest.approx(2 ** (semitones / 12), rel=0.005)
    assert len(higher) == len(voice) and mixing.power(higher) == pytest.approx(mixing.power(voice), rel=0.02)


def test_pitch_by_nothing_is_the_sound_itself() -> None:
    voice = np.random.default_rng(0).standard_normal(8000).astype(np.float32) * 0.1
    np.testing.assert_allclose(_changed("pitch", voice, semitones="0")[512:], voice[512:], atol=2e-3)  # begins softly


def test_pitch_keeps_clicks_sharp() -> None:
    clicks = np.zeros(16_000, np.float32)
    clicks[4000::4000] = 0.9
    energy = _changed("pitch", clicks, semitones="2").astype(np.float64) ** 2
    near = sum(energy[place - 160 : place + 160].sum() for place in (4000, 8000, 12_000))
    assert near > 0.5 * energy.sum()


def test_pitch_keeps_when_things_happen() -> None:
    voice = _voice(seconds=2.0)
    voice[:16_000] = 0
    higher = _changed("pitch", voice, semitones="3")
    start = int(np.flatnonzero(np.cumsum(higher.astype(np.float64) ** 2) > 0.01 * (higher**2).sum())[0])
    assert abs(start - 16_000) < 1024


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_speed_changes_length_and_pitch_together(factor: float) -> None:
    voice = _voice()
    faster = _changed("speed", voice, factor=str(factor))
    assert len(faster) == pytest.approx(len(voice) / factor, abs=2)
    assert _pitch(faster) / _pitch(voice) == pytest.approx(factor, rel=0.005)


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0])
def test_reverberation_falls_by_60_decibels_in_its_time(seconds: float) -> None:
    click = np.zeros(24_000, np.float32)
    click[0] = 0.5
    room = _changed("reverb", click, rt60=str(seconds), direct="-10").astype(np.float64)[1:]
    left = np.cumsum(room[::-1] ** 2)[::-1]  # Schroeder's backward integral
    level = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    places = np.flatnonzero((level < -5) & (level > -25))
    slope = np.polyfit(places / 16_000, level[places], 1)[0]
    assert -60 / slope == pytest.approx(seconds, rel=0.1)


def test_the_direct_sound_is_as_strong_as_its_ratio_says_and_comes_in_time() -> None:
    click = np.zeros(24_000, np.float32)
    click[100] = 0.5
    heard = _changed("reverb", click, rt60="0.3", direct="6")
    assert np.abs(heard).argmax() == 100
    ratio = 10 * np.log10(heard[100] ** 2 / (np.sum(heard[101:].astype(np.float64) ** 2)))
    assert ratio == pytest.approx(6, abs=0.5)


@pytest.mark.parametrize("law", ["mu", "a"])
def test_a_telephone_passes_its_band_only(law: str) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(48_000)).astype(np.float32)
    power = np.abs(np.fft.rfft(_changed("codec", noise, bits="8", law=law))) ** 2
    before = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(48_000, 1 / 16_000)

    def passed(low: float, high: float) -> float:
        band = (hertz >= low) & (hertz < high)
        return float(10 * np.log10(power[band].sum() / before[band].sum()))

    assert passed(500, 3200) == pytest.approx(0, abs=0.5)
    assert passed(3800, 8000) < -40 and passed(0, 80) < -25


def test_every_number_of_bits_is_as_likely_and_no_half_of_one_is() -> None:
    effect, sound = registry.load("effects", "codec")(bits="6:8", law="mu"), np.linspace(-1, 1, 800, dtype=np.float32)
    one = {bits: registry.load("effects", "codec")(bits=str(bits), law="mu") for bits in (6, 7, 8)}
    wanted = {bits: effect(sound, np.random.default_rng(0), None).tobytes() for bits, effect in one.items()}
    drawn = Counter(effect(sound, np.random.default_rng(seed), None).tobytes() for seed in range(300))
    assert set(drawn) == set(wanted.values()) and min(drawn.values()) > 75
    with pytest.raises(EmoError, match="no whole numbers"):
        registry.load("effects", "codec")(bits="6.5:7")


def test_fewer_bits_are_worse_and_eight_are_a_telephone() -> None:
    voice = _voice(400.0)
    line = _changed("codec", voice, bits="16").astype(np.float64)

    def clean(bits: int) -> float:
        error = _changed("codec", voice, bits=str(bits)) - line
        return float(10 * np.log10(mixing.power(line) / mixing.power(error)))

    assert 35 < clean(8) < 45 and clean(8) > clean(6) + 9 > clean(4) + 18


def test_gain_is_in_decibels_and_clips_at_full_scale() -> None:
    voice = tone(0.5, level=0.4)
    assert np.allclose(_changed("gain", voice, db="-6.0206"), voice / 2, atol=1e-5)
    louder = _changed("gain", voice, db="20")
    assert np.abs(louder).max() == 1.0 and (np.abs(louder) == 1.0).mean() > 0.5


@pytest.mark.parametrize("kind", ["mp3", "vorbis", "opus"])
def test_a_lossy_codec_keeps_time_and_loses_more_the_further_it_compresses(kind: str) -> None:
    sound = made()["noise"]
    errors = [mixing.power(_changed("lossy", sound, kind=kind, level=level) - sound) for level in ("0", "0.95")]
    assert 3 * errors[0] < errors[1] < mixing.power(sound)


def test_an_encoder_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import soundfile

    def no_such_format(*given: object, **options: object) -> None:
        raise ValueError("Unknown format: 'MP3'")

    monkeypatch.setattr(soundfile, "write", no_such_format)
    with pytest.raises(EmoError, match=r"can't encode MPEG_LAYER_III.*another kind"):
        _changed("lossy", _voice(), kind="mp3")


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("text", ["", "loud", "1:", "5:1", "nan", "1e9", "1:2:3"])
def test_strengths_that_cannot_be_are_refused(name: str, text: str) -> None:
    option = next(iter(registry.options("effects", name)))
    with pytest.raises(EmoError, match=f"{option}=.* is no range"):
        registry.load("effects", name)(**{option: text})


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("noise", {"kind": "brown"}, "choose any, white, pink, babble"),
        ("noise", {"talkers": 0}, "no number of clips"),
        ("codec", {"law": "x"}, "choose any, mu, a"),
        ("codec", {"low": 4000.0}, "no band"),
        ("lossy", {"kind": "flac"}, "choose any, mp3, vorbis, opus"),
    ],
)
def test_other_options_that_cannot_be_are_refused(name: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(EmoError, match=says):
        registry.load("effects", name)(**options)

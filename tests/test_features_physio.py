"""Pulse, skin conductance, skin temperature and movement: made signals of which the answers are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emocli import registry
from emocli.errors import EmoError
from emocli.extracting import extraction
from emocli.physio import bands, variability
from emocli.physio.signals import CHANNELS, RATE_HZ, Signals

NAMES = [name for name in registry.names("features") if registry.describe("features", name).modality == "physio"]
LENGTHS = {"pulse": 16, "eda": 13, "skin-temperature": 4, "movement": 13}
TIME = np.arange(60 * RATE_HZ) / RATE_HZ

Floats = NDArray[np.float64]


def _window(**channels: Floats) -> Signals:
    return Signals(np.stack(list(channels.values()), axis=1).astype(np.float32), tuple(channels))


def _numbers(name: str, window: Signals, **options: object) -> NDArray[np.float32]:
    (row,) = registry.load("features", name)(**options)([window])
    assert row.shape == (LENGTHS[name],) and row.dtype == np.float32 and np.isfinite(row).all()
    return row


def _times(seconds: float = 0.8, *, swing: float = 0.04, hz: float = 0.1) -> Floats:
    """When beats come whose intervals swing about a mean."""
    times = [0.3]
    while times[-1] < 60:
        times.append(times[-1] + seconds + swing * np.sin(2 * np.pi * hz * times[-1]))
    return np.array(times[:-1])


def _pulse(times: Floats) -> Floats:
    """A wave as an E4's: a sharp valley at each beat and a round top after it."""
    since = TIME[:, None] - times
    return (30 * np.exp(-(((since - 0.3) / 0.15) ** 2)) - 60 * np.exp(-((since / 0.08) ** 2))).sum(axis=1)


def _rmssd(times: Floats) -> float:
    return float(np.sqrt(np.mean(np.diff(times, 2) ** 2)) * 1e3)


def test_each_is_found_and_says_what_it_is_for() -> None:
    assert set(NAMES) == set(LENGTHS)


def test_a_pulse_has_the_rate_and_the_variability_it_was_made_with() -> None:
    times = _times()
    row = _numbers("pulse", _window(bvp=_pulse(times)))
    assert row[0] == pytest.approx(60 / np.diff(times).mean(), rel=1e-3)
    assert row[4] == pytest.approx(np.diff(times).std() * 1e3, rel=0.02)
    assert row[5] == pytest.approx(_rmssd(times), rel=0.05)
    assert row[15] > 0.97


def test_a_swing_of_the_rate_is_power_in_its_band() -> None:
    slow, quick = (_numbers("pulse", _window(bvp=_pulse(_times(hz=hz)))) for hz in (0.1, 0.25))
    assert np.exp(slow[10]) == pytest.approx(40**2 / 2, rel=0.15) and slow[12] > 3
    assert np.exp(quick[11]) == pytest.approx(40**2 / 2, rel=0.15) and quick[12] < -3
    assert slow[12] == pytest.approx(slow[10] - slow[11], abs=1e-4)


def test_power_is_that_of_the_waves_that_fit_best_where_beats_were_dropped_too() -> None:
    seconds = np.delete(np.cumsum(np.random.default_rng(0).uniform(0.6, 1, 60)), slice(20, 31))
    intervals = 0.8 + np.random.default_rng(1).normal(0, 0.03, len(seconds))
    rest = (intervals - np.polyval(np.polyfit(seconds, intervals, 1), seconds)) * 1e3
    fitted = []
    for hz in np.arange(4, 40) / 100:
        waves = np.stack([np.cos(2 * np.pi * hz * seconds), np.sin(2 * np.pi * hz * seconds)], axis=1)
        fitted.append(((waves @ np.linalg.lstsq(waves, rest)[0]) ** 2).mean() * np.ptp(seconds) / 100)
    known = np.log([sum(fitted[:11]), sum(fitted[11:])])
    assert np.allclose(variability.in_frequency(intervals, seconds), [*known, known[0] - known[1]])


def test_a_heart_that_only_slows_has_no_power() -> None:
    intervals = np.linspace(0.7, 1, 70)
    seconds = np.cumsum(np.full(70, 0.85))
    assert variability.in_frequency(intervals, seconds) == [0, 0, 0]


def test_a_wave_in_the_band_passes_and_a_slope_makes_none_at_the_ends() -> None:
    wave = np.sin(2 * np.pi * 2 * TIME[:961])
    assert np.abs(bands.between(wave + 9 + TIME[:961], RATE_HZ, 0.3, 12) - wave).max() < 0.05


def test_steps_are_counted_and_drawn_over_each_other() -> None:
    times = 0.3 + np.cumsum(np.tile([0.77, 0.83], 36))
    row = _numbers("pulse", _window(bvp=_pulse(times)))
    assert row[5] == pytest.approx(60, rel=0.05) and list(row[6:8]) == [1, 1]
    # all to one side or the other of Poincaré's diagonal, none along it
    assert row[8] == pytest.approx(60 / np.sqrt(2), rel=0.05) and row[9] < 5
    assert _numbers("pulse", _window(bvp=_pulse(_times(swing=0))))[6] == 0


def test_noise_and_a_wandering_base_hardly_move_them() -> None:
    clean = _pulse(times := _times())
    wander = 200 * np.sin(2 * np.pi * 0.15 * TIME) + 5 * TIME
    row = _numbers("pulse", _window(bvp=clean + wander + np.random.default_rng(0).normal(0, 3, len(TIME))))
    assert row[0] == pytest.approx(60 / np.diff(times).mean(), rel=3e-3)
    assert row[4] == pytest.approx(np.diff(times).std() * 1e3, rel=0.1)
    assert row[5] == pytest.approx(_rmssd(times), abs=6)


def test_what_movement_covers_is_left_out() -> None:
    clean = _pulse(times := _times())
    moved = np.where((TIME > 20) & (TIME < 30), np.random.default_rng(0).normal(0, 300, len(TIME)), clean)
    row = _numbers("pulse", _window(bvp=moved))
    assert row[0] == pytest.approx(60 / np.diff(times).mean(), rel=0.03)
    assert row[5] == pytest.approx(_rmssd(times), abs=12)
    assert 0.7 < row[15] < 0.9


def test_a_beat_missed_is_no_slow_heart() -> None:
    times = _times(swing=0)
    row = _numbers("pulse", _window(bvp=_pulse(np.delete(times, [20, 50]))))
    assert row[0] == pytest.approx(75, rel=1e-3) and row[4] < 3 and row[1] > 74
    assert row[15] == pytest.approx((len(times) - 9) * 0.8 / 60, abs=0.06)


def test_a_heart_that_quickens_has_its_trend() -> None:
    times = np.cumsum(60 / np.linspace(60, 80, 70))
    row = _numbers("pulse", _window(bvp=_pulse(times[times < 60])))
    rates = 60 / np.diff(times[times < 60])
    assert row[3] == pytest.approx(18.5, abs=2) and np.allclose(row[1:3], np.percentile(rates, (5, 95)), atol=0.3)


def test_a_stronger_pulse_swings_more_and_as_evenly() -> None:
    once, twice = (_numbers("pulse", _window(bvp=factor * _pulse(_times()))) for factor in (1, 2))
    assert twice[13] == pytest.approx(2 * once[13], rel=1e-3) and twice[14] == pytest.approx(once[14], abs=1e-3)
    assert 60 < once[13] < 110 and once[14] < 0.1


def test_a_wave_the_other_way_up_is_read_by_its_peaks() -> None:
    wave = _pulse(_times())
    below = _numbers("pulse", _window(bvp=wave))
    above = _numbers("pulse", _window(bvp=-wave), turn="peak")
    assert np.allclose(below, above, rtol=1e-4)


@pytest.mark.parametrize("level", [0, 3.3, -1e6])
def test_no_pulse_is_zeros(level: float) -> None:
    assert not _numbers("pulse", _window(bvp=np.full(len(TIME), level))).any()


@pytest.mark.parametrize("seconds", [0.31, 1.6])
def test_what_beats_as_no_heart_does_is_none(seconds: float) -> None:
    assert not _numbers("pulse", _window(bvp=np.sin(2 * np.pi * TIME / seconds))).any()


def _conductance(amplitudes: tuple[float, ...] = (0.3, 0.1, 0.2), level: float = 2.0) -> Floats:
    """A level with responses at 10, 30 and 45 s, as Bateman's function has them."""
    found = np.full(len(TIME), level)
    for start, amplitude in zip((10, 30, 45), amplitudes, strict=True):
        since = np.maximum(TIME - start, 0)
        shape = np.exp(-since / 3) - np.exp(-since / 0.7)
        found += amplitude * shape / shape.max()
    return found


def test_three_responses_are_three_with_their_amplitudes() -> None:
    row = _numbers("eda", _window(eda=_conductance()))
    assert row[8] == 3
    assert row[9] == pytest.approx(0.2, rel=0.08) and row[12] == pytest.approx(0.3, rel=0.08)
    assert row[11] == pytest.approx(0.6, rel=0.08)
    assert row[10] == pytest.approx(1.33, abs=0.15)
    assert row[0] == pytest.approx(_conductance().mean(), rel=0.01) and row[5] == pytest.approx(np.log(row[0]))


def test_responses_below_what_is_asked_for_are_none() -> None:
    window = _window(eda=_conductance())
    assert [_numbers("eda", window, least=least)[8] for least in (0.15, 0.25, 0.5)] == [2, 1, 0]
    assert not _numbers("eda", window, least=0.5)[8:].any()


def test_noise_and_a_drift_are_no_responses() -> None:
    noise = np.random.default_rng(0).normal(0, 0.002, len(TIME))
    drift = 0.4 * TIME / 60 + noise
    row = _numbers("eda", _window(eda=2 + drift))
    assert row[8] == 0 and row[4] == pytest.approx(0.4, rel=0.02) and row[6] < 0.003
    row = _numbers("eda", _window(eda=_conductance() + drift))
    assert row[8] == 3 and row[9] == pytest.approx(0.2, rel=0.1)


def test_a_slow_wave_of_the_level_is_no_response() -> None:
    assert _numbers("eda", _window(eda=2 + 0.03 * np.sin(2 * np.pi * TIME / 60)))[8] == 0


def test_more_responses_are_more_above_the_level() -> None:
    few, many = (_numbers("eda", _window(eda=_conductance(each))) for each in ((0.1, 0.1, 0.1), (0.5, 0.5, 0.5)))
    assert many[6] == pytest.approx(5 * few[6], rel=1e-3) and many[7] == pytest.approx(5 * few[7], rel=1e-3)


def test_a_skin_that_warms_has_its_slope() -> None:
    row = _numbers("skin-temperature", _window(temp=32 + 0.5 * TIME / 60))
    assert np.allclose(row, [32.25, 0.5 / np.sqrt(12), 0.5, 0.5], atol=1e-3)


def _moved(hz: float, amplitude: float, until: float = 60) -> Signals:
    """A hand that lies, gravity along z and a little noise, and is shaken to and fro."""
    rng = np.random.default_rng(0)
    x, y, z = (level + rng.normal(0, 0.003, len(TIME)) for level in (0, 0, 1))
    return _window(acc_x=x + amplitude * np.sin(2 * np.pi * hz * TIME) * (until > TIME), acc_y=y, acc_z=z)


def test_a_hand_that_lies_is_still_and_has_its_posture() -> None:
    row = _numbers("movement", _moved(1, 0))
    assert row[0] < 0.005 and row[1] < 0.005 and row[6] == 1
    assert np.allclose(row[7:10], [0, 0, 1], atol=0.01)


def test_a_hand_that_is_shaken_is_not() -> None:
    still, row = _numbers("movement", _moved(2, 0)), _numbers("movement", _moved(2, 0.5, until=30))
    assert row[6] == pytest.approx(0.5) and row[3] == pytest.approx(0.25, rel=0.01) and row[4] < 0.005
    assert row[0] > 0.02 and row[2] > 5 * still[2]


@pytest.mark.parametrize("band, hz", [(0, 0.5), (1, 2), (2, 6)])
def test_power_is_in_the_band_of_what_moves(band: int, hz: float) -> None:
    powers = np.exp(_numbers("movement", _moved(hz, 0.4))[10:])
    assert powers.argmax() == band and powers[band] == pytest.approx(0.08, rel=0.02)


FRAMES = {
    "zeros": np.zeros((600, 6)),
    "constant": np.full((600, 6), 3.3),
    "one frame": np.ones((1, 6)),
    "two frames": np.arange(12).reshape(2, 6),
    "five frames": np.arange(30).reshape(5, 6) % 7,
    "a second": np.random.default_rng(0).normal(0, 1, (64, 6)),
    "a prime of frames": np.random.default_rng(1).normal(0, 1, (3581, 6)),
    "noise": np.random.default_rng(2).normal(0, 50, (3840, 6)),
    "below zero": -np.abs(np.random.default_rng(3).normal(0, 1, (3840, 6))),
    "huge": np.random.default_rng(4).uniform(-1, 1, (3840, 6)) * np.finfo(np.float32).max,
    "tiny": np.random.default_rng(5).uniform(-1, 1, (3840, 6)) * 1e-40,
    "a click": np.eye(3840, 6, -1000) * 1e6,
}


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("error")
def test_odd_windows_have_finite_numbers(name: str, frames: str) -> None:
    _numbers(name, Signals(FRAMES[frames].astype(np.float32), tuple(CHANNELS)))


def _worn() -> list[Signals]:
    rng = np.random.default_rng(0)
    values = np.stack([_pulse(_times()), _conductance(), 32 + TIME / 60, *rng.normal(0, 0.1, (3, len(TIME)))], axis=1)
    return [Signals(values[:frames].astype(np.float32), tuple(CHANNELS)) for frames in (3840, 1920, 3840)]


@pytest.mark.parametrize("name", NAMES)
def test_many_windows_give_what_each_alone_gives(name: str) -> None:
    extract = registry.load("features", name)()
    together = extract(_worn())
    assert np.array_equal(together, np.concatenate([extract([window]) for window in _worn()]))
    assert np.array_equal(together[0], together[2]) and not np.array_equal(together[0], together[1])


def test_joined_they_stand_in_a_row() -> None:
    extract, options = extraction.build("+".join(LENGTHS), {"least": 0.05})
    rows = np.asarray(extract(_worn()))
    assert rows.shape == (3, sum(LENGTHS.values())) and options["eda.least"] == 0.05
    assert np.array_equal(rows[:, :16], registry.load("features", "pulse")()(_worn()))


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_that_is_not_there_is_named(name: str) -> None:
    needed = {"pulse": "bvp", "eda": "eda", "skin-temperature": "temp", "movement": "acc_z"}[name]
    kept = tuple(channel for channel in CHANNELS if channel != needed)
    with pytest.raises(EmoError, match=f"^these recordings have no {needed} .*leave out the extractors"):
        registry.load("features", name)()([Signals(np.ones((64, 5), np.float32), kept)])


@pytest.mark.parametrize(
    "name, options, says",
    [
        ("pulse", {"turn": "top"}, "^pulse has no turn 'top'; choose valley or peak"),
        ("pulse", {"jump": 0.0}, "^pulse can't take jump=0; give a share between 0 and 1"),
        ("eda", {"least": 0.0}, "^eda can't take least=0; give microsiemens above 0"),
        ("movement", {"still": -1.0}, "^movement can't take still=-1; give g above 0"),
    ],
)
def test_options_that_make_no_sense_are_refused_at_once(name: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(EmoError, match=says):
        registry.load("features", name)(**options)

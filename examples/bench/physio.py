"""Features of physiological signals beside NeuroKit2's, and the heart beside a wristband's own intervals.

    python examples/bench/physio.py [FOLDER …]

Windows of 60 s, of what an Empatica E4 writes (BVP.csv, EDA.csv, TEMP.csv, ACC.csv, IBI.csv) in and below FOLDER, or
made ones where there is none. Times are of the processor, on one thread, a window: medians of times taken in turns, and
the median, least and largest of their ratios. The heart's numbers are compared where IBI.csv covers 70 % of a window:
median distance and correlation of each of mean rate (beats/min), SDNN and RMSSD (ms). NeuroKit2 (pip install neurokit2,
which is no part of emo) finds the tops of a wave, so it is asked the other way up too. Level and responses of the skin
have no other to compare with than NeuroKit2's.
"""

import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from emocli.extracting import extraction
from emocli.physio.signals import CHANNELS, RATE_HZ, Signals

SECONDS, FEW, MANY, ROUNDS, COVERED, LEAST = 60, 20, 200, 5, 0.7, 0.05
ALL = "pulse+eda+skin-temperature+movement"

Floats = NDArray[np.float64]
Window = tuple[Signals, Floats]
"""Signals, and the intervals that the wristband itself found in them: (n, 2), end and length in seconds."""


def recorded(folder: Path) -> list[Window]:
    """Cut what an E4 wrote into one folder."""
    files = {name: np.loadtxt(folder / f"{name}.csv", delimiter=",", ndmin=2) for name in ("BVP", "EDA", "TEMP", "ACC")}
    clock = np.arange(len(files["BVP"]) - 2) / RATE_HZ
    values = np.column_stack([_on(clock, file) for file in files.values()]).astype(np.float32)
    values[:, 3:] /= 64  # steps of its accelerometer in a g
    found = folder / "IBI.csv"
    own = np.loadtxt(found, delimiter=",", skiprows=1, ndmin=2) if found.is_file() else np.empty((0, 2))
    starts = range(0, len(values) - SECONDS * RATE_HZ + 1, SECONDS * RATE_HZ)
    return [_cut(values, own, start) for start in starts]


def _on(clock: Floats, file: Floats) -> Floats:
    """Return the columns of a file, whose second row is the rate, at the seconds of the clock."""
    seconds = np.arange(len(file) - 2) / file[1, 0]
    return np.column_stack([np.interp(clock, seconds, column) for column in file[2:].T])


def _cut(values: NDArray[np.float32], own: Floats, start: int) -> Window:
    since = own - (start / RATE_HZ, 0)
    inside = (since[:, 0] - since[:, 1] >= 0) & (since[:, 0] <= SECONDS)
    return Signals(values[start : start + SECONDS * RATE_HZ], tuple(CHANNELS)), since[inside]


def made(count: int) -> list[Window]:
    """Make windows of hearts and skins."""
    rng = np.random.default_rng(0)
    clock, found = np.arange(SECONDS * RATE_HZ) / RATE_HZ, []
    for number in range(count):
        beats = np.cumsum(60 / (60 + number) + rng.normal(0, 0.03, 2 * SECONDS))
        pulse = -60 * np.exp(-(((clock[:, None] - beats) / 0.08) ** 2)).sum(axis=1) + rng.normal(0, 2, len(clock))
        since = np.maximum(clock[:, None] - rng.uniform(0, SECONDS, 5), 0)
        skin = 2 + 0.2 * (np.exp(-since / 3) - np.exp(-since / 0.7)).sum(axis=1)
        still = rng.normal((0, 0, 1), 0.01, (len(clock), 3))
        values = np.column_stack([pulse, skin, 32 + clock / 600, still]).astype(np.float32)
        found.append((Signals(values, tuple(CHANNELS)), np.empty((0, 2))))
    return found


def compare(what: str, peer: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Print both in milliseconds of the processor a window, of which each call takes FEW."""
    ours(), theirs()
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(ROUNDS)]
    ms, peer_ms = (statistics.median(side) / FEW * 1e3 for side in zip(*pairs, strict=True))
    ratios = [b / a for a, b in pairs]
    spread = {"ratio": statistics.median(ratios), "least": min(ratios), "largest": max(ratios)}
    report({"what": what, "ms": ms, "peer": peer, "peer_ms": peer_ms, **spread})


def report(row: dict[str, Any]) -> None:
    """Print a line of JSON, numbers to three digits."""
    print(json.dumps({key: float(f"{v:.3g}") if isinstance(v, float) else v for key, v in row.items()}), flush=True)


def _seconds(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def heart_by_neurokit(pulse: Floats) -> Floats:
    """Mean rate, SDNN and RMSSD as NeuroKit2's own steps find them, artifacts corrected; its spectrum too."""
    import neurokit2

    wave = neurokit2.ppg_clean(pulse, sampling_rate=RATE_HZ)
    peaks = neurokit2.ppg_peaks(wave, sampling_rate=RATE_HZ, correct_artifacts=True)[1]["PPG_Peaks"]
    found = neurokit2.hrv_time(peaks, sampling_rate=RATE_HZ)
    neurokit2.hrv_frequency(peaks, sampling_rate=RATE_HZ)
    return np.array([6e4 / found["HRV_MeanNN"].iloc[0], found["HRV_SDNN"].iloc[0], found["HRV_RMSSD"].iloc[0]])


def skin_by_neurokit(conductance: Floats) -> tuple[float, int]:
    """The mean of the level, and how many responses there are of LEAST."""
    import neurokit2

    clean = neurokit2.eda_clean(conductance, sampling_rate=RATE_HZ)
    parts = neurokit2.eda_phasic(clean, sampling_rate=RATE_HZ, method="highpass")
    found = neurokit2.eda_peaks(parts["EDA_Phasic"].to_numpy(), sampling_rate=RATE_HZ)[1]["SCR_Amplitude"]
    return float(parts["EDA_Tonic"].mean()), int((np.asarray(found) >= LEAST).sum())


def bench_times(few: list[Signals]) -> None:
    """Time what both have, and all four extractors beside NeuroKit2's heart and skin."""
    hearts, skins = ([window.channel(name) for window in few] for name in ("bvp", "eda"))
    peers: list[tuple[str, str, Callable[[], Any]]] = [
        ("pulse", "ppg, hrv_time, hrv_frequency", lambda: [heart_by_neurokit(each) for each in hearts]),
        ("eda", "eda", lambda: [skin_by_neurokit(each) for each in skins]),
    ]
    both = peers[0][2], peers[1][2]
    peers.append((ALL, "both of these", lambda: [call() for call in both]))
    for name, peer, call in peers:
        extract, _ = extraction.build(name, {})
        compare(name, f"NeuroKit2: {peer}", lambda e=extract: e(few), call)


def bench_heart(windows: list[Window], with_peer: bool) -> None:
    """Compare the heart's numbers with those of the wristband's own intervals."""
    sure = [(window, own) for window, own in windows if own[:, 1].sum() >= COVERED * SECONDS]
    if not sure:
        print("no IBI.csv covers a window: no comparison with it", file=sys.stderr)
        return
    known = np.array([_of_intervals(own) for _, own in sure])
    extract, _ = extraction.build("pulse", {})
    found = {"emo": np.asarray(extract([window for window, _ in sure]))[:, [0, 4, 5]]}
    pulses = [window.channel("bvp") for window, _ in sure]
    for name, sign in (("NeuroKit2", 1), ("NeuroKit2, upside down", -1)) if with_peer else ():
        found[name] = np.array([heart_by_neurokit(sign * pulse) for pulse in pulses])
    for column, what in enumerate(("rate", "SDNN", "RMSSD")):
        for who, numbers in found.items():
            _agree(f"{what} and IBI.csv's", who, numbers[:, column], known[:, column])


def bench_skin(windows: list[Window]) -> None:
    """Compare level and responses with those of NeuroKit2, in MANY windows or some more."""
    some = [window for window, _ in windows[:: max(len(windows) // MANY, 1)]]
    extract, _ = extraction.build("eda", {"least": LEAST})
    ours = np.asarray(extract(some))
    theirs = np.array([skin_by_neurokit(window.channel("eda")) for window in some])
    _agree("level and NeuroKit2's, uS", "emo", ours[:, 0], theirs[:, 0])
    _agree(f"responses of {LEAST} uS and NeuroKit2's, a minute", "emo", ours[:, 8], theirs[:, 1])


def _agree(what: str, who: str, found: Floats, known: Floats) -> None:
    apart, r = float(np.median(np.abs(found - known))), float(np.corrcoef(found, known)[0, 1])
    report({"what": what, "who": who, "windows": len(known), "apart": apart, "r": r})


def _of_intervals(own: Floats) -> tuple[float, float, float]:
    lengths = own[:, 1] * 1e3
    steps = np.diff(lengths)[np.abs(np.diff(own[:, 0]) - own[1:, 1]) < 1 / RATE_HZ]
    return 6e4 / lengths.mean(), lengths.std(), float(np.sqrt(np.mean(steps**2)))


def _has_peer() -> bool:
    try:
        import neurokit2  # noqa: F401
    except ImportError:
        print("neurokit2 is not installed: no comparison with it (pip install neurokit2)", file=sys.stderr)
        return False
    return True


def main(folders: list[str]) -> None:
    """Print one line per comparison."""
    warnings.simplefilter("ignore")  # NeuroKit2 warns of windows of a minute
    below = sorted(path.parent for folder in folders for path in Path(folder).rglob("BVP.csv"))
    windows = [window for folder in below for window in recorded(folder)] or made(FEW)
    few = [window for window, _ in windows[:: max(len(windows) // FEW, 1)][:FEW]]
    with_peer = _has_peer()
    if with_peer:
        bench_times(few)
        bench_skin(windows)
    bench_heart(windows, with_peer)


if __name__ == "__main__":
    from usage import words

    main(words(__doc__))

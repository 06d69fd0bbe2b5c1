"""Features of speech beside their peers: librosa file by file, torchaudio, openSMILE, and librosa from a cold start.

    python examples/bench/speech.py [FOLDER …]

200 clips of 3 s, cut from the wav files below FOLDER, or made ones where there is none. Each line is a comparison in
one run on one thread: medians of times taken in turns, and the median, least and largest of their ratios. Times are of
the processor, which other programs disturb less; those of several processes and of a cold start are of the clock.
"""

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray
from startup import once

from emocli import registry
from emocli.extracting import extraction
from emocli.sound import sound_files
from emocli.sound.sounds import RATE_HZ, Sound

CLIPS, SECONDS, FEW, ROUNDS = 200, 3, 40, 5
EXTRACTORS = "mfcc+chroma+rms"
PEER = """
import librosa
y, rate = librosa.load({path!r}, sr=16000)
print(librosa.feature.mfcc(y=y, sr=rate, n_mfcc=13).shape)
"""


def write_clips(sources: list[Path], folder: Path) -> list[Path]:
    """Write the clips that all are timed on, 16 bit wav."""
    rng = np.random.default_rng(0)
    size, paths = SECONDS * RATE_HZ, []
    for number in range(CLIPS):
        if sources:
            sound = sound_files.read(sources[number * len(sources) // CLIPS]).samples / np.float32(1 << 15)
        else:
            pitch = 120 + 40 * np.sin(np.linspace(0, 9 + number, size)) + number
            sound = 0.1 * np.sign(np.sin(np.cumsum(2 * np.pi * pitch / RATE_HZ))) + 0.01 * rng.standard_normal(size)
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], np.resize(sound, size), RATE_HZ)
    return paths


def read(path: Path) -> Sound:
    """Read as emo reads."""
    return np.concatenate(list(sound_files.blocks(path)))


def ours(paths: list[Path]) -> list[NDArray[np.float32]]:
    """Features of files by emo."""
    cv2.setNumThreads(1)
    extract, _ = extraction.build(EXTRACTORS, {})
    return extract([read(path) for path in paths])


def by_librosa(paths: list[Path]) -> list[NDArray[np.float32]]:
    """Features of files as tutorials take them, a call of librosa each."""
    found = []
    for path in paths:
        y, _ = librosa.load(path, sr=RATE_HZ)
        mfcc = librosa.feature.mfcc(y=y, sr=RATE_HZ, n_mfcc=13)
        deltas = [librosa.feature.delta(mfcc, order=order) for order in (1, 2)]
        chroma = librosa.feature.chroma_stft(y=y, sr=RATE_HZ)
        found.append(np.concatenate([mfcc, *deltas, chroma, librosa.feature.rms(y=y)]).T)
    return found


def compare(what: str, peer: str, ours: Callable[[], Any], theirs: Callable[[], Any], count: int, **about: Any) -> None:
    """Print both in milliseconds of the processor a clip, of which each call takes `count`."""
    ours(), theirs()
    clock = time.process_time
    pairs = [(_seconds(ours, clock), _seconds(theirs, clock)) for _ in range(ROUNDS)]
    times = [statistics.median(side) / count * 1e3 for side in zip(*pairs, strict=True)]
    ratios = [b / a for a, b in pairs]
    report({"what": what, "ms": times[0], "peer": peer, "peer_ms": times[1], **_spread(ratios), **about})


def _spread(ratios: list[float]) -> dict[str, float]:
    return {"ratio": statistics.median(ratios), "least": min(ratios), "largest": max(ratios)}


def report(row: dict[str, Any]) -> None:
    """Print a line of JSON, numbers to three digits."""
    print(json.dumps({key: float(f"{v:.3g}") if isinstance(v, float) else v for key, v in row.items()}), flush=True)


def bench_librosa(paths: list[Path]) -> None:
    """One process against librosa's, reading included, and how far the numbers are apart."""
    apart = np.max([np.abs(a - b).max(axis=0) for a, b in zip(ours(paths), by_librosa(paths), strict=True)], axis=0)
    few = paths[:: CLIPS // FEW]
    differences = {"mfcc": float(apart[:39].max()), "chroma": float(apart[39:51].max()), "rms": float(apart[51])}
    compare("mfcc, deltas, chroma, rms", "librosa", lambda: ours(few), lambda: by_librosa(few), FEW, apart=differences)


def bench_processes(paths: list[Path]) -> None:
    """Two processes, which share four parts of the clips, against librosa in one and in two."""
    context = multiprocessing.get_context("spawn")
    parts = [paths[start::4] for start in range(4)]
    with ProcessPoolExecutor(2, context) as pool:
        calls = {
            "emo": lambda: list(pool.map(ours, parts)),
            "librosa, one process": lambda: by_librosa(paths),
            "librosa, two processes": lambda: list(pool.map(by_librosa, parts)),
        }
        calls["emo"](), calls["librosa, two processes"]()
        rows = [{name: _seconds(call) for name, call in calls.items()} for _ in range(3)]
    ms = {name: statistics.median(row[name] for row in rows) / CLIPS * 1e3 for name in calls}
    for peer in list(calls)[1:]:
        ratios = _spread([row[peer] / row["emo"] for row in rows])
        report({"what": "the same, two processes", "ms": ms["emo"], "peer": peer, "peer_ms": ms[peer], **ratios})


def bench_others(sounds: list[Sound]) -> None:
    """Single extractors beside whoever computes the same, or the same kind of thing; decoded already."""
    few = sounds[:5]
    make = {name: registry.load("features", name)() for name in ("mfcc", "prosody", "utterance")}
    compare("prosody", "librosa.pyin alone", lambda: make["prosody"](few), lambda: [_pyin(y) for y in few], 5)
    try:
        import torch
        from torchaudio import transforms

        torch.set_num_threads(1)
        mel = {"n_fft": 2048, "hop_length": 512, "n_mels": 128, "norm": "slaney", "mel_scale": "slaney"}
        mfcc, delta = transforms.MFCC(RATE_HZ, 13, melkwargs=mel), transforms.ComputeDeltas(9)

        def by_torchaudio() -> None:
            for sound in sounds:
                slope = delta(rows := mfcc(torch.from_numpy(sound)))
                torch.cat([rows, slope, delta(slope)])

        compare("mfcc, deltas", "torchaudio (its deltas differ)", lambda: make["mfcc"](sounds), by_torchaudio, FEW)
    except (ImportError, OSError) as fault:  # the latter beside another torch than it was built for
        print(f"torchaudio can't be loaded ({fault}): no comparison with it", file=sys.stderr)
    try:
        import opensmile

        smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
        egemaps: Callable[[], Any] = lambda: [smile(y, RATE_HZ) for y in few]  # noqa: E731
        compare("utterance (26 numbers)", "openSMILE eGeMAPS (88)", lambda: make["utterance"](few), egemaps, 5)
    except ImportError:
        print("opensmile is not installed: no comparison with it", file=sys.stderr)


def bench_cold_start(path: Path) -> None:
    """A whole process to the features of one clip against a script that imports librosa for it."""
    emo = [str(Path(sys.executable).with_name("emo")), "features", str(path)]
    script = [sys.executable, "-c", PEER.format(path=str(path))]
    once(emo), once(script)
    pairs = [(once(emo), once(script)) for _ in range(ROUNDS)]
    for number, kind in enumerate(("ms", "MB")):
        values = [(mine[number], other[number]) for mine, other in pairs]
        mine, other = (statistics.median(side) for side in zip(*values, strict=True))
        peer = {"peer": "import librosa, one MFCC", f"peer_{kind}": other}
        report({"what": "emo features clip.wav", kind: mine, **peer, **_spread([b / a for a, b in values])})


def _pyin(y: Sound) -> None:
    librosa.pyin(y, fmin=60, fmax=600, sr=RATE_HZ)


def _seconds(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    call()
    return clock() - start


def main(folders: list[str]) -> None:
    """Print one line per comparison."""
    sources = sorted(path for folder in folders for path in Path(folder).rglob("*.wav"))
    with tempfile.TemporaryDirectory() as folder:
        paths = write_clips(sources, Path(folder))
        bench_librosa(paths)
        bench_processes(paths)
        bench_others([read(path) for path in paths[:FEW]])
        os.environ["EMO_HOME"] = folder
        bench_cold_start(paths[0])


if __name__ == "__main__":
    from usage import words

    main(words(__doc__))

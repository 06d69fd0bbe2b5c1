"""`emo live` with a voice: how much faster than real time it is, and the latency of a microphone's windows.

    python examples/bench/live_voice.py MODEL.onnx SOUND [SECONDS]

Windows of 3 s every 0.5 s on one thread of the engine. Speed is that of the sound as a file, every window of which is
answered, as the median of rounds; latency is that of its first SECONDS (20) at their own pace, from the arrival of a
window's last sample until its line is written.
"""

import json
import os
import statistics
from pathlib import Path
from threading import Event

from emocli.live import hearing, lines, sound_sources
from emocli.live.hearing import Heard
from emocli.serving.listening import listener
from emocli.sound.sounds import RATE_HZ

ROUNDS, LENGTH, HOP = 3, 3.0, 0.5


def silent(text: str) -> None:
    """What is noted is not part of the figures."""


def session(model: Path, sound: str, seconds: float | None) -> Heard:
    """Hear all of a sound as a file, or its first seconds in real time."""
    stop = Event()
    source = sound_sources.named(sound, RATE_HZ, realtime=seconds is not None, note=silent)
    listen = listener(model, detector="auto", engine="onnxruntime", threads=1, carry=True, note=silent)
    with open(os.devnull, "w") as nothing:
        line = lines.json_lines(nothing)

        def write(row: dict[str, object]) -> None:
            line(row)
            if seconds is not None and float(str(row["end"])) >= seconds:
                stop.set()

        return hearing.hear(source, listen, write, length=LENGTH, hop=HOP, stop=stop, note=silent)


def main(model: str, sound: str, seconds: str = "20") -> None:
    """Print one JSON line."""
    files = [session(Path(model), sound, None) for _ in range(ROUNDS + 1)][1:]
    paced = session(Path(model), sound, float(seconds))
    speeds = [one.sound_seconds / one.stats.seconds for one in files]
    figures = {"times_real_time": statistics.median(speeds), "windows_per_second": files[0].stats.fps}
    latency = {"p50_ms": paced.stats.p50_ms, "p95_ms": paced.stats.p95_ms, "dropped": paced.stats.dropped}
    print(json.dumps({key: round(value, 1) for key, value in {**figures, **latency}.items()}))


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))

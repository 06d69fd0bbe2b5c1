"""The microphone of a real sound server: what is played into PulseAudio's null sink is heard from its monitor."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sound_made

PROGRAMS = ("pulseaudio", "pactl", "paplay", "parec")


@pytest.fixture(scope="module")
def surroundings() -> Iterator[dict[str, str]]:
    """The environment of programs that meet a sound server of its own, which has one sink and no devices."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        pytest.skip(f"no PulseAudio ({', '.join(missing)}); sudo apt install pulseaudio pulseaudio-utils")
    # a socket's name may have some 100 characters
    with tempfile.TemporaryDirectory(prefix="pulse") as folder:
        address = f"{folder}/socket"
        environment = {**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_SERVER": f"unix:{address}"}
        modules = ("module-null-sink sink_name=heard", f"module-native-protocol-unix socket={address} auth-anonymous=1")
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *(f"--load={each}" for each in modules)]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                if subprocess.run(["pactl", "info"], env=environment, capture_output=True).returncode == 0:
                    break
                assert server.poll() is None, "PulseAudio ended"
                time.sleep(0.1)
            # without sounddevice, which would look for a device of its own
            (Path(folder) / "sounddevice.py").write_text("raise ImportError\n")
            yield {**environment, "PYTHONPATH": folder}
        finally:
            server.kill()
            server.wait()


def test_what_a_sound_server_plays_is_heard_until_ctrl_c(surroundings: dict[str, str], tmp_path: Path) -> None:
    clip = sound_made.write(tmp_path / "tone.wav", sound_made.tone(1.5, 44_100, hz=300), 44_100)
    command = [
        "emo",
        "live",
        "--mic",
        "--mic-device",
        "heard.monitor",
        "--model",
        "ravdess-int8",
        "--detector",
        "energy",
    ]
    session = subprocess.Popen(
        [*command, "--hop", "0.25", "--json"],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a process in the background inherits SIGINT ignored, the test run too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert session.stdout is not None
    player = None
    for line in session.stdout:
        row = json.loads(line)
        if player is None:
            assert row["label"] is None and row["speech"] == 0, "the sink is silent before anything is played"
            player = subprocess.Popen(["paplay", "--device=heard", clip], env=surroundings)
        if row["label"]:
            break
    assert player is not None and player.wait() == 0
    session.send_signal(signal.SIGINT)
    rest, said = session.communicate(timeout=60)
    assert session.returncode == 130
    assert 0.4 <= row["speech"] <= 1.75 and np.isclose(sum(row["probabilities"].values()), 1, atol=1e-3)
    assert "latency" in said and "parec" not in said, said
    assert all(json.loads(each)["window"] for each in rest.splitlines())

"""A whole live session with a voice: the answers of predict, window by window, from files, pipes and films."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import numpy as np
import pytest
import sound_made
import soundfile
import tone_model
from conftest import Run
from small_model import write_model

from emocli.errors import EmoError
from emocli.live import hearing, sound_sources, windows
from emocli.serving.listening import Listener, listener
from emocli.sound import sound_files, sounds
from emocli.sound.sounds import RATE_HZ, Sound

HOW = {"length": 1.0, "hop": 0.25}
WORDS = ("--length", "1", "--hop", "0.25", "--threads", "1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two classes, low tones and high ones."""
    return tone_model.write_model(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def listen(model: Path) -> Listener:
    return listener(model, engine="onnxruntime", threads=1, note=lambda text: None)


def talk() -> Sound:
    """Silence, a low tone, silence, a high one, silence; it ends within a hop."""
    silence = np.zeros(RATE_HZ, np.float32)
    low, high = (sound_made.tone(0.8, hz=hz, level=0.3) for hz in (240, 2500))
    return np.concatenate([silence, low, silence, silence, high, silence])[:-1111]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sound_made.write(tmp_path_factory.mktemp("talk") / "talk.wav", talk())


def heard(
    path: Path, listen: Listener, *, realtime: bool = False, **how: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows and the notes of a session."""
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    stop = Event()
    source = sound_sources.named(str(path), RATE_HZ, realtime=realtime, note=notes.append)
    done = hearing.hear(source, listen, rows.append, **{**HOW, **how}, stop=stop, note=notes.append)
    assert done.stats.processed == len(rows)
    assert done.answered == sum(row["label"] is not None for row in rows)
    assert done.sound_seconds == pytest.approx(rows[-1]["end"], abs=1e-3)
    return rows, notes


def test_each_window_gets_what_predict_says_of_its_samples(file: Path, listen: Listener) -> None:
    rows, notes = heard(file, listen)
    sound = sounds.from_int16(sound_files.read(file).samples)
    cut = list(windows.cut((sound for _ in range(1)), **HOW))
    assert len(rows) == len(cut) and not notes
    for row, window in zip(rows, cut, strict=True):
        said = listen(window.samples)
        if row["label"] is not None:
            assert said is not None and {key: row[key] for key in said} == said
    labels = [row["label"] for row in rows if row["label"]]
    assert set(labels) == {"low", "high"} and labels == sorted(labels, reverse=True)


def test_silence_is_a_row_without_an_answer(file: Path, listen: Listener, tmp_path: Path) -> None:
    first = heard(file, listen)[0][0]
    assert first == {"window": 0, "start": 0.0, "end": 0.25, "speech": 0.0, "label": None}
    silent = sound_made.write(tmp_path / "silent.wav", np.zeros(2 * RATE_HZ, np.float32))
    rows, notes = heard(silent, listen)
    assert [row["label"] for row in rows] == [None] * 8 and not notes


def test_a_click_is_no_answer(listen: Listener, tmp_path: Path) -> None:
    sound = np.zeros(2 * RATE_HZ, np.float32)
    sound[RATE_HZ : RATE_HZ + 1280] = sound_made.tone(0.08, hz=240)
    rows, _ = heard(sound_made.write(tmp_path / "click.wav", sound), listen)
    assert max(row["speech"] for row in rows) > 0 and not any(row["label"] for row in rows)


def test_in_real_time_the_answers_are_the_same(file: Path, listen: Listener, tmp_path: Path) -> None:
    short = sound_made.write(tmp_path / "short.wav", talk()[RATE_HZ // 2 : 2 * RATE_HZ])
    rows, _ = heard(short, listen)
    paced, _ = heard(short, listen, realtime=True)
    # a machine that is busy may have to drop some
    assert paced and all(row in rows for row in paced)


def test_smoothing_averages_over_time_and_forgets_in_silence(file: Path, listen: Listener) -> None:
    plain, smooth = heard(file, listen)[0], heard(file, listen, smooth_seconds=0.5)[0]
    first = next(row for row in smooth if row["label"])
    assert first in plain
    assert [row["label"] for row in smooth] == [row["label"] for row in plain]
    assert smooth != plain
    for row in smooth:
        if row["label"]:
            assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-4)
            assert row["probability"] == max(row["probabilities"].values())


def test_a_clipped_sound_is_answered_and_said_once(listen: Listener, tmp_path: Path) -> None:
    sound = np.clip(np.pad(sound_made.tone(1.0, hz=240, level=8.0), RATE_HZ // 2), -1, 1)
    rows, notes = heard(sound_made.write(tmp_path / "loud.wav", sound), listen)
    assert any(row["label"] for row in rows)
    assert len(notes) == 1 and "loud.wav is clipped from 0.0 s on" in notes[0]


def test_what_came_before_a_sample_that_is_no_number_is_answered(listen: Listener, tmp_path: Path) -> None:
    # as much as is decoded at once, then the fault
    sound = np.zeros((1 << 17) + RATE_HZ, np.float32)
    sound[-1] = np.nan
    rows: list[dict[str, Any]] = []
    path = sound_made.write(tmp_path / "nan.wav", sound, subtype="FLOAT")
    source = sound_sources.named(str(path), RATE_HZ, realtime=False, note=print)
    with pytest.raises(EmoError, match="NaN"):
        hearing.hear(source, listen, rows.append, **HOW, stop=Event(), note=print)
    assert len(rows) == (1 << 17) // (RATE_HZ // 4)


def test_without_a_detector_all_windows_are_heard_uncut(file: Path, model: Path) -> None:
    whole = listener(model, detector="none", engine="onnxruntime", threads=1, note=print)
    rows, _ = heard(file, whole)
    assert [row["label"] is None for row in rows] == [True] + [False] * (len(rows) - 1)


def _rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_raw_samples_on_stdin_give_what_the_file_gives(emo: Run, model: Path, file: Path) -> None:
    content = sound_files.read(file).samples.tobytes()
    piped = emo("live", "--model", model, "--source", "-", *WORDS, stdin=content)
    named = emo("live", "--model", model, "--source", file, *WORDS)
    assert _rows(piped) == _rows(named)
    told = named.stderr.decode().strip()
    assert "windows on CPUExecutionProvider, 0 dropped" in told and "latency" in told and "5.5 s of sound" in told


def test_people_get_a_line_per_window(emo: Run, model: Path, file: Path) -> None:
    lines = emo("live", "--model", model, "--source", file, *WORDS, "--table").stdout.decode().splitlines()
    assert lines[0] == "     0.0 – 0.2 s  –"
    assert any("low" in line and "%" in line for line in lines)


@pytest.mark.parametrize("name", ["ravdess_01-01-01-01-01-01-01.mp4", "single_face.mp4"])
def test_the_sound_of_a_film_is_heard_by_a_model_of_speech(emo: Run, model: Path, corpora: Path, name: str) -> None:
    rows = _rows(emo("live", "--model", model, "--source", corpora / "video" / name, "--threads", 1))
    assert any(row["label"] for row in rows)
    (whole,) = _rows(emo("predict", corpora / "video" / name, "--model", model, "--threads", 1))
    assert rows[-1]["end"] == pytest.approx(whole["seconds"], abs=0.01)


def test_a_film_without_sound_is_one_line(emo: Run, model: Path, tmp_path: Path) -> None:
    film = cv2.VideoWriter(str(tmp_path / "mute.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    film.write(np.zeros((48, 64, 3), np.uint8))
    film.release()
    done = emo("live", "--model", model, "--source", tmp_path / "mute.avi", "--threads", 1)
    assert done.returncode == 1 and done.stderr.decode().count("\n") == 1
    assert "has no sound in it" in done.stderr.decode()


def test_a_reader_that_goes_away_ends_the_session_quietly(shell: Run, model: Path, file: Path) -> None:
    done = shell(f"emo live --model {model} --source {file} --hop 0.02 --length 0.5 | head -1")
    assert done.returncode == 141
    assert done.stdout.count(b"\n") == 1 and not done.stderr


def test_ctrl_c_ends_a_session_that_waits_for_sound(model: Path) -> None:
    command = [sys.executable, "-m", "emocli", "live", "--model", model, "--source", "-", *WORDS]
    with subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a process in the background inherits SIGINT ignored, the test run too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as session:
        assert session.stdin and session.stdout and session.stderr
        session.stdin.write(bytes(RATE_HZ))
        session.stdin.flush()
        first = json.loads(session.stdout.readline())
        session.send_signal(signal.SIGINT)
        assert session.wait(60) == 130
        assert first["window"] == 0
        assert all(json.loads(line)["label"] is None for line in session.stdout)
        assert b"0 with a voice" in session.stderr.read()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--camera", "0"], "is a model of speech; --camera, --save-video and --flip are for faces"),
        (["--source", "x.wav", "--flip"], "are for faces"),
        (["--source", "x.wav", "--views", "9"], "there are 1 to 7 views of a picture or a voice, not 9"),
        (["--source", "x.wav", "--save-video", "x.mp4"], "are for faces"),
        (["--source", "x.wav", "--mic"], "one source"),
        (["--source", "missing.wav"], "missing.wav is no file"),
        (["--source", "-"], "no sound came from stdin"),
        (["--source", "x.wav", "--hop", "4"], "--hop 0.01 to --length"),
        (["--source", "x.wav", "--detector", "haar"], "haar is for face"),
    ],
)
def test_what_can_t_be_heard_is_one_line(emo: Run, model: Path, tmp_path: Path, words: list[str], says: str) -> None:
    sound_made.write(tmp_path / "x.wav")
    done = emo("live", "--model", model, *words, cwd=tmp_path)
    assert done.returncode == 1 and not done.stdout
    assert says in done.stderr.decode() and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("words", [["--mic"], ["--source", "-"]])
def test_a_model_of_faces_can_t_listen(emo: Run, tmp_path: Path, words: list[str]) -> None:
    model = write_model(tmp_path / "faces.onnx")
    done = emo("live", "--model", model, *words)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    assert "faces.onnx is a model of faces" in done.stderr.decode() and "--model" in done.stderr.decode()


def test_a_file_louder_than_full_scale_is_answered_as_predict_answers_it(emo: Run, model: Path, tmp_path: Path) -> None:
    loud = 3 * sound_made.tone(1.5, RATE_HZ, hz=240, level=0.6).astype(np.float32)
    soundfile.write(tmp_path / "loud.wav", np.pad(loud, RATE_HZ // 4), RATE_HZ, subtype="FLOAT")
    live = emo("live", "--source", tmp_path / "loud.wav", "--model", model, "--length", 9, "--hop", 9, "--json")
    predicted = emo("predict", tmp_path / "loud.wav", "--model", model, "--json")
    last, record = (json.loads(done.stdout.splitlines()[-1]) for done in (live, predicted))
    assert last["probabilities"] == record["probabilities"]


def test_a_rate_is_of_raw_sound_only(emo: Run, model: Path, file: Path) -> None:
    done = emo("live", "--source", file, "--model", model, "--rate", 8000)
    assert done.returncode == 1 and b"--rate is of raw sound on stdin" in done.stderr


@pytest.mark.parametrize("words", [("--length", 9), ("--hop", 2)])
def test_windows_are_of_voices_only(emo: Run, tmp_path: Path, words: tuple[object, ...]) -> None:
    done = emo("live", "--source", tmp_path / "x.mp4", "--model", "fer2013-int8", *words)
    assert done.returncode == 1 and b"--length and --hop are for voices" in done.stderr

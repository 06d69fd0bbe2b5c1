"""Sound from files, from raw samples on a pipe and from microphones, and one clear line when there is none."""

import contextlib
import os
import stat
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import ModuleType, SimpleNamespace

import av
import numpy as np
import pytest
import sound_made

from emocli.errors import EmoError
from emocli.live import microphones, sound_sources
from emocli.sound import sounds
from emocli.sound.sounds import RATE_HZ, Sound

TONE = sounds.to_int16(sound_made.tone(0.5))


def raw(content: bytes, rate_hz: int = RATE_HZ, pieces: int = 1 << 16) -> tuple[Sound, list[str]]:
    """What comes out of a pipe with this content, written in pieces, and what was noted."""
    notes: list[str] = []
    reader, writer = os.pipe()

    def send() -> None:
        with contextlib.suppress(BrokenPipeError), open(writer, "wb", buffering=0) as pipe:
            for start in range(0, len(content), pieces):
                pipe.write(content[start : start + pieces])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        blocks = list(sound_sources.raw(reader, rate_hz, "stdin", over=Event(), note=notes.append))
    finally:
        os.close(reader)
        sender.join()
    return np.concatenate(blocks), notes


@pytest.mark.parametrize("pieces", [1, 333, 1 << 16])
def test_raw_samples_are_the_sound_whatever_pieces_they_come_in(pieces: int) -> None:
    content = TONE[:2000].tobytes()
    sound, notes = raw(content, pieces=pieces)
    np.testing.assert_array_equal(sound, sounds.from_int16(TONE[:2000]))
    assert not notes


def test_a_file_behind_stdin_keeps_its_own_pace_in_real_time_and_a_pipe_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talk.raw").write_bytes(TONE.tobytes())
    reader, writer = os.pipe()
    with open(tmp_path / "talk.raw") as file, open(reader) as pipe, open(writer, "w"):
        for stdin, realtime, paced in ((file, True, True), (file, False, False), (pipe, True, False)):
            monkeypatch.setattr(sys, "stdin", stdin)
            source = sound_sources.named("-", RATE_HZ, realtime=realtime, note=print)
            assert (source.live, source.paced) == (realtime, paced)


def test_half_a_sample_at_the_end_is_left_out_and_said() -> None:
    sound, notes = raw(TONE.tobytes() + b"\x01")
    assert len(sound) == len(TONE)
    assert notes == ["stdin ends within a sample; its last byte is left out"]


def test_another_rate_is_converted_and_a_narrow_one_is_noted() -> None:
    sound, notes = raw(sounds.to_int16(sound_made.tone(0.5, 44_100)).tobytes(), 44_100)
    assert len(sound) == pytest.approx(RATE_HZ / 2, abs=2) and not notes
    sound, notes = raw(sounds.to_int16(sound_made.tone(0.5, 4000)).tobytes(), 4000)
    assert len(sound) == pytest.approx(RATE_HZ / 2, abs=2)
    assert notes == ["stdin: clip below 8 kHz, which lacks what is above 4 kHz"]


def test_a_pipe_without_samples_with_a_file_or_at_no_rate_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="did the previous command fail"):
        raw(b"")
    with pytest.raises(EmoError, match="no sound came"):
        raw(b"\x01")
    starts = (b"ID3\4", b"\0\0\0\x20ftypisom", b"\x1aE\xdf\xa3", b"\x30\x26\xb2\x75")
    for content in (sound_made.write(tmp_path / "a.wav").read_bytes(), *(start + bytes(99) for start in starts)):
        with pytest.raises(EmoError, match="stdin is a sound file"):
            raw(content)
    for rate_hz in (0, 999, -16_000, 10**6):
        with pytest.raises(EmoError, match="no rate of a sound"):
            raw(b"\0\0", rate_hz)


def test_a_sender_that_the_same_ctrl_c_ended_is_no_fault() -> None:
    reader, writer = os.pipe()
    over = Event()
    blocks = sound_sources.raw(reader, RATE_HZ, "stdin", over=over, note=print)
    os.close(writer)
    threading.Timer(0.05, over.set).start()
    assert list(blocks) == []
    os.close(reader)


def test_a_sender_that_says_nothing_does_not_keep_a_session_from_ending() -> None:
    reader, writer = os.pipe()
    over = Event()
    blocks = sound_sources.raw(reader, RATE_HZ, "stdin", over=over, note=print)
    threading.Timer(0.05, over.set).start()
    assert list(blocks) == []
    os.close(reader)
    os.close(writer)


def test_files_of_8_bits_and_of_a_low_rate_are_heard(tmp_path: Path) -> None:
    notes: list[str] = []
    for name, rate_hz, kind in (("eight.wav", 8000, "PCM_U8"), ("slow.wav", 4000, "PCM_16")):
        path = sound_made.write(tmp_path / name, sound_made.tone(0.5, rate_hz), rate_hz, subtype=kind)
        source = sound_sources.named(str(path), RATE_HZ, realtime=False, note=notes.append)
        sound = np.concatenate(list(source.blocks))
        assert not source.live
        assert len(sound) == pytest.approx(RATE_HZ / 2, abs=2)
        assert np.abs(sound).max() == pytest.approx(0.5, abs=0.05)
    assert len(notes) == 1 and "slow.wav: clip below 8 kHz" in notes[0]


@pytest.mark.parametrize("delay", [0.0, 1.5])
def test_the_sound_of_a_film_that_begins_after_its_pictures_is_in_step_with_them(tmp_path: Path, delay: float) -> None:
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        pictures, sound = container.add_stream("mpeg4", rate=10), container.add_stream("pcm_s16le", rate=RATE_HZ)
        pictures.width = pictures.height = 32
        sound.layout = "mono"
        for _ in range(20):
            container.mux(pictures.encode(av.VideoFrame(32, 32, "yuv420p")))
        frame = av.AudioFrame.from_ndarray(TONE[None], layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, round(delay * RATE_HZ), Fraction(1, RATE_HZ)
        for stream, last in ((sound, frame), (sound, None), (pictures, None)):
            container.mux(stream.encode(last))
    source = sound_sources.named(str(tmp_path / "film.mkv"), RATE_HZ, realtime=False, note=lambda text: None)
    heard = np.concatenate(list(source.blocks))
    begin = round(delay * RATE_HZ)
    assert not heard[:begin].any()
    np.testing.assert_array_equal(heard[begin:], sounds.from_int16(TONE))


def test_what_is_no_sound_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not a sound\n")
    nan = np.full(100, np.nan, np.float32)
    sound_made.write(tmp_path / "nan.wav", nan, subtype="FLOAT")
    for name, says in (
        ("missing.wav", "is no file"),
        ("text.wav", "no sound file"),
        ("nan.wav", "NaN"),
        ("", "no file"),
    ):
        with pytest.raises(EmoError, match=says):
            list(sound_sources.named(str(tmp_path / name), RATE_HZ, realtime=False, note=lambda text: None).blocks)


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither sounddevice nor a recorder: a folder that is all of PATH."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def recorder(folder: Path, name: str, script: str) -> None:
    """A program in the place of the system's recorder."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_without_anything_to_record_with_it_says_what_to_install(no_library: Path) -> None:
    with pytest.raises(EmoError, match=r"pip install 'emocli\[mic\]'"):
        microphones.microphone("", note=print)


@pytest.mark.parametrize("name", ["parec", "arecord"])
def test_a_recorder_of_the_system_stands_in_until_the_session_ends(no_library: Path, name: str) -> None:
    recorder(no_library, name, "while True: os.write(1, bytes(640)); time.sleep(0.001)")
    source = microphones.microphone("front", note=print)
    assert source.live and source.name == name
    heard = 0
    for block in source.blocks:
        heard += len(block)
        if heard > 3200:
            source.over.set()
    assert heard < RATE_HZ


def test_a_recorder_that_fails_is_one_line_with_its_last_words(no_library: Path) -> None:
    recorder(no_library, "parec", "sys.exit('noise\\nConnection refused')")
    with pytest.raises(EmoError, match=r"parec stopped recording \(Connection refused\)"):
        list(microphones.microphone("", note=print).blocks)


class _Fault(Exception):
    """What PortAudio raises."""


def _library(samples: np.ndarray, microphones_there: bool = True) -> ModuleType:
    """What sounddevice is to the microphone: one that gives `samples` and is then unplugged."""

    class Stream:
        def __init__(self, samplerate: int, blocksize: int, **how: object) -> None:
            self.blocksize, self.given, self.closed = blocksize, 0, False

        def start(self) -> None:
            pass

        def read(self, count: int) -> tuple[bytes, bool]:
            if self.given >= len(samples):
                raise _Fault("unplugged")
            self.given += count
            return samples[self.given - count : self.given].tobytes(), self.given > 2 * count

        def close(self) -> None:
            self.closed = True

    def query(device: object, kind: str) -> dict[str, object]:
        if not microphones_there:
            raise _Fault("Error querying device -1")
        return {"name": "front", "default_samplerate": 48_000.0}

    library = ModuleType("sounddevice")
    library.__dict__.update(vars(SimpleNamespace(PortAudioError=_Fault, RawInputStream=Stream, query_devices=query)))
    return library


def test_a_microphone_is_heard_at_its_own_rate_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = sounds.to_int16(sound_made.tone(0.2, 48_000))
    monkeypatch.setitem(sys.modules, "sounddevice", _library(samples))
    notes: list[str] = []
    source = microphones.microphone("", note=notes.append)
    assert source.live and source.name == "front"

    heard: list[Sound] = []

    def hear(blocks: Iterator[Sound]) -> None:
        heard.extend(blocks)

    with pytest.raises(EmoError, match="front stopped"):
        hear(source.blocks)
    assert notes == ["front gave more than could be taken: some sound is lost"]
    # the last of it is still in the filter
    assert sum(map(len, heard)) > 0.1 * RATE_HZ


def test_no_microphone_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", _library(TONE, microphones_there=False))
    with pytest.raises(EmoError, match=r"no microphone can be opened .*--source FILE"):
        microphones.microphone("3", note=print)

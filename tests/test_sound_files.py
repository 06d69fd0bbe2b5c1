"""Sound files of any kind become mono at 16 kHz; bad ones are told apart."""

import itertools
import os
import struct
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile
from conftest import SHARED, Run
from sound_made import tone, write

from emocli.sound import sound_files, sounds
from emocli.sound.sound_files import Unreadable


def _read(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    found = sound_files.read(path)
    return sounds.from_int16(found.samples), found.remarks


def _encoded(path: Path, codec: str, rate_hz: int = 44_100) -> Path:
    """Write a tone of one second with FFmpeg's libraries."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono", bit_rate=128_000)
        frame = av.AudioFrame.from_ndarray(tone(1.0, rate_hz)[None], "fltp", "mono")
        frame.rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.aiff", "x.ogg", "x.mp3"])
def test_formats_give_the_sound_that_went_in(name: str, tmp_path: Path) -> None:
    samples, remarks = _read(write(tmp_path / name, tone(1.0)))
    assert len(samples) == 16_000 and remarks == ()
    assert np.abs(samples - tone(1.0))[200:-200].max() < (1e-4 if name < "x.m" else 0.03)


def test_opus_begins_when_its_sound_does(tmp_path: Path) -> None:
    clicks = np.zeros(48_000, np.float32)
    clicks[24_000] = 1
    with av.open(str(tmp_path / "x.opus"), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(clicks[None], "flt", "mono")
        frame.rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    samples, _ = _read(tmp_path / "x.opus")
    assert abs(int(np.abs(samples).argmax()) - 8000) <= 8


def test_of_mp3_files_joined_end_to_end_all_are_heard_and_damage_is_still_damage(tmp_path: Path) -> None:
    one = _encoded(tmp_path / "x.mp3", "libmp3lame").read_bytes()
    assert one.startswith(b"ID3")
    (tmp_path / "two.mp3").write_bytes(one + b"TAG" + bytes(125) + one)
    assert len(_read(tmp_path / "two.mp3")[0]) == pytest.approx(2 * 16_000, abs=3000)
    (tmp_path / "bad.mp3").write_bytes(one[:3000] + bytes(500) + one[3500:])
    with pytest.raises(Unreadable, match="is damaged"):
        _read(tmp_path / "bad.mp3")


@pytest.mark.parametrize("kind", ["VORBIS", "OPUS"])
def test_of_oggs_joined_end_to_end_all_are_heard(tmp_path: Path, kind: str) -> None:
    def ogg(pitch_hz: float, rate_hz: int = 48_000) -> bytes:
        wave = np.sin(2 * np.pi * pitch_hz * np.arange(rate_hz) / rate_hz, dtype=np.float32)
        soundfile.write(tmp_path / "one.ogg", wave / 2, rate_hz, format="OGG", subtype=kind)
        return (tmp_path / "one.ogg").read_bytes()

    (tmp_path / "both.ogg").write_bytes(ogg(300) + ogg(600))
    samples, _ = _read(tmp_path / "both.ogg")
    assert abs(len(samples) - 32_000) < 200
    assert [np.abs(np.fft.rfft(samples[a : a + 8000])).argmax() for a in (4000, 20_000)] == [150, 300]
    (tmp_path / "cut.ogg").write_bytes((tmp_path / "both.ogg").read_bytes()[:-3000])
    assert len(_read(tmp_path / "cut.ogg")[0]) > 15_900
    (tmp_path / "other.ogg").write_bytes(ogg(300) + ogg(600, 16_000))
    with pytest.raises(Unreadable, match="changes its rate or channels") if kind == "VORBIS" else nullcontext():
        assert abs(len(_read(tmp_path / "other.ogg")[0]) - 32_000) < 700


def test_a_name_that_is_no_utf_8_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "x.wav").rename(tmp_path / os.fsdecode(b"caf\xe9.wav"))
    assert len(sound_files.read(path).samples) == 800


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("x.m4a", "aac"), ("x.mp4", "aac"), ("x.3gp", "aac"), ("x.mkv", "flac"), ("x.mpg", "mp2"), ("x.flv", "aac")),
        ("x.wmv", "wmav2"),
    ],
)
def test_the_sound_of_other_containers_is_found_and_read(name: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if codec == "flac":
        soundfile.write(tmp_path / "x.flac", tone(1.0, 44_100), 44_100)
        with av.open(str(tmp_path / "x.flac")) as source, av.open(str(path), "w") as target:
            stream = target.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    else:
        _encoded(path, codec)
    assert path.suffix in sound_files.SUFFIXES
    samples, _ = _read(path)
    power = np.abs(np.fft.rfft(samples[2000:14_000]))
    assert abs(len(samples) - 16_000) < 1200 and power.argmax() * 16_000 / 12_000 == pytest.approx(440, abs=2)


@pytest.mark.filterwarnings("error")
def test_a_sound_of_absurd_numbers_is_clipped_and_warns_of_nothing(tmp_path: Path) -> None:
    samples, remarks = _read(write(tmp_path / "x.wav", np.full(800, 1e36, np.float32), subtype="FLOAT"))
    assert samples.max() <= 1 and any("clipped" in remark for remark in remarks)


def test_channels_are_averaged(tmp_path: Path) -> None:
    stereo = np.stack([tone(hz=300), tone(hz=900)], axis=1)
    samples, _ = _read(write(tmp_path / "x.wav", stereo, subtype="FLOAT"))
    assert np.allclose(samples, stereo.mean(axis=1), atol=2e-5)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_rates_are_converted_as_soxr_does_it_in_one_piece(rate_hz: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(0, 0.1, 3 * rate_hz), -1, 1).astype(np.float32)
    path = write(tmp_path / "x.wav", noise, rate_hz, subtype="FLOAT")
    expected = librosa.resample(noise, orig_sr=rate_hz, target_sr=16_000, res_type="soxr_hq")
    samples, remarks = _read(path)
    assert len(samples) == len(expected) == 48_000 and not remarks
    assert np.abs(samples - expected).max() <= 1 / 32768


def test_16_bit_at_16_khz_comes_back_bit_by_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-32768, 32768, 5000).astype(np.int16)
    soundfile.write(tmp_path / "x.wav", values, 16_000)
    assert np.array_equal(sound_files.read(tmp_path / "x.wav").samples, values)


def test_a_sound_to_one_side_of_0_is_not_silent(tmp_path: Path) -> None:
    assert [_read(write(tmp_path / "x.wav", np.full(800, level)))[1] for level in (0.5, -0.5)] == [(), ()]


def test_8_bit_audio_is_read(tmp_path: Path) -> None:
    samples, remarks = _read(write(tmp_path / "x.wav", tone(), subtype="PCM_U8"))
    assert np.abs(samples - tone()).max() < 1 / 127 and remarks == ()


@pytest.mark.parametrize(
    ("level", "rate_hz", "remark"),
    [(0.0, 16_000, "silent clip"), (3.0, 44_100, "clip that is clipped"), (0.5, 6_000, "clip below 8 kHz")],
)
def test_what_is_odd_is_remarked(level: float, rate_hz: int, remark: str, tmp_path: Path) -> None:
    samples, remarks = _read(write(tmp_path / "x.wav", tone(1.0, rate_hz, level=level).clip(-1, 1), rate_hz))
    assert len(samples) == 16_000 and len(remarks) == 1 and remarks[0].startswith(remark)


def _claiming(path: Path, claim: int) -> Path:
    """Write a tone whose header says that it has so many bytes."""
    data = bytearray(write(path, tone()).read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", claim)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("claim", [0, 10**6, 0xFFFFFFFF])
def test_a_header_that_lies_about_the_length_is_not_believed(claim: int, tmp_path: Path) -> None:
    samples, remarks = _read(_claiming(tmp_path / "x.wav", claim))
    assert len(samples) == len(tone()) and "clip of another length than its header says" in remarks


@pytest.mark.parametrize("claim", [2_000, 4_002])
def test_a_header_that_says_less_than_there_is_is_told(claim: int, tmp_path: Path) -> None:
    samples, remarks = _read(_claiming(tmp_path / "x.wav", claim))
    assert len(samples) == claim // 2 and remarks == ("clip of another length than its header says",)


_LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"


@pytest.mark.parametrize("tail", [b"\0" * 512, b"\xff" * 512, _LIST, b"TAG" + b"x" * 125, b"ID3\3" + b"\0x" * 64])
def test_what_is_usual_behind_the_sound_of_a_wav_is_no_lie(tail: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "x.wav", tone())
    path.write_bytes(path.read_bytes() + tail)
    samples, remarks = _read(path)
    assert len(samples) == len(tone()) and not remarks


@pytest.mark.parametrize("odd", [b"LIST" + struct.pack("<I", 5) + b"INFO.", b"JUNK" + struct.pack("<I", 9) + b"\0" * 9])
def test_a_chunk_behind_one_of_odd_length_that_was_not_filled_up_is_no_lie(odd: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "x.wav", tone())
    path.write_bytes(path.read_bytes() + odd + _LIST * 3)
    samples, remarks = _read(path)
    assert len(samples) == len(tone()) and not remarks


def test_a_file_that_was_cut_gives_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "x.wav", tone())
    path.write_bytes(path.read_bytes()[:3001])
    samples, remarks = _read(path)
    assert len(samples) == (3001 - 44) // 2 and remarks == ("clip of another length than its header says",)


@pytest.mark.parametrize("name", ["x.wav", "x.mp3", "x.mp4"])
@pytest.mark.parametrize("seed", [0, 1])
def test_junk_is_no_sound(name: str, seed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(seed).bytes(100_000))
    with pytest.raises(Unreadable, match="; convert it"):
        sound_files.read(tmp_path / name)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty"), (b"hello\n" * 99, "no sound file"), (None, r"can't be opened \(No such.*; check the name")],
)
def test_what_is_no_sound_file_is_refused(content: bytes | None, why: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(Unreadable, match=why):
        sound_files.read(tmp_path / "x.wav")


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nother.ts\n#EXT-X-ENDLIST\n",
    ],
)
@pytest.mark.parametrize("name", ["x.wav", "x.m3u8"])
def test_a_playlist_leads_to_no_other_file(text: str, name: str, tmp_path: Path) -> None:
    _encoded(tmp_path / "other.ts", "mp2")
    (tmp_path / name).write_text(text)
    with pytest.raises(Unreadable):
        sound_files.read(tmp_path / name)
    assert len(_read(tmp_path / "other.ts")[0]) > 15_000


def test_a_voice_message_of_an_old_telephone_is_heard(tmp_path: Path) -> None:
    frame = b"\x3c" + bytes(31)  # 20 ms at 12.2 kbit/s
    (tmp_path / "x.amr").write_bytes(b"#!AMR\n" + 50 * frame)
    assert ".amr" in sound_files.SOUNDS
    assert len(_read(tmp_path / "x.amr")[0]) == pytest.approx(16_000, abs=400)


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.wav")
    with pytest.raises(Unreadable, match="no plain file"):
        sound_files.read(tmp_path / "x.wav")


def test_a_file_without_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="has no samples"):
        sound_files.read(write(tmp_path / "x.wav", np.empty(0, np.float32)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_samples_that_are_no_numbers_are_refused(value: float, rate_hz: int, tmp_path: Path) -> None:
    samples = tone(rate_hz=rate_hz)
    samples[100] = value
    with pytest.raises(Unreadable, match="NaN"):
        sound_files.read(write(tmp_path / "x.wav", samples, rate_hz, subtype="FLOAT"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.flac", np.random.default_rng(0).normal(0, 0.1, 50_000).astype(np.float32))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Unreadable, match="damaged"):
        sound_files.read(path)


def test_a_rate_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="rate"):
        sound_files.read(write(tmp_path / "x.wav", tone(), 1))


def test_a_sound_that_nothing_decodes_is_said_to_be_one(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "x.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
        frame.rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    content = (tmp_path / "x.mkv").read_bytes()
    (tmp_path / "x.mkv").write_bytes(content.replace(b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT"))
    with pytest.raises(Unreadable, match="sound that can't be decoded"):
        sound_files.read(tmp_path / "x.mkv")


def test_a_picture_has_no_sound(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "x.jpg"), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(Unreadable, match="no sound in it"):
        sound_files.read(tmp_path / "x.jpg")


def _ten_hours(path: Path) -> Path:
    write(path, tone(0.001))
    data = bytearray(path.read_bytes())
    size = 10 * 3600 * 16_000 * 2
    data[4:8], data[40:44] = struct.pack("<I", size + 36), struct.pack("<I", size)
    with open(path, "wb") as file:
        file.write(data)
        file.truncate(size + 44)  # a hole: no bytes on the disk
    return path


def test_ten_hours_are_read_in_blocks_with_flat_memory(tmp_path: Path) -> None:
    blocks = sound_files.blocks(_ten_hours(tmp_path / "x.wav"))
    tracemalloc.start()
    length = sum(len(block) for block in itertools.islice(blocks, 1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 2 * 3600 * 16_000 and peak < 8 << 20


def test_ten_hours_are_no_utterance_and_given_up_after_the_first(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"longer than an hour.*emo live --source .*x.wav answers window by window$"):
        sound_files.read(_ten_hours(tmp_path / "x.wav"))


@pytest.mark.parametrize("command", ["features", "predict"])
def test_ten_hours_through_a_command_are_one_line(command: str, tmp_path: Path, emo: Run) -> None:
    words = ("-m", "ravdess-int8") if command == "predict" else ("-o", tmp_path / "f.h5")
    done = emo(command, _ten_hours(tmp_path / "x.wav"), *words)
    assert done.returncode == 1 and b"longer than an hour" in done.stderr + done.stdout
    assert b"Traceback" not in done.stderr and not (tmp_path / "f.h5").exists()


@pytest.mark.parametrize("claim", [1, 80, (1 << 36) - 1])
def test_a_flac_that_lies_about_its_length_is_not_believed(claim: int, tmp_path: Path) -> None:
    write(tmp_path / "x.flac", tone(0.5))
    data = bytearray((tmp_path / "x.flac").read_bytes())
    # STREAMINFO: the last 36 bits of its bytes 10 to 17 count the samples
    at = 4 + 4 + 10
    fields = int.from_bytes(data[at : at + 8]) >> 36 << 36 | claim
    data[at : at + 8] = fields.to_bytes(8)
    (tmp_path / "x.flac").write_bytes(data)
    try:
        samples = sound_files.read(tmp_path / "x.flac").samples
    except Unreadable:
        return
    assert len(samples) in (claim, 8000)


def test_the_sound_of_a_real_video_is_that_of_ffmpeg() -> None:
    path = SHARED / "video" / "ravdess_01-01-01-01-01-01-01.mp4"
    if not path.is_file():
        pytest.skip("no real video beside the project (../shared/data)")
    samples, remarks = _read(path)
    with av.open(str(path)) as container:
        planes = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    expected = librosa.resample(planes.mean(axis=0), orig_sr=48_000, target_sr=16_000, res_type="soxr_hq")
    assert remarks == () and len(samples) == len(expected)
    assert np.abs(samples - expected).max() <= 2 / 32768

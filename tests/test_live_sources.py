"""Frames from videos, pictures and cameras, and one clear line when there are none."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from threading import Event

import av
import cv2
import numpy as np
import pytest

from emocli.errors import EmoError
from emocli.live import sources
from emocli.live.frames import Frame

VIDEOS = Path(__file__).parents[2] / "shared/data/video"


OPEN_EACH = """
import sys
from emocli.errors import EmoError
from emocli.live import sources
for name in sys.argv[1:]:
    try:
        sources.named(name)
    except EmoError as fault:
        print(fault)
"""


def film(path: Path, count: int = 12, rate_hz: float = 10.0) -> Path:
    """A small MJPEG video whose frames grow brighter."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate_hz, (64, 48))
    for index in range(count):
        writer.write(np.full((48, 64, 3), index * 20, np.uint8))
    writer.release()
    return path


def recorded(path: Path, shade: int, count: int = 10) -> Path:
    """An MPEG transport stream of one shade of gray, whose times are in the stream."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width = stream.height = 96
        stream.pix_fmt = "yuv420p"
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((96, 96, 3), shade, np.uint8))))
        container.mux(stream.encode())
    return path


def timed(path: Path, times: list[float]) -> Path:
    """A film whose frames begin at these seconds; a player leaves out those before 0."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 96
        stream.codec_context.time_base = Fraction(1, 1000)
        noise = np.random.default_rng(0)
        for seconds in times:
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 256, (96, 96, 3), np.uint8))
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def all_of(source: sources.Source) -> list[Frame]:
    return list(source.frames)


def test_a_video_gives_every_frame_with_its_media_time(tmp_path: Path) -> None:
    source = sources.video(film(tmp_path / "film.avi"))
    frames = all_of(source)
    assert not source.live
    assert source.rate_hz == pytest.approx(10)
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx([index / 10 for index in range(12)])
    assert frames[3].pixels.shape == (48, 64, 3)
    assert [round(float(frame.pixels.mean()), -1) for frame in frames] == [index * 20 for index in range(12)]


def test_times_that_begin_again_in_the_middle_go_on_rising(tmp_path: Path) -> None:
    parts = [recorded(tmp_path / f"{shade}.ts", shade).read_bytes() for shade in (60, 180)]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    frames = all_of(sources.video(tmp_path / "joined.ts"))
    times = [frame.seconds for frame in frames]
    assert [round(float(frame.pixels.mean()), -1) for frame in frames] == [60] * 10 + [180] * 10
    assert np.diff(times) == pytest.approx(0.04, abs=1e-3)


@pytest.mark.parametrize("ends", [False, True])
def test_what_follows_a_damaged_place_is_played_and_what_is_missing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], ends: bool
) -> None:
    content = bytearray(film(tmp_path / "film.avi").read_bytes())
    pictures = [place for place in range(len(content)) if content.startswith(b"\xff\xd8\xff", place)]
    if ends:
        del content[pictures[8] :]
    else:
        content[pictures[4] : pictures[7]] = bytes(pictures[7] - pictures[4])
    (tmp_path / "damaged.avi").write_bytes(content)
    frames = all_of(sources.video(tmp_path / "damaged.avi"))
    assert len(frames) in (8, 9) and (ends or frames[-1].pixels.mean() > 200)
    assert f"it says that it has 12 frames, {len(frames)} could be read" in capfd.readouterr().err


def test_a_whole_film_is_nothing_to_speak_of(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(all_of(sources.video(film(tmp_path / "film.avi")))) == 12
    assert "damaged" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("trimmed.mp4", [-0.4 + index / 25 for index in range(25)]),
        ("slower.mkv", [0, 0.04, 0.08, *(0.5 * index for index in range(1, 9))]),
        ("later.mkv", [5 + index / 25 for index in range(25)]),
    ],
)
def test_a_film_of_which_a_part_is_left_out_or_that_is_uneven_or_begins_late_is_whole(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, times: list[float]
) -> None:
    path = timed(tmp_path / name, times)
    frames = all_of(sources.video(path))
    shown = [seconds for seconds in times if seconds >= 0]
    assert [frame.seconds for frame in frames] == pytest.approx([each - shown[0] for each in shown], abs=2e-3)
    assert "damaged" not in capfd.readouterr().err


def test_a_film_whose_sound_goes_on_after_its_pictures_is_whole(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with av.open(tmp_path / "longer.mkv", "w") as container:
        pictures, sound = container.add_stream("mpeg4", rate=25), container.add_stream("pcm_s16le", rate=8000)
        pictures.width = pictures.height = 32
        for _ in range(25):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(pictures.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), layout="mono")
        silence.rate = 8000
        container.mux([*sound.encode(silence), *sound.encode()])
    assert len(all_of(sources.video(tmp_path / "longer.mkv"))) == 25
    assert "damaged" not in capfd.readouterr().err


def test_a_film_that_is_cut_off_is_told_where_only_its_length_is_known(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = timed(tmp_path / "cut.mkv", [index / 25 for index in range(25)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    read = len(all_of(sources.video(path)))
    assert 10 < read < 20
    assert "cut.mkv is damaged or cut off" in capfd.readouterr().err


def test_names_that_are_no_utf_8_are_played(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9.avi")
    film(tmp_path / "film.avi").rename(place)
    assert len(all_of(sources.named(str(place)))) == 12
    still = place.with_suffix(".png")
    cv2.imwrite(str(tmp_path / "still.png"), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "still.png").rename(still)
    assert len(all_of(sources.named(str(still)))) == 1


def test_colours_are_rgb(tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 2] = 255  # as OpenCV writes it
    cv2.imwrite(str(tmp_path / "red.png"), red)
    (frame,) = all_of(sources.named(str(tmp_path / "red.png")))
    assert frame.pixels[0, 0].tolist() == [255, 0, 0]
    assert frame.seconds is None


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_film_is_shown_as_it_says_turned_and_mirrored(tmp_path: Path, quarters: int, mirrored: bool) -> None:
    corners = np.array([[0, 80], [160, 240]], np.uint8)
    with av.open(str(tmp_path / "selfie.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 96, 64
        stream.set_display_rotation(90 * quarters, hflip=mirrored)
        pixels = np.repeat(corners.repeat(32, 0).repeat(48, 1)[..., None], 3, axis=2)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    (frame,) = all_of(sources.video(tmp_path / "selfie.mp4"))
    shown = np.rot90(corners, quarters)
    height, width, _ = frame.pixels.shape
    seen = frame.pixels[height // 4 :: height // 2, width // 4 :: width // 2, 0]
    np.testing.assert_allclose(seen, np.fliplr(shown) if mirrored else shown, atol=8)


def test_realtime_makes_a_file_live(tmp_path: Path) -> None:
    source = sources.video(film(tmp_path / "film.avi", count=2, rate_hz=100), realtime=True)
    assert source.live
    assert len(all_of(source)) == 2


def test_a_video_is_known_by_its_content(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi").rename(tmp_path / "film.bin")
    assert len(all_of(sources.named(str(path)))) == 12


def moving(path: Path) -> Path:
    """A picture file of three pictures."""
    pictures = cv2.Animation()
    pictures.frames = [np.full((48, 64, 3), shade, np.uint8) for shade in (0, 100, 200)]
    pictures.durations = [200, 500, 200]
    cv2.imwriteanimation(str(path), pictures)
    return path


def test_of_a_picture_that_moves_and_can_not_be_played_it_is_said_that_the_first_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = all_of(sources.named(str(moving(tmp_path / "moving.webp"))))
    assert [frame.seconds for frame in frames] == [None]
    assert capsys.readouterr().err.startswith("emo: moving.webp has several pictures, of which the first is taken")


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_a_picture_file_of_several_is_a_film_and_one_of_a_single_picture_is_none(tmp_path: Path, suffix: str) -> None:
    cv2.imwrite(str(tmp_path / f"still.{suffix}"), np.zeros((48, 64, 3), np.uint8))
    frames = all_of(sources.named(str(moving(tmp_path / f"moving.{suffix}"))))
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.2, 0.7])
    assert [round(float(frame.pixels.mean()), -1) for frame in frames] == [0, 100, 200]
    assert [frame.seconds for frame in all_of(sources.named(str(tmp_path / f"still.{suffix}")))] == [None]


@pytest.mark.parametrize("name", ["pictures", "pictures/*.png"])
def test_folders_and_globs_come_in_sorted_order(tmp_path: Path, name: str) -> None:
    (tmp_path / "pictures").mkdir()
    for value in (3, 1, 2):
        cv2.imwrite(str(tmp_path / f"pictures/{value}.png"), np.full((8, 8, 3), value, np.uint8))
    frames = all_of(sources.named(str(tmp_path / name)))
    assert [int(frame.pixels[0, 0, 0]) for frame in frames] == [1, 2, 3]


def test_a_picture_that_is_none_is_left_out_of_a_folder_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("1.png", "3.png"):
        (tmp_path / name).write_bytes(b"no picture")
    for name in ("2.png", "4.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    assert [frame.index for frame in all_of(sources.named(str(tmp_path)))] == [0, 1]
    assert capsys.readouterr().err.count("left out") == 2
    with pytest.raises(EmoError, match=r"1\.png holds no video"):
        sources.named(str(tmp_path / "1.png"))


def test_what_can_t_be_played_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film\n")
    (tmp_path / "empty.avi").touch()
    (tmp_path / "cut.avi").write_bytes(film(tmp_path / "film.avi").read_bytes()[:300])
    (tmp_path / "empty").mkdir()
    names = ("missing.mp4", "text.mp4", "empty.avi", "cut.avi", "empty", "*.webm", "film_%d.avi")
    # in a process of its own: FFmpeg asks only once how much it may say
    ended = subprocess.run(
        [sys.executable, "-c", OPEN_EACH, *(str(tmp_path / name) for name in names)], capture_output=True, text=True
    )
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert len(lines) == len(names)
    assert all(name in line and "; " in line for name, line in zip(names, lines, strict=True))


@pytest.mark.skipif(Path("/dev/video77").exists(), reason="there is a camera 77")
def test_a_camera_that_is_not_there_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EmoError, match="camera 77 can't be opened"):
        sources.camera(77)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not VIDEOS.exists(), reason="no ../shared/data/video")
def test_times_of_real_videos_rise_even_at_a_variable_frame_rate() -> None:
    for name in ("noface_face.mov", "single_face.mp4", "bbaf2n.mpg"):
        source = sources.video(VIDEOS / name)
        times = [frame.seconds for frame, _ in zip(source.frames, range(20), strict=False)]
        source.frames.close()
        assert times == sorted(set(times), key=float)
        assert times[0] == 0


def test_who_waits_for_the_next_frame_of_a_file_can_be_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = []

    class Over(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            return True

    monkeypatch.setattr(sources, "Event", Over)
    assert len(all_of(sources.video(film(tmp_path / "slides.avi", count=3, rate_hz=1), realtime=True))) == 3
    assert len(waited) == 2

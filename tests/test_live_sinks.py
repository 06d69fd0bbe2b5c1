"""What comes out of a live session: lines, films, pictures."""

import io
import json
import math
import os
import signal
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from conftest import Run

from emocli.errors import EmoError
from emocli.live import interrupt, recording, sinks, smoothing, sources
from emocli.live.drawing import annotated
from emocli.live.frames import Frame, Result
from emocli.serving.prediction import FaceRecord

FACE: FaceRecord = {
    "box": [30.0, 20.0, 40.0, 50.0],
    "score": 0.9,
    "label": "happy",
    "probability": 0.75,
    "probabilities": {"sad": 0.25, "happy": 0.75},
}


def result(index: int, seconds: float | None, faces: list[FaceRecord] | None = None) -> Result:
    pixels = np.full((120, 160, 3), 60, np.uint8)
    return Result(Frame(index, seconds, pixels), [FACE] if faces is None else faces, 0.012, 25.0)


def frames_in(path: Path) -> int:
    return len(list(sources.video(path).frames))


def test_a_line_per_frame_holds_its_number_time_and_faces() -> None:
    stream = io.StringIO()
    write = sinks.line_each(stream)
    write(result(7, 0.28))
    write(result(8, None, []))
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == {"frame": 7, "seconds": 0.28, "faces": [FACE]}
    assert second == {"frame": 8, "seconds": None, "faces": []}


def test_people_read_when_and_what() -> None:
    stream = io.StringIO()
    write = sinks.line_each(stream, people=True)
    write(result(7, 0.28, [FACE, FACE]))
    write(result(8, None, []))
    assert [line.split() for line in stream.getvalue().splitlines()] == [
        ["0.3", "s", *f"{FACE['label']} {FACE['probability']:.0%}, {FACE['label']} {FACE['probability']:.0%}".split()],
        ["8", "–"],
    ]


def test_lines_are_flushed_and_a_reader_that_went_away_is_told() -> None:
    reader, writer = os.pipe()
    with open(writer, "w") as stream:
        write = sinks.line_each(stream)
        write(result(0, 0.0, []))
        assert json.loads(os.read(reader, 1000)) == {"frame": 0, "seconds": 0.0, "faces": []}
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            write(result(1, 0.04, []))
        # what could not be written is thrown away, or closing the stream would raise again
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)


def test_drawing_leaves_the_frame_itself_as_it_was() -> None:
    one = result(0, 0.0)
    picture = annotated(one)
    assert picture.shape == one.frame.pixels.shape
    assert (one.frame.pixels == 60).all()
    assert (picture[20, 30:70] != 60).any()


def test_boxes_over_the_border_and_tiny_pictures_can_be_drawn() -> None:
    face: FaceRecord = {**FACE, "box": [-20.0, -5.0, 900.0, 900.0], "track": 3}
    for shape in ((120, 160, 3), (8, 8, 3)):
        annotated(Result(Frame(0, 0.0, np.zeros(shape, np.uint8)), [face], 0.01, 25.0))


@pytest.mark.parametrize("name", ["film.mp4", "film.avi"])
def test_a_saved_film_lasts_as_long_as_what_it_shows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with recording.video_file(path, 25.0, force=False) as write:
        for index in (0, 1, 2, 5, 6, 10):  # four were dropped after 2 and 6
            write(result(index, index / 25))
    assert frames_in(path) == 11
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_film_begins_with_its_first_frame_and_a_pause_of_minutes_is_cut(tmp_path: Path) -> None:
    with recording.video_file(tmp_path / "film.avi", 25.0, force=False) as write:
        for index in (0, 1, 20_000, 20_001, 20_003):  # one was dropped before the last
            write(result(index, 7 + index / 25))
    assert frames_in(tmp_path / "film.avi") == 6


def test_a_film_may_have_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    with recording.video_file(path, 25.0, force=False) as write:
        write(result(0, seconds=0.0))
    assert path.stat().st_size > 0


def test_pictures_without_a_time_follow_each_other_in_the_first_one_s_size(tmp_path: Path) -> None:
    with recording.video_file(tmp_path / "film.avi", 25.0, force=False) as write:
        write(result(0, None))
        write(Result(Frame(1, None, np.zeros((60, 90, 3), np.uint8)), []))
    assert frames_in(tmp_path / "film.avi") == 2


def test_a_failed_session_leaves_no_film(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    with pytest.raises(ZeroDivisionError), recording.video_file(path, 25.0, force=False) as write:
        write(result(0, 0.0))
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_an_existing_film_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    path.write_text("mine")
    with pytest.raises(EmoError, match="--force"), recording.video_file(path, 25.0, force=False):
        pass
    assert path.read_text() == "mine"
    with recording.video_file(path, 25.0, force=True) as write:
        write(result(0, 0.0))
    assert frames_in(path) == 1


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi"])
def test_a_film_that_a_full_disk_breaks_off_is_one_line_and_no_file(shell: Run, name: str) -> None:
    noise = "numpy.random.default_rng(0).integers(0, 256, (240, 320, 3), numpy.uint8)"
    shell(f"mkdir pictures; python -c \"import cv2, numpy; cv2.imwrite('pictures/0.png', {noise})\"").check_returncode()
    shell("for i in {1..30}; do cp pictures/0.png pictures/$i.png; done").check_returncode()
    limit = "ulimit -f 128; trap '' XFSZ"
    done = shell(f"{limit}; emo live -m fer2013-int8 --source pictures --detector none --save-video {name} > out")
    assert done.returncode == 1
    assert b"is the disk full?" in done.stderr.splitlines()[-1]
    assert shell("ls").stdout.split() == [b"out", b"pictures"]


def test_unknown_endings_and_empty_sessions_are_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(EmoError, match=r"use one of \.mp4"),
        recording.video_file(tmp_path / "film.doc", 25, force=False),
    ):
        pass
    with pytest.raises(EmoError, match="no frame came"), recording.video_file(tmp_path / "a.avi", 25, force=False):
        pass
    assert not list(tmp_path.iterdir())


def test_every_sink_sees_every_result_in_order() -> None:
    seen: list[str] = []
    both = sinks.all_of(lambda one: seen.append(f"a{one.frame.index}"), lambda one: seen.append(f"b{one.frame.index}"))
    both(result(0, 0.0))
    both(result(1, 0.1))
    assert seen == ["a0", "b0", "a1", "b1"]


def test_smoothing_marks_tracks_and_leaves_pictures_alone() -> None:
    seen: list[Result] = []
    smooth = sinks.smoothed(seen.append, 0.5)
    smooth(result(0, 0.0))
    smooth(result(1, None))
    assert seen[0].faces[0]["track"] == 0
    assert seen[1].faces == [FACE]


def test_a_voice_is_smoothed_by_the_time_since_its_last_answer() -> None:
    smoother = smoothing.Smoother(0.5)
    low, high = ({"probabilities": {"low": 1.0 - share, "high": share}} for share in (0.0, 1.0))
    assert smoother.update(7.0, low)["label"] == "low"
    found = smoother.update(7.5, high)["probabilities"]["high"]
    assert found == pytest.approx(1 - math.exp(-1), abs=1e-4)
    # from what was smoothed, not from what was said
    assert smoother.update(8.0, high)["probabilities"]["high"] == pytest.approx(1 - math.exp(-2), abs=1e-4)
    assert smoothing.blend(low["probabilities"], high["probabilities"], 0.5, 0.0) == high["probabilities"]


def test_an_hour_of_small_steps_goes_all_the_way() -> None:
    chances = {"happy": 1.0, "sad": 0.0}
    smoothing.check(3600.0)
    for _ in range(30 * 3600):
        chances = smoothing.blend(chances, {"happy": 0.0, "sad": 1.0}, 1 / 30, 3600.0)
    assert chances["happy"] == pytest.approx(math.exp(-1), abs=1e-6)


@pytest.mark.parametrize("seconds", [-1.0, 3601.0, float("nan")])
def test_what_is_no_time_to_average_over_is_refused(seconds: float) -> None:
    with pytest.raises(EmoError, match="--smooth"):
        smoothing.check(seconds)


def test_the_first_ctrl_c_ends_the_session_and_the_second_one_the_command() -> None:
    # a process started in the background by a shell inherits SIGINT ignored, the test run too
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stop = Event()
    with interrupt.ended_by_interrupt(stop) as interrupted:
        assert not interrupted.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        assert interrupted.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_film_that_is_watched_is_not_replaced_by_what_is_shown_of_it(emo: Run, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"somebody's")
    for name in (film, tmp_path / ".." / tmp_path.name / "film.mp4"):
        done = emo("live", "--source", film, "--save-video", name, "--force", "--no-window")
        assert done.returncode == 1 and b"is the film that is watched; give it another name" in done.stderr
    assert film.read_bytes() == b"somebody's"

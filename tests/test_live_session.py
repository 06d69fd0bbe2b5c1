"""A whole live session: the same faces as in batch, on a file, a film and a window."""

import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import cv2
import numpy as np
import pytest
from small_model import write_model

from emocli.errors import EmoError
from emocli.live import pipeline, session, sources
from emocli.live.frames import Frame, Frames
from emocli.live.sources import Source
from emocli.live.window import can_show
from emocli.serving.prediction import Predictor, predictor

FRAMES = 20
CLOSE = str(Path(__file__).with_name("close_window.py"))


@pytest.fixture(scope="module")
def predict(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    model = write_model(tmp_path_factory.mktemp("model") / "model.onnx")
    return predictor(model, detector="haar", note=lambda text: None)


def first(source: Source, count: int) -> Source:
    """The first frames of a source."""

    def some() -> Frames:
        try:
            yield from itertools.islice(source.frames, count)
        finally:
            source.frames.close()

    return Source(source.name, some(), source.rate_hz, source.live)


def watched(source: Source, predict: Predictor, **options: Any) -> list[dict[str, Any]]:
    """The records that a session prints."""
    stream = io.StringIO()
    session.watch(source, predict, stop=Event(), lines=stream, **options)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("name", ["single_face.mp4", "face_noface.mov", "noface_face.mov", "bbaf2n.mpg"])
def test_live_gives_what_batch_gives_on_the_same_frames(predict: Predictor, corpora: Path, name: str) -> None:
    path = corpora / "video" / name
    live = watched(first(sources.video(path), FRAMES), predict)
    batch = list(first(sources.video(path), FRAMES).frames)
    assert len(live) == len(batch) == FRAMES
    for record, frame in zip(live, batch, strict=True):
        assert record["frame"] == frame.index
        assert record["faces"] == predict(frame.pixels)
    if not name.startswith("noface"):
        assert any(record["faces"] for record in live)


def test_a_session_is_the_same_every_time(predict: Predictor, corpora: Path) -> None:
    path = corpora / "video/single_face.mp4"
    assert watched(first(sources.video(path), 5), predict) == watched(first(sources.video(path), 5), predict)


def test_frames_saved_as_pictures_give_the_same_faces(predict: Predictor, corpora: Path, tmp_path: Path) -> None:
    frames = list(first(sources.video(corpora / "video/single_face.mp4"), 3).frames)
    for frame in frames:
        cv2.imwrite(str(tmp_path / f"{frame.index}.png"), cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR))
    records = watched(sources.named(str(tmp_path)), predict)
    assert [record["faces"] for record in records] == [predict(frame.pixels) for frame in frames]


def test_smoothing_follows_the_face(predict: Predictor, corpora: Path) -> None:
    source = first(sources.video(corpora / "video/single_face.mp4"), 5)
    assert {face["track"] for record in watched(source, predict, smooth_seconds=0.5) for face in record["faces"]} == {0}


def test_a_film_is_written_beside_the_lines(predict: Predictor, corpora: Path, tmp_path: Path) -> None:
    source = first(sources.video(corpora / "video/single_face.mp4"), 5)
    film = tmp_path / "film.mp4"
    assert len(watched(source, predict, save_video=film)) == 5
    assert len(list(sources.video(film).frames)) == 5


def test_an_output_that_can_t_be_written_fails_before_the_first_frame(predict: Predictor, tmp_path: Path) -> None:
    read = []

    def frames() -> Frames:
        read.append(0)
        yield Frame(0, 0.0, np.zeros((48, 48, 3), np.uint8))

    with pytest.raises(EmoError, match="no folder"):
        watched(Source("frames", frames(), 25.0, False), predict, save_video=tmp_path / "no/film.mp4")
    assert not read


def test_a_second_ctrl_c_leaves_a_camera_that_hangs(predict: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    unplugged, stop = Event(), Event()

    def frames() -> Frames:
        stop.set()
        unplugged.wait()
        yield Frame(0, 0.0, np.zeros((48, 48, 3), np.uint8))

    def interrupted(thread: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.watch(Source("camera", frames(), 25.0, live=True), predict, stop=stop)
    unplugged.set()


INTERRUPTED = """
import os, signal, sys
import cv2
import numpy as np
from emocli.main import main

class Camera:
    def __init__(self, *how):
        self.asked = 0
    def read(self):
        self.asked += 1
        if self.asked == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return True, np.zeros((48, 48, 3), np.uint8)
    def get(self, what):
        return 25.0
    def set(self, what, value):
        return True
    def release(self):
        pass

signal.signal(signal.SIGINT, signal.default_int_handler)
cv2.VideoCapture = Camera
sys.exit(main())
"""


def test_ctrl_c_before_the_first_frame_is_an_interrupt_and_tells_that_nothing_was_saved(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.onnx")
    words = ["live", "--model", model, "--detector", "none", "--save-video", "film.mp4"]
    command = [sys.executable, "-c", INTERRUPTED, *map(str, words)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 130
    assert done.stderr == b"emo: no frame came, so film.mp4 was not written\n" and not done.stdout


def test_without_a_display_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not can_show()
    monkeypatch.setenv("DISPLAY", ":7654")  # set, but nobody answers: Qt would abort
    assert not can_show()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A display of its own."""
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("no Xvfb and xdotool to open a window on")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with open(reader) as stream:
        monkeypatch.setenv("DISPLAY", f":{stream.readline().strip()}")
    yield
    server.terminate()
    server.wait()


SHOW = """
import itertools, sys
from pathlib import Path
from threading import Event
import numpy as np
from emocli.live import session
from emocli.live.frames import Frame
from emocli.live.sources import Source
from emocli.live.window import can_show
from emocli.serving.prediction import Predictor
def frames():
    for index in itertools.count() if sys.argv[1] == "film" else [0]:
        yield Frame(index, index / 25 if sys.argv[1] == "film" else None, np.full((240, 320, 3), 90, np.uint8))
assert can_show()
predict = Predictor("none", lambda pixels: [], lambda pixels, faces: [], lambda pixels, faces: None)
stats = session.watch(Source(sys.argv[1], frames(), 25.0, False), predict, stop=Event(), window=True)
print(stats.processed > 0)
"""


@pytest.mark.parametrize("way", [("xdotool", "windowfocus", "{}", "key", "q"), (sys.executable, CLOSE, "{}")])
@pytest.mark.parametrize("what", ["film", "picture"])
def test_a_window_is_there_until_q_or_until_it_is_closed(screen: None, way: tuple[str, ...], what: str) -> None:
    find = ["xdotool", "search", "--sync", "--onlyvisible", "--name", f"emo live: {what}"]
    with subprocess.Popen([sys.executable, "-c", SHOW, what], stdout=subprocess.PIPE, text=True) as shown:
        try:
            # the search itself fails when another window goes while it looks
            while not (found := subprocess.run(find, timeout=60, capture_output=True, text=True).stdout.split()):
                assert shown.poll() is None
            window = found[0]
            subprocess.run([word.format(window) for word in way], timeout=60, check=True)
            assert shown.communicate(timeout=60)[0] == "True\n"
        finally:
            shown.kill()
    assert shown.returncode == 0

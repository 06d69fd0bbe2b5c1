"""What is drawn in letters: names that OpenCV can't write are readable all the same, and none is cut without a word."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emocli.image import lettering
from emocli.live.drawing import annotated
from emocli.live.frames import Frame, Result
from emocli.scores import plotting
from emocli.serving.prediction import FaceRecord

TITLE = "validation part, n = 3589, accuracy 65.0%"


def plotted(path: Path, *names: str, title: str = TITLE) -> NDArray[np.uint8]:
    """Return the picture of a confusion matrix, (h, w, 3)."""
    plotting.confusion(np.eye(len(names)), names, title, path / "cm.png")
    return np.asarray(cv2.imread(str(path / "cm.png")), np.uint8)


def live(label: str) -> NDArray[np.uint8]:
    """Return a frame with one face of that label."""
    box = [40.0, 60.0, 200.0, 200.0]
    face: FaceRecord = {"box": box, "label": label, "probability": 0.75, "probabilities": {label: 0.75}, "track": 2}
    return annotated(Result(Frame(0, 0.0, np.zeros((300, 300, 3), np.uint8)), [face]))


@pytest.mark.parametrize(
    ("name", "written"),
    [("wütend", "wutend"), ("日本", "<65e5><672c>"), ("Spaß", "Spass"), ("x" * 99, "x" * 29 + "...")],
)
def test_names_are_written_in_letters_that_opencv_has(name: str, written: str) -> None:
    assert lettering.written(name) == written


def test_a_plot_and_a_live_picture_write_names_in_these_letters(tmp_path: Path) -> None:
    assert np.array_equal(plotted(tmp_path, "wütend", "日本"), plotted(tmp_path, "wutend", "<65e5><672c>"))
    assert np.array_equal(live("wütend"), live("wutend"))
    assert not np.array_equal(live("日本"), live("中国"))


def test_a_plot_has_room_for_its_title_with_two_classes(tmp_path: Path) -> None:
    picture = plotted(tmp_path, "a", "b")
    ink = np.flatnonzero((picture[:30] < 128).any(axis=(0, 2)))
    assert picture.shape[1] - 30 < ink[-1] < picture.shape[1] - 2


def test_classes_that_begin_alike_do_not_look_alike_in_a_plot(tmp_path: Path) -> None:
    names = "sad with tears in the eyes", "sad without any tears"
    two, same = plotted(tmp_path, *names), plotted(tmp_path, *names[:1] * 2)
    assert not np.array_equal(two[:70], same[:70]), "the names across"
    assert not np.array_equal(two[70:], same[70:]), "the names down"

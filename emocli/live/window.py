"""A window that shows results as they come."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import cv2

from emocli.live.drawing import annotated
from emocli.live.frames import Result
from emocli.live.sinks import Sink

QUIT_KEYS = (ord("q"), 27)


def can_show() -> bool:
    """Tell whether a window can be opened here."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    # Qt aborts the whole process when the display does not answer, so a child asks first
    program = "import cv2; cv2.namedWindow('emo'); cv2.waitKey(1)"
    try:
        asked = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


@contextmanager
def window(title: str, stop: Event) -> Iterator[Sink]:
    """Give a sink that shows results in a window; q, Esc or closing the window sets `stop`.

    A picture, which has no time of its own, stays until then; a film closes its window at its end.
    """
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    sized = still = False

    def show(result: Result) -> None:
        nonlocal sized, still
        picture, still = annotated(result), result.frame.seconds is None
        if not sized:
            cv2.resizeWindow(title, picture.shape[1], picture.shape[0])
            sized = True
        cv2.imshow(title, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        look(1)

    def look(milliseconds: int) -> None:
        if cv2.waitKey(milliseconds) & 0xFF in QUIT_KEYS or not _is_open(title):
            stop.set()

    try:
        yield show
        while still and not stop.is_set():
            look(50)
    finally:
        cv2.destroyAllWindows()


def _is_open(title: str) -> bool:
    try:
        return bool(cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1)
    except cv2.error:  # with its last window Qt itself goes
        return False

"""Time for live work: a file played at its own pace, and the rate at which frames come out."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import closing

from emocli.live.frames import Frames


def paced(
    frames: Frames,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Frames:
    """Yield each frame no sooner than its media time, counted from the first one; a late frame comes at once."""
    start: float | None = None
    with closing(frames):
        for frame in frames:
            seconds = frame.seconds or 0.0
            start = now() - seconds if start is None else start
            if (early := start + seconds - now()) > 0:
                sleep(early)
            yield frame


class Rate:
    """Events per second over the last `window` of them."""

    def __init__(self, window: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=window)

    def tick(self, now: float) -> float:
        """Note an event at `now` seconds and return the rate in Hz; 0 until there are two."""
        self._times.append(now)
        spent = now - self._times[0]
        return (len(self._times) - 1) / spent if spent > 0 else 0.0

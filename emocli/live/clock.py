"""Time for live work: a file played at its own pace, and the rate at which its pieces come out."""

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

Piece = TypeVar("Piece")


def paced(
    pieces: Generator[Piece, None, None],
    due: Callable[[Piece], float],
    begin: float | None = None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Generator[Piece, None, None]:
    """Yield each piece no sooner than its media time `due`, in seconds; a late one comes at once.

    Playing begins with the call for the first one, at the media time `begin`, which is the first one's own by default.
    """
    start = None if begin is None else now() - begin
    with closing(pieces):
        for piece in pieces:
            start = now() - due(piece) if start is None else start
            if (early := start + due(piece) - now()) > 0:
                sleep(early)
            yield piece


class Rate:
    """Events per second over the last `window` of them."""

    def __init__(self, window: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=window)

    def tick(self, now: float) -> float:
        """Note an event at `now` seconds and return the rate in Hz; 0 until there are two."""
        self._times.append(now)
        spent = now - self._times[0]
        return (len(self._times) - 1) / spent if spent > 0 else 0.0

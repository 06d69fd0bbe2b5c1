"""A voice followed by a model that keeps its state: every answer costs the new frames alone."""

from collections import deque
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emocli.sound.framewise import Framewise, Rows
from emocli.sound.sounds import RATE_HZ, Sound
from emocli.sound.streaming import Stream

_PIECE_SECONDS = 0.5
"""Of a longer piece the model answers in turn, as what is too old is forgotten by whole answers."""


class Carries(Protocol):
    """An engine that was loaded to carry states: each run goes on where the one before ended."""

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]: ...

    def begin(self) -> None: ...


class Carrier:
    """The logits of one sound that arrives in pieces of any length, for a model whose header calls it causal.

    Those of a whole sound are those of the clip. Where it goes on, they are of its last `seconds`, while the state is
    that since it began.
    """

    def __init__(self, engine: Carries, extractor: Framewise, frames: int, seconds: float) -> None:
        """`frames` is how many the model takes as one. Raises EmoError for an extractor that can't stream."""
        self._engine, self._extractor, self._frames = engine, extractor, frames
        a_second = RATE_HZ / extractor.framing.hop / frames
        self._most, self._at_once = (max(1, round(each * a_second)) for each in (seconds, _PIECE_SECONDS))
        self.begin()

    def begin(self) -> None:
        """Forget what was heard: another sound begins."""
        self._engine.begin()
        self._stream = Stream(self._extractor)
        self._left: Rows | None = None
        self._pieces: deque[tuple[int, NDArray[np.float64]]] = deque()
        self._groups = 0

    def push(self, samples: Sound) -> None:
        """Take the next samples (n,) float32 at 16 kHz."""
        self._take(self._stream.push(samples), last=False)

    def finish(self) -> None:
        """End the sound: what waited for more is heard."""
        self._take(self._stream.finish(), last=True)

    def logits(self) -> NDArray[np.float64] | None:
        """Return (classes,) of what was heard, None while that is too little."""
        if not self._pieces:
            return None
        total: NDArray[np.float64] = np.sum([count * each for count, each in self._pieces], axis=0)
        return total / self._groups

    def _take(self, rows: Rows | None, *, last: bool) -> None:
        rows = rows if self._left is None else self._left if rows is None else np.concatenate([self._left, rows])
        if rows is None:
            return
        whole = len(rows) if last else len(rows) // self._frames * self._frames
        self._left = rows[whole:]
        size = self._at_once * self._frames
        for begin in range(0, whole, size):
            self._hear(rows[begin : min(begin + size, whole)])

    def _hear(self, rows: Rows) -> None:
        logits = self._engine.run(rows[None])["logits"][0].astype(np.float64)
        groups = -(-len(rows) // self._frames)
        self._pieces.append((groups, logits))
        self._groups += groups
        while self._groups - self._pieces[0][0] >= self._most:
            self._groups -= self._pieces.popleft()[0]

"""What an INT8 model must show before it replaces its FP32 model: it is as good on the validation part, and faster."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import benchmark
from emocli.data import padding
from emocli.engines._engine import Engine
from emocli.errors import EmoError
from emocli.scores import share_interval
from emocli.scores.metrics import softmax

_LITTLE = 0.1
"""Share of weights in FP32 that is not worth a word."""


Logits = Callable[[NDArray[Any]], NDArray[Any]]
"""Of a batch of inputs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """FP32 against INT8, on the same inputs, one after the other."""

    accuracy_fp32: float
    accuracy_int8: float
    """Shares from 0 to 1 on the validation part."""
    n: int
    speedup: float
    """How many times faster INT8 runs one input here."""
    in_float: float = 0.0
    """Share of the INT8 model's weights that stay FP32, as those of an LSTM do."""
    accuracy_stored: float | None = None
    """INT8 with the codes as the file has them, where that was asked: emo's engine goes on to twice the range."""
    met: str = ""
    """What of the validation rows the model has learned from, in words."""

    @property
    def worst(self) -> float:
        """Return the lesser accuracy of INT8."""
        return self.accuracy_int8 if self.accuracy_stored is None else min(self.accuracy_int8, self.accuracy_stored)

    @property
    def drop(self) -> float:
        """Return the loss of accuracy in percentage points, the larger one; negative where INT8 is better."""
        # 0.65 less 0.64 is a little more than 0.01 in binary: a point lost is no more than a point
        return round(100 * (self.accuracy_fp32 - self.worst), 9)

    def __str__(self) -> str:
        scores = " -> ".join(share_interval.told(share, self.n) for share in (self.accuracy_fp32, self.accuracy_int8))
        stored = self.accuracy_stored
        if stored not in (None, self.accuracy_int8):
            scores += f", {share_interval.told(stored, self.n)} as TensorRT runs it"
        speed = f"{self.speedup:.2f} x as fast on one thread{self._kept(', ')}"
        met = f"; the model has learned from {self.met}" if self.met else ""
        return f"against FP32: validation accuracy {scores} (n = {self.n}{met}), {speed}"

    def failure(self, *, max_drop: float = 1.0, min_speedup: float = 1.0) -> str:
        """Return why the INT8 model is refused, and what to do; empty when it passes. NaN as a bound allows nothing."""
        if not self.drop <= max_drop:
            where = "" if self.worst == self.accuracy_int8 else " as TensorRT runs it"
            return (
                f"INT8{where} loses {self.drop:.2f} points on {self.n} validation rows, --max-drop allows "
                f"{max_drop:g}; try the other --method, more --calibration rows, or --exclude for what is sensitive"
            )
        if not self.speedup > min_speedup:
            return (
                f"INT8 runs {self.speedup:.2f} x as fast as FP32 here, --min-speedup asks for more than "
                f"{min_speedup:g}{self._kept('; ')}; keep FP32, or give --min-speedup 0 for another device"
            )
        return ""

    def _kept(self, before: str) -> str:
        """Return how much is not INT8 at all, after `before`; empty where that is little."""
        return f"{before}{self.in_float:.0%} of its weights stay FP32" if self.in_float > _LITTLE else ""


def judge(
    fp32: Engine,
    int8: Engine,
    batches: Iterable[tuple[NDArray[Any], NDArray[np.int64]]],
    *,
    stored: Logits | None = None,
    seconds: float = 1.0,
) -> Verdict:
    """Return how INT8 compares to FP32 on `batches` of inputs and class indices, read once in a stream.

    `stored` gives the logits of the INT8 model as its file has it, where it is to be judged so too. Speed is the median
    ratio over pairs of runs of one input, for `seconds`. Raises EmoError without a labelled row.
    """
    answers = [lambda x: fp32.run(x)["logits"], lambda x: int8.run(x)["logits"], *([stored] if stored else [])]
    hits, count = np.zeros(len(answers), dtype=np.int64), 0
    sample: NDArray[Any] | None = None
    for x, y in batches:
        known = y >= 0
        sample = padding.first(x) if sample is None and len(x) else sample
        guesses = [softmax(logits(x)).argmax(axis=1) for logits in answers]
        hits += [int((guess == y)[known].sum()) for guess in guesses]
        count += int(known.sum())
    if sample is None or count == 0:
        raise EmoError("there are no labelled validation rows to judge INT8 by; give --data with a validation part")
    speedup = benchmark.compare(fp32, int8, sample, seconds=seconds)["ratio"]
    of_fp32, of_int8, *of_stored = (hit / count for hit in hits.tolist())
    return Verdict(of_fp32, of_int8, count, speedup, accuracy_stored=of_stored[0] if of_stored else None)

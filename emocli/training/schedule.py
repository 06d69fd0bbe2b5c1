"""The learning rate over a run."""

import math

from emocli.errors import EmoError

SCHEDULES = ("cosine", "restarts", "constant")


def factor(epoch: float, epochs: float, *, schedule: str, warmup: float, cycle: float) -> float:
    """Return the share of the highest learning rate at a fraction of an epoch, 0 <= epoch <= epochs.

    A linear warm-up, then half a cosine to 0, cosines of `cycle` epochs each (Loshchilov and Hutter 2017), or 1.
    """
    if schedule not in SCHEDULES:
        raise EmoError(f"--schedule {schedule} is none of {', '.join(SCHEDULES)}")
    # A short run still needs most of its time after the warm-up.
    warmup = min(warmup, epochs / 5)
    if epoch < warmup:
        return epoch / warmup
    if schedule == "constant":
        return 1.0
    span = epochs - warmup if schedule == "cosine" else max(cycle, 1e-9)
    share = (epoch - warmup) / max(span, 1e-9)
    return 0.5 * (1 + math.cos(math.pi * (share if schedule == "cosine" else share % 1)))

"""The cores that this process may use: fewer than the machine has in a container or under taskset."""

import os


def count() -> int:
    """Return how many there are, 1 where the system can't say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def taken(threads: int) -> int:
    """Return how many a run with `--threads` takes: as many as it was told, or for 0 all that there are."""
    return threads or count()

"""Which of several processes this is: torchrun starts one command several times and numbers them in the environment."""

import os


def number() -> int:
    """Return this process's number among all, from 0; 0 where it is alone."""
    return _of("RANK", 0)


def count() -> int:
    """Return how many processes share the work, on all machines."""
    return _of("WORLD_SIZE", 1)


def is_first() -> bool:
    """Say whether this is the one process that speaks and writes."""
    return number() == 0


def local_number() -> int:
    """Return this process's number on this machine, which is that of its GPU."""
    return _of("LOCAL_RANK", 0)


def local_count() -> int:
    """Return how many of the processes are on this machine: they share its cores, its GPUs and one stdin."""
    return _of("LOCAL_WORLD_SIZE", 1)


def _of(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else default

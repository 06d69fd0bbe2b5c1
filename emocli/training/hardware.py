"""What a run computes on: the CPU or a GPU, never another than was asked for."""

import torch

from emocli import cores, ranks
from emocli.errors import EmoError


def choose(name: str) -> torch.device:
    """Return the device of --device for this process; raises EmoError for a GPU that is asked for and not there."""
    return pick(name, torch.cuda.device_count() if torch.cuda.is_available() else 0)


def pick(name: str, gpus: int) -> torch.device:
    """Return the device where there are so many GPUs; each process on this machine has one of its own."""
    if name == "cuda" and not gpus:
        raise EmoError("there is no GPU that torch can use here; use --device cpu, and see: emo doctor")
    if name == "cpu" or not gpus:
        return torch.device("cpu")
    if ranks.local_count() > gpus:
        raise EmoError(
            f"{ranks.local_count()} processes here want a GPU each and there {'is' if gpus == 1 else 'are'} {gpus}; "
            f"use --nproc-per-node {gpus}, or --device cpu"
        )
    return torch.device("cuda", ranks.local_number())


def threads(asked: int) -> int:
    """Return how many threads a process has: as many as asked for, or for 0 its share of the cores."""
    return asked or max(1, cores.count() // ranks.local_count())


def describe(device: torch.device) -> str:
    """Return what people call the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    count = torch.get_num_threads()
    return f"the CPU with {count} thread{'s' * (count > 1)}"

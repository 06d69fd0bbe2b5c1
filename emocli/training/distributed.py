"""Several processes train one net: each takes its share of a batch, and what they found is averaged.

Data-parallel training as in Li et al. 2020 (arXiv 2006.15704), but without a wrapper around the net: after the backward
pass gradients and running statistics go through one sum over all processes. So weights keep their names, any output of
the net may have a loss, and the processes hold the same numbers after each step. BatchNorm normalises each process's
share by itself, on CPU and GPU alike (Goyal et al. 2017, arXiv 1706.02677).
"""

import atexit
import io
import os
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from emocli import ranks
from emocli.errors import EmoError

_PATIENCE = timedelta(seconds=5)
"""How long a process that failed looks for the others before it speaks."""


def join(device: torch.device) -> None:
    """Meet the other processes that torchrun started, once; alone there is nothing to do. Blocks until all are here.

    Raises EmoError where the environment names others and doesn't say where they are.
    """
    if ranks.count() == 1 or dist.is_initialized():
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as fault:  # RuntimeError: nobody answers; ValueError: a variable is missing
        raise EmoError(
            f"WORLD_SIZE={ranks.count()} says that there are others, who can't be met ({str(fault).splitlines()[0]}); "
            "start all with torchrun, or unset WORLD_SIZE"
        ) from fault
    atexit.register(dist.destroy_process_group)


def share() -> slice:
    """Return which of the items that every process has are this one's: each count-th."""
    return slice(ranks.number(), None, ranks.count())


def total(tensor: Tensor) -> Tensor:
    """Sum a tensor over all processes, in place. Raises EmoError when one of them is gone."""
    if ranks.count() > 1:
        try:
            dist.all_reduce(tensor)
        except RuntimeError as fault:  # what each backend raises
            raise EmoError("another process of this run ended; see what it said, and start them all again") from fault
    return tensor


def of_first(value: float) -> float:
    """Return the first process's value to all of them."""
    mine = torch.tensor(value if ranks.is_first() else 0.0, dtype=torch.float64)
    return float(total(mine))


def file_of_first(path: Path) -> io.BytesIO:
    """Return what a file of the first process holds to all of them: others may be machines that don't have it."""
    content = path.read_bytes() if ranks.is_first() else b""
    held = torch.zeros(int(of_first(len(content))), dtype=torch.uint8)
    if content:
        held.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    return io.BytesIO(total(held).numpy().tobytes())


def average(net: nn.Module, loss: Tensor, rows: int) -> float:
    """Give the net the mean gradient and running statistics of all processes; return the mean of their losses.

    `loss` is the mean of this process's `rows`, which count the same on all. Frozen norms keep their statistics.
    """
    if ranks.count() == 1:
        return float(loss.detach())
    tensors = [weight.grad for weight in net.parameters() if weight.grad is not None] + _statistics(net)
    flat = torch.cat([loss.detach().reshape(1), *(tensor.reshape(-1) for tensor in tensors)]) * rows
    flat = total(torch.cat([flat, flat.new_tensor([rows])]))
    mean, *means = (flat[:-1] / flat[-1]).split_with_sizes([1, *(tensor.numel() for tensor in tensors)])
    for tensor, part in zip(tensors, means, strict=True):
        tensor.copy_(part.view(tensor.shape))
    return float(mean)


def is_first_to_fail() -> bool:
    """Say whether no other process of this run has failed before, so that one line tells of it; not after a restart."""
    try:
        store, *_ = next(rendezvous("env://", timeout=_PATIENCE))
        return int(store.add(f"emo/failed/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", 1)) == 1
    except (RuntimeError, ValueError):  # nobody is there to have said it
        return True


def _statistics(net: nn.Module) -> list[Tensor]:
    """The running statistics of norms that learn; counts of batches are the same everywhere."""
    buffers = [buffer for module in net.modules() if module.training for buffer in module.buffers(recurse=False)]
    return [buffer for buffer in buffers if buffer.is_floating_point()]

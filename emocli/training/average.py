"""Averages of a net's weights over its steps, moving or even: better than the last step's, at no cost in serving."""

import copy

import torch
from torch import Tensor, nn


def start(net: nn.Module) -> nn.Module:
    """Return a copy of the net for `follow` or `gather` to move."""
    return copy.deepcopy(net).requires_grad_(False).eval()


def follow(average: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the net; early steps (0 first) move it further, so that it forgets the random start."""
    _move(average, net, 1 - min(decay, (1 + step) / (10 + step)))


def gather(average: nn.Module, net: nn.Module, count: int) -> None:
    """Take the net into an average of `count` before it, in which each weighs the same (Izmailov et al. 2018, SWA)."""
    _move(average, net, 1 / (count + 1))


@torch.no_grad()
def _move(average: nn.Module, net: nn.Module, share: float) -> None:
    """Move the average a share of the way to the net."""
    moved, wanted = _tensors(average), _tensors(net)
    floats = [index for index, tensor in enumerate(moved) if tensor.is_floating_point()]
    torch._foreach_lerp_([moved[i] for i in floats], [wanted[i] for i in floats], share)
    for mine, theirs in zip(moved, wanted, strict=True):
        if not mine.is_floating_point():
            mine.copy_(theirs)


def _tensors(net: nn.Module) -> list[Tensor]:
    """Weights and running statistics: BatchNorm's are averaged as well."""
    return [*net.parameters(), *net.buffers()]

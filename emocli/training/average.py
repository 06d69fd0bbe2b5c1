"""Exponential moving average of a net's weights: smoother than the last step's, at no cost in serving."""

import copy

import torch
from torch import Tensor, nn


def start(net: nn.Module) -> nn.Module:
    """Return a copy of the net for `follow` to move."""
    return copy.deepcopy(net).requires_grad_(False).eval()


@torch.no_grad()
def follow(average: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the net; early steps (0 first) move it further, so that it forgets the random start."""
    keep = min(decay, (1 + step) / (10 + step))
    moved, wanted = _tensors(average), _tensors(net)
    floats = [index for index, tensor in enumerate(moved) if tensor.is_floating_point()]
    torch._foreach_lerp_([moved[i] for i in floats], [wanted[i] for i in floats], 1 - keep)
    for mine, theirs in zip(moved, wanted, strict=True):
        if not mine.is_floating_point():
            mine.copy_(theirs)


def _tensors(net: nn.Module) -> list[Tensor]:
    """Weights and running statistics: BatchNorm's are averaged as well."""
    return [*net.parameters(), *net.buffers()]

"""BatchNorm's running statistics: held still where its weights are frozen, measured anew for averaged weights."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def hold(net: nn.Module) -> None:
    """Put the norms whose weights are frozen into eval mode: they use their statistics and leave them as they are."""
    for norm in _frozen(net):
        norm.eval()


def measure(
    net: nn.Module, trained: nn.Module, batches: Iterable[Tensor], forward: Callable[[nn.Module, Tensor], Any]
) -> None:
    """Set the statistics of `net` to their means over batches of about one size, each weighing the same.

    `trained` is the net that it is an average of: what is frozen there keeps its own. `net` is left in eval mode.
    """
    net.eval()
    frozen = _frozen(trained)
    norms = [
        mine
        for mine, theirs in zip(net.modules(), trained.modules(), strict=True)
        if isinstance(mine, _BatchNorm) and theirs not in frozen
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:  # only these, or dropout would distort what is measured
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for batch in batches:
            forward(net, batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def _frozen(net: nn.Module) -> set[nn.Module]:
    """Return the norms whose weights are frozen, and those without any, which standardize what frozen layers take."""
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]
    begins = not all(weight.requires_grad for weight in net.parameters())
    return {norm for norm in norms if (not norm.weight.requires_grad if norm.affine else begins)}

"""The form in which a net is exported: modules that train in several parts and serve as one are replaced by the one."""

import copy

from torch import nn


def fused(net: nn.Module) -> nn.Module:
    """Return a net in which each module with a method `fused` is replaced by what that returns.

    It answers in eval mode as the net does, up to rounding. A net without such modules is returned as it is.
    """
    names = [name for name, module in net.named_modules() if hasattr(module, "fused")]
    if not names:
        return net
    result = copy.deepcopy(net)
    for name in names:
        part = result.get_submodule(name).fused()  # type: ignore[operator]
        result.set_submodule(name, part.train(net.training))
    return result

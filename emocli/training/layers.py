"""The layers of a net in order: for transfer the first can be frozen, and early ones learn in smaller steps."""

from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor, nn


def freeze(net: nn.Module, share: float) -> int:
    """Take the first layers out of training, as many as hold at most that share of the parameters; return how many.

    Layers are whole, in the order in which the net lists them; of a share below 1 the last is always trained.
    """
    room, frozen = share * sum(weight.numel() for weight in net.parameters()), 0
    for weights in _layers(net):
        size = sum(weight.numel() for weight in weights)
        if frozen + size > room:
            break
        frozen += size
        for weight in weights:
            weight.requires_grad_(False)
    return frozen


def groups(net: nn.Module, weight_decay: float, layer_decay: float) -> list[dict[str, Any]]:
    """Return the optimizer's groups of what is trained: biases and norms have no weight decay.

    `scale` of a group is its share of the learning rate: `layer_decay` to the power of how many layers with a matrix or
    kernel come after (Howard and Ruder 2018, arXiv 1801.06146).
    """
    found: dict[tuple[float, bool], list[Tensor]] = {}
    scales, depth = dict[Tensor, float](), 0
    for weights in reversed(_layers(net)):
        scales |= dict.fromkeys(weights, layer_decay**depth)
        depth += any(weight.ndim > 1 for weight in weights)  # a norm belongs to the convolution before it
    for weight in net.parameters():
        if weight.requires_grad:
            found.setdefault((scales[weight], weight.ndim <= 1), []).append(weight)
    return [
        {"params": weights, "weight_decay": 0.0 if small else weight_decay, "scale": scale}
        for (scale, small), weights in sorted(found.items(), key=lambda item: item[0])
    ]


def matrices(net: nn.Module) -> list[nn.Parameter]:
    """Return the weights that mix the channels of hidden layers.

    Not biases and norms, not a channel's own kernel, not the last layer, whose outputs are the classes.
    """
    *hidden, _ = [weight for weights in _layers(net) for weight in weights if weight.ndim > 1]
    return [weight for weight in hidden if weight.shape[1] > 1]


def _layers(net: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters of each module that has some of its own, from the input on."""
    owned = [list(module.parameters(recurse=False)) for module in _ordered(net)]
    return [weights for weights in owned if weights]


def _ordered(net: nn.Module) -> Iterator[nn.Module]:
    """Yield a net's modules as data pass through them; one that lists its parts in another order says so."""
    yield net
    parts: Iterable[nn.Module] = net.in_order() if hasattr(net, "in_order") else net.children()  # type: ignore[operator]
    for part in parts:
        yield from _ordered(part)

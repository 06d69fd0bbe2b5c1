"""EfficientNet (Tan and Le 2019, arXiv 1905.11946) for small faces: B0 by default at half its width.

Inverted residuals with gates and SiLU. Width and depth 1.0 are B0, 1.0 and 1.1 B1, 1.1 and 1.2 B2, 1.2 and 1.4 B3. The
published net halves its input five times, which leaves little of a 48-pixel face; here it does so `halvings` times,
after the stem the first ones are left out. Stochastic depth, for far longer training, is left out.

Options:
    width: factor on B0's numbers of channels
    depth: factor on B0's numbers of blocks, rounded up
    halvings: how often the image is halved, 3 to 5
    stem: conv (3x3 with stride 2, as published) or s2d (space-to-depth, then 3x3: quicker in INT8 on one channel)
    activation: silu as published, or relu, which INT8 runtimes fuse
    dropout: share of the embedding dropped in training
"""

from torch import nn

from emocli.errors import EmoError
from emocli.models._inverted import Stage, inverted_net

_STAGES = (
    Stage(1, 16, 1, False, 3),
    Stage(6, 24, 2, True, 3),
    Stage(6, 40, 2, True, 5),
    Stage(6, 80, 3, True, 3),
    Stage(6, 112, 3, False, 5),
    Stage(6, 192, 4, True, 5),
    Stage(6, 320, 1, False, 3),
)
"""Table 1 of the paper."""
_ACTIVATIONS: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "relu": nn.ReLU}


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: float = 0.5,
    depth: float = 1.0,
    halvings: int = 4,
    stem: str = "conv",
    activation: str = "silu",
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    if activation not in _ACTIVATIONS:
        raise EmoError(f"efficientnet has no activation {activation!r}; use silu or relu")
    return inverted_net(
        "efficientnet",
        shape,
        classes,
        _STAGES,
        width=width,
        depth=depth,
        halvings=halvings,
        stem=stem,
        activation=_ACTIVATIONS[activation],
        squeeze=True,
        dropout=dropout,
    )

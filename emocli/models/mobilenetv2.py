"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) for small faces: inverted residuals, few multiply-adds.

ReLU stands for the published ReLU6, which INT8 runtimes don't fuse. The published net halves its input five times,
which leaves little of a 48-pixel face; here it does so `halvings` times, after the stem the first ones are left out.

Options:
    width: factor on the published numbers of channels; half of them train twice as fast and lose little on 48 pixels
    halvings: how often the image is halved, 3 to 5
    stem: conv (3x3 with stride 2, as published) or s2d (space-to-depth, then 3x3: quicker in INT8 on one channel)
    dropout: share of the embedding dropped in training
"""

from torch import nn

from emocli.models._inverted import Stage, inverted_net

_STAGES = (
    Stage(1, 16, 1, False),
    Stage(6, 24, 2, True),
    Stage(6, 32, 3, True),
    Stage(6, 64, 4, True),
    Stage(6, 96, 3, False),
    Stage(6, 160, 3, True),
    Stage(6, 320, 1, False),
)
"""Table 2 of the paper."""


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: float = 0.5,
    halvings: int = 4,
    stem: str = "conv",
    dropout: float = 0.2,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for a shape it can't take."""
    return inverted_net(
        "mobilenetv2", shape, classes, _STAGES, width=width, halvings=halvings, stem=stem, dropout=dropout
    )

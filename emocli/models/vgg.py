"""VGG for small images: the 13-layer net of the FER+ paper, as published, and the 16-layer one of the VGG paper.

Depth 13 is that of Barsoum et al. 2016 (arXiv 1608.01041) with the initial weights and dropouts of its authors' code
(github.com/microsoft/FERPlus, src/models.py): 8,757,704 parameters for 64 pixels and 8 classes. Depth 16 is
configuration D of Simonyan and Zisserman 2015 (arXiv 1409.1556) with the same smaller fully connected layers and
dropouts. BatchNorm (Ioffe and Szegedy 2015, arXiv 1502.03167) is not in either paper; it makes them train faster.

Options:
    depth: 13 or 16
    norm: BatchNorm after each convolution
    hidden: units of each of the two fully connected layers, 1024 in the FER+ paper and 4096 in the VGG paper
    drop_maps: share of the maps' values dropped in training after each max pool
    dropout: share of each fully connected layer's units dropped in training
"""

from torch import nn

from emocli.errors import EmoError
from emocli.models._convolution import Convolution
from emocli.models._layers import Classifier, Normalize, conv_norm, expect_images

_STAGES = {
    13: ((64, 2), (128, 2), (256, 3), (256, 3)),
    16: ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)),
}
"""Channels and convolutions of each stage; a max pool follows each."""


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    depth: int = 13,
    norm: bool = False,
    hidden: int = 1024,
    drop_maps: float = 0.25,
    dropout: float = 0.5,
) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width); raises EmoError for what it can't be."""
    if depth not in _STAGES:
        raise EmoError(f"vgg has no depth {depth}; use {', '.join(map(str, _STAGES))}")
    stages = _STAGES[depth]
    inputs, height, width = expect_images("vgg", shape, least=2 ** len(stages))
    layers: list[nn.Module] = [Normalize()]
    for outputs, count in stages:
        for _ in range(count):
            layers += _convolution(inputs, outputs, norm)
            inputs = outputs
        layers += [nn.MaxPool2d(2), nn.Dropout(drop_maps)]
    flat = inputs * (height >> len(stages)) * (width >> len(stages))
    layers += [nn.Flatten(), nn.Linear(flat, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout)]
    layers += [nn.Linear(hidden, hidden), nn.ReLU(inplace=True)]
    net = Classifier(nn.Sequential(*layers), hidden, classes, dropout=dropout, pool=False)
    return net.apply(_begin)


def _convolution(inputs: int, outputs: int, norm: bool) -> list[nn.Module]:
    if norm:
        return [conv_norm(inputs, outputs, 3)]
    return [Convolution(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]


def _begin(module: nn.Module) -> None:
    """Draw weights as the published code does, Glorot uniform: torch's own would shrink the signal layer by layer."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

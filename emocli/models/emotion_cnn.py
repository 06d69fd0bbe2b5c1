"""Small plain convolutional net: the quickest to train, for demonstrations and first looks at a corpus.

Three pairs of 3x3 convolutions after a space-to-depth stem, each pair followed by a max pool.

Options:
    width: channels of the first pair; the next pairs have twice and four times as many
    dropout: share of the embedding dropped in training
"""

from torch import nn

from emocli.models._layers import Classifier, Normalize, conv_norm, expect_images


def build(shape: tuple[int, ...], classes: int, *, width: int = 32, dropout: float = 0.3) -> nn.Module:
    """Return the net for images of `shape` (channels, height, width), even and at least 16 pixels; else EmoError."""
    channels, *_ = expect_images("emotion-cnn", shape, multiple=2)
    layers: list[nn.Module] = [Normalize(), nn.PixelUnshuffle(2)]
    inputs = channels * 4
    for outputs in (width, 2 * width, 4 * width):
        layers += [conv_norm(inputs, outputs, 3), conv_norm(outputs, outputs, 3), nn.MaxPool2d(2)]
        inputs = outputs
    return Classifier(nn.Sequential(*layers), inputs, classes, dropout=dropout)

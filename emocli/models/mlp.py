"""Multilayer perceptron for vector features (lbp, hog, geometry, deep), which it standardises itself.

Options:
    width: units of each hidden layer
    layers: number of hidden layers
    dropout: share of the units dropped in training
"""

import math

from torch import nn

from emocli.models._layers import Classifier
from emocli.models._vectors import expect_vectors

MODALITY = "any"


def build(
    shape: tuple[int, ...], classes: int, *, width: int = 256, layers: int = 2, dropout: float = 0.3
) -> nn.Module:
    """Return the net; features of one `shape` are taken as one flat vector, others raise EmoError."""
    if -1 in shape:
        expect_vectors("mlp", shape)
    inputs = math.prod(shape)
    # The first BatchNorm standardises the features: they come in their own units, a histogram beside a distance.
    parts: list[nn.Module] = [nn.Flatten(), nn.BatchNorm1d(inputs)]
    for index in range(layers):
        if index:
            parts.append(nn.Dropout(dropout))
        parts += [nn.Linear(inputs, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
        inputs = width
    return Classifier(nn.Sequential(*parts), inputs, classes, dropout=dropout, pool=False)

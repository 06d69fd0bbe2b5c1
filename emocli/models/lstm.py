"""Plain LSTM that reads a clip once from its beginning; the mean of its states is the embedding.

As no frame depends on a later one, `emo live` carries its state from window to window.

Options:
    width: units of each layer
    layers: number of LSTM layers
    stride: frames that are read as one
    dropout: share dropped between layers and of the embedding in training
"""

from torch import Tensor, nn

from emocli.models._layers import Classifier
from emocli.models._recurrent import Recurrent
from emocli.models._sequence import Standardize, expect_frames, mean_pool, stacked

MODALITY = "speech"


def build(
    shape: tuple[int, ...], classes: int, *, width: int = 128, layers: int = 2, stride: int = 2, dropout: float = 0.3
) -> nn.Module:
    """Return the net for sequences of `shape` (-1, d)."""
    net = _Net(expect_frames("lstm", shape, layers=layers), width, layers, stride, dropout)
    return Classifier(net, width, classes, dropout=dropout, pool=False)


class _Net(nn.Module):
    def __init__(self, inputs: int, width: int, layers: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.stride = self.causal_frames = stride
        self.standardize = Standardize(inputs)
        self.recurrent = Recurrent(inputs * stride, width, layers, both=False, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        x, real = self.standardize(x)
        x, real = stacked(x, real, self.stride)
        return mean_pool(self.recurrent(x.transpose(1, 2), real), real)

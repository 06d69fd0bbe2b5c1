"""Bidirectional LSTM with attention over the frames: the reference recipe for mfcc and logmel.

As in Mirsamadi et al. 2017 (ICASSP, "Automatic speech emotion recognition using recurrent neural networks with local
attention"), with additive attention.

Options:
    width: units of each layer, both directions together
    layers: number of LSTM layers
    stride: frames that are read as one
    attention: hidden units of the attention
    dropout: share dropped between layers and of the embedding in training
"""

from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._layers import Classifier
from emocli.models._recurrent import Recurrent
from emocli.models._sequence import AttentionPool, Standardize, expect_frames, stacked

MODALITY = "speech"


def build(
    shape: tuple[int, ...],
    classes: int,
    *,
    width: int = 192,
    layers: int = 2,
    stride: int = 2,
    attention: int = 64,
    dropout: float = 0.3,
) -> nn.Module:
    """Return the net for sequences of `shape` (-1, d)."""
    if width % 2:
        even = max(2, width + 1)
        raise EmoError(f"bilstm-attention shares its width between two directions; {width} is odd, use {even}")
    net = _Net(expect_frames("bilstm-attention", shape, layers=layers), width, layers, stride, attention, dropout)
    return Classifier(net, width, classes, dropout=dropout, pool=False)


class _Net(nn.Module):
    def __init__(self, inputs: int, width: int, layers: int, stride: int, attention: int, dropout: float) -> None:
        super().__init__()
        self.stride = stride
        self.standardize = Standardize(inputs)
        self.recurrent = Recurrent(inputs * stride, width, layers, both=True, dropout=dropout)
        self.pool = AttentionPool(width, attention)

    def forward(self, x: Tensor) -> Tensor:
        x, real = self.standardize(x)
        x, real = stacked(x, real, self.stride)
        pooled: Tensor = self.pool(self.recurrent(x.transpose(1, 2), real), real)
        return pooled

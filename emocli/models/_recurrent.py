"""LSTM layers over sequences, in one direction or both, where padding is at the end."""

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """A stack of LSTM layers (Hochreiter and Schmidhuber 1997), (n, frames, d) to (n, frames, width).

    In both directions the output is two LSTMs' side by side, `width` together. The second reads each clip from its last
    real frame to its first: turned round within its own length, so that padding comes last for either.
    """

    def __init__(self, inputs: int, width: int, layers: int, *, both: bool, dropout: float) -> None:
        super().__init__()
        each = width // 2 if both else width
        sizes = [inputs, *[each * (1 + both)] * (layers - 1)]
        self.forth = nn.ModuleList(nn.LSTM(size, each, batch_first=True) for size in sizes)
        self.back = nn.ModuleList(nn.LSTM(size, each, batch_first=True) for size in sizes) if both else None
        self.dropout = nn.Dropout(dropout)

    def in_order(self) -> list[nn.Module]:
        """Return the layers from the first on, both directions of each together."""
        return (
            [*self.forth]
            if self.back is None
            else [each for pair in zip(self.forth, self.back, strict=True) for each in pair]
        )

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        places = _turned(real)
        for index, forth in enumerate(self.forth):
            x = self.dropout(x) if index else x
            ahead = _read(forth, x)
            if self.back is None:
                x = ahead
            else:
                behind = _take(_read(self.back[index], _take(x, places)), places)
                x = torch.cat([ahead, behind], 2)
        return x


def _read(lstm: nn.Module, x: Tensor) -> Tensor:
    """Return the states of an LSTM layer, (n, frames, width)."""
    if torch.compiler.is_exporting():
        states: Tensor = layer(x, lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0)
        return states
    return lstm(x)[0]  # type: ignore[no-any-return]


@torch.library.custom_op("emo::lstm", mutates_args=())
def layer(x: Tensor, of_input: Tensor, of_state: Tensor, bias: Tensor, other_bias: Tensor) -> Tensor:
    """One LSTM layer as one operator, begun with a state of 0: the exporter takes torch's own apart, step by step."""
    start = x.new_zeros(1, x.shape[0], of_state.shape[1])
    weights = [of_input, of_state, bias, other_bias]
    return torch.lstm(x, [start, start], weights, True, 1, 0.0, False, False, True)[0]


@layer.register_fake
def _(x: Tensor, of_input: Tensor, of_state: Tensor, bias: Tensor, other_bias: Tensor) -> Tensor:
    return x.new_empty(x.shape[0], x.shape[1], of_state.shape[1])


def _turned(real: Tensor) -> Tensor:
    """Return (n, frames) places that turn each clip round and leave its padding where it is."""
    places = torch.arange(real.shape[1], device=real.device).unsqueeze(0)
    last = real.sum(1, keepdim=True).to(torch.int64) - 1
    return torch.where(real > 0, last - places, places)


def _take(x: Tensor, places: Tensor) -> Tensor:
    return torch.gather(x, 1, places.unsqueeze(2).expand(-1, -1, x.shape[2]))

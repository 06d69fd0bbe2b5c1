"""The convolution that trains small maps as one matrix product, and some in fp32, gives what torch's own gives."""

import pytest
import torch
from torch import Tensor, nn

from emocli.models._convolution import Convolution


def _pass(conv: nn.Conv2d, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the output in bf16, and the gradients of the maps and of the weights for an uneven loss."""
    x = x.clone().requires_grad_()
    conv.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        y = conv(x)
    torch.autograd.backward((y.float() * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum())
    assert x.grad is not None and conv.weight.grad is not None
    return y.detach(), x.grad, conv.weight.grad


def _pair(kernel: int, stride: int, *, bias: bool = False) -> tuple[Convolution, nn.Conv2d]:
    mine = Convolution(24, 40, kernel, stride=stride, padding=kernel // 2, bias=bias)
    theirs = nn.Conv2d(24, 40, kernel, stride=stride, padding=kernel // 2, bias=bias)
    theirs.load_state_dict(mine.state_dict())
    return mine.to(memory_format=torch.channels_last), theirs.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _maps(side: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(6, 24, side, side).to(dtype).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "side"), [(3, 1, 3), (3, 2, 6), (3, 2, 7), (1, 2, 6), (1, 1, 4), (3, 1, 1)]
)
def test_small_maps_have_the_outputs_and_gradients_of_torchs_convolution(
    kernel: int, stride: int, side: int, bias: bool
) -> None:
    mine, theirs = _pair(kernel, stride, bias=bias)
    for ours, torchs in zip(_pass(mine, _maps(side)), _pass(theirs, _maps(side)), strict=True):
        assert ours.shape == torchs.shape and ours.dtype == torchs.dtype
        torch.testing.assert_close(ours.float(), torchs.float(), rtol=0.02, atol=0.02 * float(torchs.abs().max()))


@pytest.mark.parametrize("kernel", [1, 3])
def test_maps_of_either_layout_have_the_same_outputs_and_gradients(kernel: int) -> None:
    conv, x = _pair(kernel, 2)[0], _maps(6)
    for last, first in zip(_pass(conv, x), _pass(conv, x.contiguous()), strict=True):
        torch.testing.assert_close(last.float(), first.float(), rtol=0.02, atol=0.02 * float(last.abs().max()))


@pytest.mark.parametrize(
    ("side", "dtype", "trains"), [(5, torch.bfloat16, True), (3, torch.float32, True), (3, torch.bfloat16, False)]
)
def test_other_maps_go_through_torchs_convolution(side: int, dtype: torch.dtype, trains: bool) -> None:
    mine, theirs = (conv.to(dtype).train(trains) for conv in _pair(3, 1))
    assert torch.equal(mine(_maps(side, dtype)), theirs(_maps(side, dtype)))


def test_the_product_is_taken_in_training_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    mine = _pair(3, 1)[0].to(torch.bfloat16)
    monkeypatch.setattr(nn.Conv2d, "forward", lambda self, x: asked.append(x.shape[2]) or x)
    mine.train()(_maps(3))
    assert asked == []
    mine.eval()(_maps(3))
    assert asked == [3]


def test_the_layout_of_the_maps_stays_channels_last() -> None:
    y, of_x, _ = _pass(_pair(3, 1)[0], _maps(3))
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert of_x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 1)])
@pytest.mark.parametrize("side", [3, 12])
def test_strided_and_wide_depthwise_kernels_are_those_of_fp32_rounded_once(side: int, kernel: int, stride: int) -> None:
    conv = Convolution(24, 24, kernel, stride=stride, padding=kernel // 2, groups=24, bias=True)
    x = _maps(side)
    with torch.autocast("cpu", torch.bfloat16):
        y = conv(x)
    assert y.dtype == torch.bfloat16 and y.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(y, conv(x.float()).to(torch.bfloat16))
    torch.autograd.backward(y.float().square().sum())
    mine = conv.weight.grad
    assert mine is not None and mine.dtype == torch.float32
    conv.weight.grad = None
    torch.autograd.backward(conv(x.float()).square().sum())
    assert conv.weight.grad is not None
    torch.testing.assert_close(mine, conv.weight.grad, rtol=0.02, atol=0.02 * float(mine.abs().max()))

"""Operators that the exporter would spell out in many nodes, or in ones that don't quantize."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from onnxscript import opset20

from emocli.errors import EmoError
from emocli.models import _recurrent

op: Any = opset20
"""Typed loosely: a node's output may be another's shape."""


def global_pool(x: Any, output_size: Sequence[int]) -> Any:
    """GlobalAveragePool, which has an INT8 kernel; the exporter's ReduceMean has none."""
    height, width = x.shape[2], x.shape[3]
    down, across = output_size
    if (down, across) == (1, 1):
        return op.GlobalAveragePool(x)
    if height % down or width % across:
        raise EmoError(f"pooling {height}x{width} to {down}x{across} can't be exported; use another size of features")
    kernel = [height // down, width // across]
    return op.AveragePool(x, kernel_shape=kernel, strides=kernel)


def mean(x: Any, dim: Sequence[int], keepdim: bool = False, dtype: int = -1) -> Any:
    """The mean over height and width is the same pool; any other stays a ReduceMean."""
    rank = len(x.shape)
    if rank == 4 and sorted(axis % rank for axis in dim) == [2, 3]:
        pooled = op.GlobalAveragePool(x)
        return pooled if keepdim else op.Flatten(pooled, axis=1)
    return op.ReduceMean(x, op.Constant(value_ints=list(dim)), keepdims=int(keepdim))


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Any:
    """Conv; without a bias it has two inputs, where the exporter computes zeros in the graph."""
    stride, padding, dilation = (list(value) * (2 if len(value) == 1 else 1) for value in (stride, padding, dilation))
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return op.Conv(*inputs, strides=stride, pads=padding * 2, dilations=dilation, group=groups)


def pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    """Space-to-depth in torch's order of channels, with the batch left open."""
    _, channels, height, width = x.shape
    f = downscale_factor
    if channels == 1:  # ONNX counts channels last, which is the same for one
        return op.SpaceToDepth(x, blocksize=f)
    split = op.Constant(value_ints=[-1, channels, height // f, f, width // f, f])
    whole = op.Constant(value_ints=[-1, channels * f * f, height // f, width // f])
    return op.Reshape(op.Transpose(op.Reshape(x, split), perm=[0, 1, 3, 5, 2, 4]), whole)


def view(x: Any, size: Sequence[Any]) -> Any:
    """Reshape with the one open size, the batch, left to be worked out instead of read from the input."""
    sizes = [value if isinstance(value, int) else -1 for value in size]
    if sizes.count(-1) > 1:
        whole = [op.Reshape(value, op.Constant(value_ints=[1])) for value in size]
        return op.Reshape(x, op.Concat(*whole, axis=0))
    return op.Reshape(x, op.Constant(value_ints=sizes))


def lstm(x: Any, of_input: Any, of_state: Any, bias: Any, other_bias: Any) -> Any:
    """LSTM; its gates come in another order than torch's, so the weights are put into it from under their names."""
    hidden = of_state.shape[1]
    order = [gate * hidden + place for gate in (0, 3, 1, 2) for place in range(hidden)]
    places, first, second = op.Constant(value_ints=order), op.Constant(value_ints=[0]), op.Constant(value_ints=[1])
    weights = [op.Unsqueeze(op.Gather(weight, places), first) for weight in (of_input, of_state)]
    biases = op.Concat(op.Gather(bias, places), op.Gather(other_bias, places), axis=0)
    frames_first = op.Transpose(x, perm=[1, 0, 2])
    states, _, _ = op.LSTM(frames_first, *weights, op.Unsqueeze(biases, first), hidden_size=hidden)
    return op.Transpose(op.Squeeze(states, second), perm=[1, 0, 2])


_aten = torch.ops.aten
TRANSLATIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    _aten.adaptive_avg_pool2d.default: global_pool,
    _aten.mean.dim: mean,
    _aten.conv2d.default: conv2d,
    _aten.pixel_unshuffle.default: pixel_unshuffle,
    _aten.view.default: view,
    _recurrent.layer._opoverload: lstm,
}
"""For `torch.onnx.export(custom_translation_table=…)`."""

"""A model as ONNX Runtime is fast with it on the processor: the same codes, other zero points and arrangement."""

from onnx import ModelProto

from emocli import onnx_constants
from emocli.engines import _channels_last, _pixels, _sixteens, _zero_points


def folded(model: ModelProto) -> ModelProto:
    """Return the model without what an exporter left to compute from constants; itself where that is nothing."""
    return onnx_constants.fold_constants(model) if onnx_constants.are_left(model) else model


def for_processor(model: ModelProto) -> ModelProto:
    """Return the model as its kernels want it; itself where there is nothing to change.

    An INT8 model gets the zero points and the arrangement that the kernels are fast with (`_zero_points`, `_pixels`,
    `_sixteens`, `_channels_last`): its codes stay the same, but for the pixels, which are not rounded any more.
    """
    model = folded(model)
    if not _zero_points.is_symmetric(model):
        return model
    model = _zero_points.shift(model)
    _pixels.take_as_codes(model)
    _sixteens.fill_up(model)
    _channels_last.repeat_gates(model)
    _channels_last.end_in_order(model)
    onnx_constants.dequantize_floats(model.graph)
    return model

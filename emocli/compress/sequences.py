"""What stays float in a model of sequences: normalisation, recurrence, attention and pooling over time."""

from collections.abc import Collection, Mapping

from onnx import ModelProto, TensorProto, TypeProto

_MAP = 4
"""Axes of what convolutions over frames and bands give."""


def in_float(model: ModelProto, types: Mapping[str, TypeProto.Tensor], arithmetic: Collection[str]) -> set[str]:
    """Return the tensors that are not to be quantized; none for a model of images or vectors.

    Lengths are no floats. Operators of `arithmetic` are quantized between convolutions, where they add and mask maps;
    on frames and on what is pooled they are the normalisation and the statistics, which 8 bits would spoil. LSTM has no
    form in QDQ that TensorRT parses, so its weights stay as they are.
    """
    frames = model.graph.input[0].type.tensor_type
    if frames.elem_type != TensorProto.FLOAT or len(frames.shape.dim) != 3:
        return set()
    return {
        output
        for node in model.graph.node
        for output in node.output
        if not _is_float(types.get(output)) or (node.op_type in arithmetic and len(types[output].shape.dim) != _MAP)
    }


def _is_float(kind: TypeProto.Tensor | None) -> bool:
    return kind is not None and kind.elem_type == TensorProto.FLOAT

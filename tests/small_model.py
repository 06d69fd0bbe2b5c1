"""A small real model artifact for tests that need one and no training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emocli import labels, onnx_file
from emocli.artifact import Header

STEPS = (
    {"command": "dataset", "name": "folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"},
    {"command": "features", "name": "pixels", "params": {"size": 48}, "detector": "none"},
    {"command": "train", "name": "emotion-cnn", "params": {}, "input": f"sha256:{1:064}", "data": f"sha256:{1:064}"},
)


def write_model(
    path: Path,
    *,
    detector: str = "none",
    modality: str = "face",
    size: int = 48,
    width: int = 8,
    names: Sequence[str] = labels.SEVEN,
    varied: bool = False,
    seed: int = 0,
) -> Path:
    """Write a convolution, a mean and a layer, with seeded weights, as a model of the emotions `names`.

    `varied` ones don't say the same of every picture.
    """
    rng = np.random.default_rng(seed)
    stem = rng.normal(0, 1, (width, 1, 3, 3)).astype(np.float32)
    weights = {
        "scale": np.float32(1 / 255),
        # edges, not brightness, or every face would be the same class
        "stem": stem - stem.mean(axis=(1, 2, 3), keepdims=True),
        "head": rng.normal(0, 8, (width, len(names))).astype(np.float32),
    }
    if varied:
        # features are never negative: what they have in common would decide
        weights["head"] -= weights["head"].mean(axis=0)
    nodes = [
        helper.make_node("Cast", [modality], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["unit"]),
        helper.make_node("Conv", ["unit", "stem"], ["conv"], strides=[2, 2]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("MatMul", ["flat", "head"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(modality, TensorProto.UINT8, ["batch", 1, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(names)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    opset = [helper.make_opsetid("", onnx_file.OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=onnx_file.IR_VERSION)
    changes: dict[str, dict[str, object]] = {"features": {"detector": detector}, "train": {"options": {"seed": seed}}}
    steps = tuple({**step, **changes.get(step["command"], {})} for step in STEPS)
    onnx_file.write_header(model, Header("model", tuple(names), steps, "fp32"))
    onnx.checker.check_model(model)
    onnx_file.save(model, path)
    return path

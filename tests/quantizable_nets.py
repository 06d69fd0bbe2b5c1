"""Nets for the tests of quantization, exported as emo train exports them, with weights that make no activation zero."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

SHAPE = (1, 48, 48)
NETS = ("emotion_cnn", "mini_xception", "mobilenetv2", "se_resnet")
OPTIONS = {"se_resnet": {"width": 32}}
"""Narrow enough for what is done where channels are few."""


@functools.cache
def exported(name: str) -> onnx.ModelProto:
    """Return a net of the registry as FP32 model; the test is skipped without torch."""
    torch = pytest.importorskip("torch")
    from emocli import registry
    from emocli.training.export import to_onnx

    torch.manual_seed(0)
    net = registry.load("models", name.replace("_", "-"))(SHAPE, 7, **OPTIONS.get(name, {}))
    for module in net.modules():
        # statistics that a fresh BatchNorm does not have: folding them must show
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return to_onnx(net, SHAPE)


def model(
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, NDArray[Any]],
    *,
    shape: Sequence[str | int] = ("batch", 3, 6, 6),
    end: Sequence[str | int] = ("batch", 4),
) -> onnx.ModelProto:
    """Return a model of float input x and output y."""
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, end)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def pictures(n: int = 16, seed: int = 0) -> NDArray[np.uint8]:
    """Return (n, 1, 48, 48) smooth random pictures: noise alone leaves deep layers nothing to tell apart."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (n, 1, 8, 8)).astype(float).repeat(6, axis=2).repeat(6, axis=3)
    return np.clip(coarse + random.normal(0, 20, coarse.shape), 0, 255).astype(np.uint8)


def batches() -> list[NDArray[np.uint8]]:
    """Return the inputs to calibrate with."""
    return [pictures(16, seed) for seed in (1, 2)]


def plain_session(model: onnx.ModelProto, *, optimize: bool = True, save_as: str = "") -> Any:
    """Return an ONNX Runtime session of a model as it stands, not as the engine prepares it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.optimized_model_filepath = save_as
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model: onnx.ModelProto, x: NDArray[Any], *, optimize: bool = True) -> dict[str, NDArray[Any]]:
    """Return a model's outputs by name."""
    session = plain_session(model, optimize=optimize)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: x}), strict=True))


def cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the cosine of the angle between two arrays."""
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))

"""How fast a model would be on a device that is not here, from how it compares with a net of known size."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from emocli import onnx_file
from emocli.benchmark import compare, sample_input
from emocli.compress.quantize import quantize
from emocli.devices._device import Device
from emocli.engines import onnxruntime
from emocli.engines._engine import Engine

_PROBE_SHAPE = (16, 24, 24)


def estimate(
    engine: Engine, x: NDArray[Any], device: Device, *, precision: str, threads: int = 1, seconds: float = 1.0
) -> float | None:
    """Return the milliseconds that a batch would take on all cores of a device; None where its speed is not published.

    The model runs here in turns with a dense net of known size, both on `threads`: how much longer it takes than that
    net is a matter of the model, how fast the net is one of the device. It holds for nets of dense convolutions, within
    a factor of two or so: YuNet at 160x120 takes a Raspberry Pi 4 5.4 ms, of which a 2-core PC's 1.3 ms predict 7.3.
    """
    there = device.gops_per_core.get(precision, 0.0) * device.cores
    if not there:
        return None
    probe, operations = _probe_engine(precision, threads)
    ratio: float = compare(engine, probe, x, other=sample_input(probe, 1), seconds=seconds)["ratio"]
    return ratio * operations / there / 1e6


@functools.cache
def _probe_engine(precision: str, threads: int) -> tuple[Engine, int]:
    """Return a dense net on this machine's processor, fp32 or int8, and the operations of one run."""
    model, operations = _probe()
    if precision == "int8":
        model = quantize(model, lambda: [np.arange(np.prod(_PROBE_SHAPE), dtype=np.uint8).reshape(1, *_PROBE_SHAPE)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.onnx"
        onnx_file.save(model, path)
        return onnxruntime.load(path, threads=threads, provider="cpu"), operations


def _probe() -> tuple[ModelProto, int]:
    """Return a plain net of four 3x3 convolutions with 64 channels, and the operations of one run."""
    random, nodes, weights = np.random.default_rng(0), [], []
    nodes.append(helper.make_node("Cast", ["face"], ["x0"], to=TensorProto.FLOAT))
    channels, height, width = _PROBE_SHAPE
    operations = 0
    for layer in range(4):
        weight = random.normal(0, 0.05, (64, channels, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{layer}"))
        nodes.append(helper.make_node("Conv", [f"x{layer}", f"w{layer}"], [f"y{layer}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"y{layer}"], [f"x{layer + 1}"]))
        operations += 2 * weight.size * height * width
        channels = 64
    nodes.append(helper.make_node("GlobalAveragePool", ["x4"], ["logits"]))
    entry = helper.make_tensor_value_info("face", TensorProto.UINT8, ["batch", *_PROBE_SHAPE])
    end = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 64, 1, 1])
    graph = helper.make_graph(nodes, "probe", [entry], [end], weights)
    opsets = [helper.make_opsetid("", onnx_file.OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=onnx_file.IR_VERSION), operations

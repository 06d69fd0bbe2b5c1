"""INT8 against FP32 in ONNX Runtime, one thread, next to onnxruntime.quantization in the same run.

Random weights, as speed does not depend on them: python examples/bench/int8.py [SECONDS per comparison]
Then what ships, beside mini_XCEPTION (Arriaga 2017) as it is published: FP32, 64x64.
"""

import functools
import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime import quantization
from rich.console import Console
from rich.table import Table
from torch import nn

from emocli import benchmark, onnx_file, shipped
from emocli.compress.fold import fold
from emocli.compress.quantize import quantize
from emocli.engines.onnxruntime import load
from emocli.models import emotion_cnn, mini_xception, mobilenetv2, se_resnet, student
from emocli.training.export import to_onnx

SHAPE, CLASSES = (1, 48, 48), 7
U8 = quantization.QuantType.QUInt8
NETS: dict[str, Callable[..., nn.Module]] = {
    "se-resnet": se_resnet.build,
    "student": student.build,
    "student 1-2-3": functools.partial(student.build, blocks="1-2-3"),
    "mobilenetv2": mobilenetv2.build,
    "emotion-cnn": emotion_cnn.build,
}


class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
    """The calibration inputs, as onnxruntime.quantization wants them."""

    def __init__(self, batches: list[NDArray[np.uint8]]) -> None:
        self._batches: Iterator[NDArray[np.uint8]] = iter(batches)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the next batch, None after the last."""
        return next(({"face": batch} for batch in self._batches), None)


def peer(model: onnx.ModelProto, batches: list[NDArray[np.uint8]], folder: Path) -> Path:
    """Return the model quantized by onnxruntime.quantization: u8s8, its choice for x86, BatchNorm folded before."""
    source, target = folder / "folded.onnx", folder / "peer.onnx"
    onnx_file.save(fold(model), source)
    quantization.quantize_static(str(source), str(target), Reader(batches), activation_type=U8, per_channel=True)
    return target


def beside_mini_xception(seconds: float) -> Table:
    """Return the latency of each INT8 model that ships for faces, and how many times slower the published net is."""
    table = Table("ships", "ms", "mini_XCEPTION ms", "times as fast")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "mini_xception.onnx"
        onnx_file.save(to_onnx(mini_xception.build((1, 64, 64), CLASSES), (1, 64, 64)), path)
        published = load(path)
    theirs = benchmark.sample_input(published, 1)
    for name in ("fer2013-int8", "ferplus-int8"):
        engine = load(shipped.FOLDER / f"{name}.onnx")
        ours = benchmark.sample_input(engine, 1)
        found = benchmark.compare(published, engine, theirs, other=ours, seconds=seconds)
        slow, fast = (found[each]["p50_ms"] for each in ("first", "second"))
        table.add_row(name, f"{fast:.3f}", f"{slow:.3f}", f"{found['ratio']:.2f} x")
    return table


def main(seconds: float | str = 3.0) -> None:
    """Print latency, and INT8's gain over FP32 as the median over pairs of runs."""
    # the peer's advice to fold BatchNorm first, which is followed
    logging.disable(logging.WARNING)
    seconds = float(seconds)
    random = np.random.default_rng(0)
    batches = [random.integers(0, 256, (16, *SHAPE), dtype=np.uint8) for _ in range(4)]
    table = Table("net", "batch", "FP32 ms", "INT8 ms", "INT8 gain", "peer INT8 ms", "peer's gain")
    for name, build in NETS.items():
        torch.manual_seed(0)
        model = to_onnx(build(SHAPE, CLASSES), SHAPE)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            onnx_file.save(model, folder / "fp32.onnx")
            onnx_file.save(quantize(model, lambda: batches), folder / "int8.onnx")
            fp32, int8 = load(folder / "fp32.onnx"), load(folder / "int8.onnx")
            other = load(peer(model, batches, folder))
        for batch in (1, 32):
            x = random.integers(0, 256, (batch, *SHAPE), dtype=np.uint8)
            ours, theirs = (benchmark.compare(fp32, engine, x, seconds=seconds) for engine in (int8, other))
            times = ours["first"]["p50_ms"], ours["second"]["p50_ms"], theirs["second"]["p50_ms"]
            cells = [f"{times[0]:.3f}", f"{times[1]:.3f}", f"{ours['ratio']:.2f} x"]
            table.add_row(name, str(batch), *cells, f"{times[2]:.3f}", f"{theirs['ratio']:.2f} x")
    Console(width=100).print(table, beside_mini_xception(seconds))


if __name__ == "__main__":
    from usage import words

    main(*words(__doc__))

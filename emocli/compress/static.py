"""Static quantization of a model artifact: calibrated on its own train part, judged on its validation part."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from onnx import ModelProto, TensorProto

from emocli import onnx_file, onnx_session, pipes, registry
from emocli.artifact import Step
from emocli.compress import calibrate, gate
from emocli.compress.quantize import quantize
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import acquaintance, label_map
from emocli.scores.label_map import LabelMap

BATCH = 64


def write(source: pipes.Input, features: pipes.Input, path: Path, step: Step) -> None:
    """Write the INT8 form of an FP32 model to `path`; `step["options"]` says how, see `emo quantize --help`.

    Raises EmoError for a model that is quantized already and for features that don't fit it or have no train part.
    """
    if source.header.precision == "int8":
        raise EmoError(f"{source.source} is INT8 already; quantize the FP32 model it was made from")
    _labels(source, features)
    how = step["options"]
    model = onnx_file.load(source.path)
    with hdf5.open_data(features.path, features.source) as data:
        rows = calibrate.choose_rows(data.rows("train"), how["calibration"], how["seed"])
        if not len(rows):
            raise EmoError(f"{features.source} has no train part to calibrate with; name other features with --data")
        # whatever is wrong with a foreign model, the engine says it in one line
        registry.load("engines", "onnxruntime")(source.path, threads=1).run(data.take(rows[:1]))

        def batches() -> Iterator[NDArray[Any]]:
            for start in range(0, len(rows), BATCH):
                yield data.take(rows[start : start + BATCH])

        method = {"method": how["method"], "percentile": how["percentile"]}
        result = quantize(model, batches, **method, exclude=how["exclude"], threads=0)
    header = source.header.then({**step, "input": source.digest, "data": features.digest}, precision="int8")
    onnx_file.write_header(result, header)
    onnx_file.save(result, path)


def judge(source: pipes.Input, features: pipes.Input, int8: Path) -> gate.Verdict:
    """Return how an INT8 model compares to its FP32 model on the validation part: accuracy, and speed here.

    Its accuracy is that of emo's engine, and that of the codes as they are stored, which TensorRT has.
    """
    load, labels, model = registry.load("engines", "onnxruntime"), _labels(source, features), onnx_file.load(int8)
    with hdf5.open_data(features.path, features.source) as data:
        batches = ((x, labels.places(y)) for x, y in data.batches("validation", BATCH))
        engines = load(source.path, threads=1), load(int8, threads=1)
        verdict = gate.judge(*engines, batches, stored=_as_stored(model))
        met = acquaintance.of_validation(source.header, data)
    return replace(verdict, in_float=_in_float(model), met=met)


def _as_stored(model: ModelProto) -> gate.Logits:
    """Return what gives the logits of an INT8 model run as it is written: codes after a ReLU end at 127."""
    session = onnx_session.opened(model.SerializeToString(), threads=0, rewritten=False)
    name = session.get_inputs()[0].name

    def logits(x: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = session.run(["logits"], {name: x})[0]
        return found

    return logits


def _in_float(model: ModelProto) -> float:
    """Return the share of a model's weights, kernels and matrices, that are FP32."""
    sizes = [(each.data_type, math.prod(each.dims)) for each in model.graph.initializer if len(each.dims) > 1]
    kept = sum(size for kind, size in sizes if kind == TensorProto.FLOAT)
    return float(kept / max(sum(size for _, size in sizes), 1))


def _labels(source: pipes.Input, features: pipes.Input) -> LabelMap:
    """Return how the labels of the features count; raises EmoError unless all are the model's."""
    return label_map.whole(features.header.labels, source.header.labels, features.source)

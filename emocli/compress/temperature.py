"""Temperature scaling for good: the number that makes confidence tell the truth goes into a model's last layer."""

from dataclasses import dataclass
from pathlib import Path

from onnx import GraphProto

from emocli import onnx_file, onnx_graph, pipes, registry
from emocli.artifact import Step
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import acquaintance, calibration, evaluation, metrics, personal

_LAYERS = frozenset({"Conv", "Gemm", "MatMul"})
_ON_THE_WAY = frozenset({"Flatten", "GlobalAveragePool", "Identity", "ReduceMean", "Reshape", "Squeeze"})
"""Operators that make of inputs divided by a number outputs divided by the same."""
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Scaling:
    """What was divided by, and the expected calibration error (0 to 1) on n validation rows before and after it.

    `met` is what of these rows the model has learned from, in words.
    """

    temperature: float
    before: float
    after: float
    n: int
    met: str = ""

    def __str__(self) -> str:
        errors = f"{self.before:.1%} -> {self.after:.1%}"
        met = f"; it has learned from {self.met}, so it may be too sure of others" if self.met else ""
        return f"temperature {self.temperature:g}: calibration error {errors} (n = {self.n} validation rows){met}"


def write(source: pipes.Input, features: pipes.Input, path: Path, step: Step) -> Scaling:
    """Write an FP32 model whose logits are divided by the temperature that `step["options"]` names, fit or a number.

    Its answers stay the same, and so do the names of its weights. Raises EmoError for an INT8 model, for features
    without a validation part, where no temperature fits and for a model that does not end in a linear layer.
    """
    if source.header.precision == "int8":
        raise EmoError(f"{source.source} is INT8; calibrate the FP32 model it was made from, then quantize that")
    given = calibration.temperature(str(step["options"]["temperature"]))
    engine = registry.load("engines", "onnxruntime")(source.path)
    hint = "name features that have one with --data"
    found = evaluation.answers(engine, source.header, features, "validation", hint=hint)
    logits, y = found.logits, found.y
    value = given or round(calibration.fit_temperature(logits, y), _DIGITS)
    model = onnx_file.load(source.path)
    divide(model.graph, value, source.source)
    used = {"temperature": value, "input": source.digest, "data": features.digest}
    used |= personal.scaled(source.header, value, source.source)
    onnx_file.write_header(model, source.header.then({**step, **used}))
    onnx_file.save(model, path)
    before, after = (metrics.calibration_error(each, y, samples=1)["value"] for each in (logits, logits / value))
    with hdf5.open_data(features.path, features.source) as data:
        met = acquaintance.of_validation(source.header, data)
    return Scaling(value, before, after, int((y >= 0).sum()), met)


def divide(graph: GraphProto, by: float, source: str) -> None:
    """Divide the logits in place, by dividing the weights and the bias of the layer that makes them."""
    known = onnx_graph.constants(graph)
    for name in _last_layer(graph, source):
        onnx_graph.put(graph, name, known[name] / known[name].dtype.type(by))


def _last_layer(graph: GraphProto, source: str) -> list[str]:
    """Return the names of the weights and the bias of the last layer, which nothing but the logits depends on."""
    known, makers, takers = onnx_graph.constants(graph), onnx_graph.producers(graph), onnx_graph.consumers(graph)
    others = onnx_graph.outputs(graph) - {"logits"}
    name, found, last = "logits", [], "nothing"
    while name in makers and name not in others and len(takers[name]) <= 1:
        node = makers[name]
        last = node.op_type
        held = [each for each in node.input if each in known]
        computed = [each for each in node.input if each and each not in known]
        if len(computed) != 1:
            break
        if last in _LAYERS | {"Add"}:
            found += held
        if last in _LAYERS and all(len(takers[each]) == 1 for each in found):
            return found
        if last not in _ON_THE_WAY | {"Add"}:
            break
        name = computed[0]
    raise EmoError(
        f"{source} makes its logits by {last}, not by a linear layer of its own; give emo eval --temperature instead"
    )

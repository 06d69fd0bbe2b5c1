"""Models that carry emo's header and were not made by it: refused in one line, never run into the ground."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from small_model import write_model

from emocli import onnx_constants, onnx_file, registry
from emocli.compress import gate
from emocli.errors import EmoError
from emocli.scores import metrics
from emocli.serving.verdicts import verdict


def no_logits(model: ModelProto) -> None:
    model.graph.node[-1].output[0] = model.graph.output[0].name = "out"


def other_classes(model: ModelProto) -> None:
    _axis(model.graph.output[0], 1, 6)


def open_classes(model: ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "k"


def one_batch(model: ModelProto) -> None:
    _axis(model.graph.input[0], 0, 4)


def empty_input(model: ModelProto) -> None:
    _axis(model.graph.input[0], 2, 0)


def two_inputs(model: ModelProto) -> None:
    model.graph.input.append(model.graph.input[0])


def no_input(model: ModelProto) -> None:
    del model.graph.input[:]


def text_input(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def untyped_input(model: ModelProto) -> None:
    model.graph.input[0].ClearField("type")


def labels_twice(model: ModelProto) -> None:
    entry = next(entry for entry in model.metadata_props if entry.key == "emo")
    entry.value = entry.value.replace('"angry"', '"happy"')


def endless_loop(model: ModelProto) -> None:
    """Multiply by what a loop over constants gives that takes longer than anybody lives."""
    condition, value = (helper.make_tensor_value_info(n, kind, []) for n, kind in (("c", 9), ("v", TensorProto.FLOAT)))
    ends = [helper.make_tensor_value_info(n, kind, []) for n, kind in (("co", 9), ("vo", TensorProto.FLOAT))]
    nodes = [helper.make_node("Identity", ["c"], ["co"]), helper.make_node("Identity", ["v"], ["vo"])]
    turn = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    body = helper.make_graph(nodes, "body", [turn, condition, value], ends)
    constants = {"turns": np.array(1 << 60), "true": np.array(True), "one": np.float32(1)}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items())
    model.graph.node[1].input[1] = "looped"
    model.graph.node.insert(0, helper.make_node("Loop", list(constants), ["looped"], body=body))


def function_of_its_own(model: ModelProto) -> None:
    """Put an operator into a function of the file, in which there might be a loop."""
    node = helper.make_node("Identity", ["a"], ["b"])
    opsets = [helper.make_opsetid("", onnx_file.OPSET)]
    model.functions.append(helper.make_function("its.own", "Turn", ["a"], ["b"], [node], opsets))
    model.opset_import.append(helper.make_opsetid("its.own", 1))
    model.graph.node[3].domain, model.graph.node[3].op_type = "its.own", "Turn"


def no_version(model: ModelProto) -> None:
    del model.opset_import[:]


def an_idle_operator(model: ModelProto) -> None:
    model.graph.node[1].ClearField("output")


def unknown_operator(model: ModelProto) -> None:
    model.graph.node[3].op_type = "Reelu"


def unknown_domain(model: ModelProto) -> None:
    model.graph.node[3].domain = "somewhere.else"


def newer_operators(model: ModelProto) -> None:
    model.opset_import[0].version = 999


def huge_constant(model: ModelProto) -> None:
    """Add the largest of so many zeros that no machine holds them."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([1 << 20, 1 << 20, 16]), "shape"))
    model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["zeros"]))
    model.graph.node.insert(1, helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0))
    model.graph.node[-1].output[0] = "before"
    model.graph.node.append(helper.make_node("Add", ["before", "zero"], ["logits"]))


def _axis(value: onnx.ValueInfoProto, place: int, size: int) -> None:
    value.type.tensor_type.shape.dim[place].dim_value = size


Damage = Callable[[ModelProto], None]
INTERFACE = {
    no_logits: "no output logits",
    other_classes: "logits for another number",
    open_classes: "logits for another number",
    one_batch: "batches of one size",
    empty_input: "inputs without a value",
    two_inputs: "2 inputs",
    no_input: "0 inputs",
    text_input: "neither uint8 nor",
    untyped_input: "neither uint8 nor",
    labels_twice: "labels or has some twice",
    endless_loop: "loops or branches",
    function_of_its_own: "loops or branches",
    no_version: "does not say what its operators are",
    an_idle_operator: "operators that give nothing",
}


def damaged(path: Path, damage: Damage) -> Path:
    model = onnx_file.load(write_model(path))
    damage(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("damage", INTERFACE)
def test_another_interface_is_refused_wherever_a_model_is_read(tmp_path: Path, damage: Damage) -> None:
    with pytest.raises(EmoError, match=f"m.onnx .*{INTERFACE[damage]}.*emo train"):
        onnx_file.read_header(damaged(tmp_path / "m.onnx", damage))


@pytest.mark.parametrize("damage", [unknown_operator, unknown_domain, newer_operators, huge_constant])
def test_what_onnx_runtime_can_not_run_is_one_line(tmp_path: Path, damage: Damage) -> None:
    path = damaged(tmp_path / "m.onnx", damage)
    onnx_file.read_header(path)
    with pytest.raises(EmoError, match=r"can't run .*m\.onnx"):
        registry.load("engines", "onnxruntime")(path).run(np.zeros((1, 1, 48, 48), np.uint8))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("raw_data", value) for value in (b"abc", b"")),
        *(("data_type", value) for value in (0, 8, 99)),
        *(("dims", [value]) for value in (0, 1 << 62)),
    ],
)
def test_a_tensor_that_does_not_hold_what_it_says_is_one_line(tmp_path: Path, field: str, value: object) -> None:
    model = onnx_file.load(write_model(tmp_path / "m.onnx"))
    tensor = max(model.graph.initializer, key=lambda each: len(each.raw_data))
    tensor.ClearField(field)  # type: ignore[arg-type]
    tensor.MergeFrom(TensorProto(**{field: value}))  # type: ignore[arg-type]
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(EmoError, match=f"has a damaged tensor, '{tensor.name}'"):
        onnx_file.read_header(tmp_path / "m.onnx")


def test_logits_that_are_others_than_the_model_says_are_refused(tmp_path: Path) -> None:
    model = onnx_file.load(write_model(tmp_path / "m.onnx"))
    model.graph.node[-1].output[0] = "half"
    model.graph.node.append(helper.make_node("Concat", ["half", "half"], ["logits"], axis=1))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(EmoError, match="gives other logits than it says"):
        registry.load("engines", "onnxruntime")(tmp_path / "m.onnx").run(np.zeros((1, 1, 48, 48), np.uint8))


def test_loops_draws_and_huge_tensors_are_not_computed_ahead(tmp_path: Path) -> None:
    model = onnx_file.load(write_model(tmp_path / "m.onnx"))
    endless_loop(model)
    model.graph.node.append(helper.make_node("RandomNormal", [], ["drawn"], shape=[1, 7]))
    huge_constant(model)
    model.graph.node[-1].output[0] = "quiet"
    model.graph.node.append(helper.make_node("Add", ["quiet", "drawn"], ["logits"]))
    # were the loop run, this would not end
    left = {node.op_type for node in onnx_constants.fold_constants(model).graph.node}
    assert {"Loop", "RandomNormal", "ConstantOfShape"} <= left


def test_answers_that_are_not_numbers_are_an_error_and_no_verdict() -> None:
    for bad in (np.nan, np.inf):
        with pytest.raises(EmoError, match="NaN or infinite logits"):
            metrics.softmax(np.array([[0.0, bad]]))

    class Broken:
        def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
            return {"logits": np.full((len(x), 2), np.nan, np.float32)}

    one = [(np.zeros((1, 1, 8, 8), np.uint8), np.zeros(1, np.int64))]
    with pytest.raises(EmoError, match="NaN or infinite logits"):
        gate.judge(Broken(), Broken(), one)  # type: ignore[arg-type]
    with pytest.raises(EmoError, match=r"logits \(2,\) for 3 labels"):
        verdict(np.array([0.5, 0.5]), ("a", "b", "c"))

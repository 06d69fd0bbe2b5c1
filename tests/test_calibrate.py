"""emo calibrate: the same answers, with probabilities that tell how often they are right."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from conftest import Run, write_features
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from scored import write_data
from small_model import write_model

from emocli import labels, onnx_file, pipes, registry
from emocli.compress import temperature
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.scores import metrics
from emocli.training import rebuild

W, B = np.float32([[1, 2, -3], [4, -5, 6]]), np.float32([0.5, -1, 2])
STEP = {"command": "calibrate", "options": {"temperature": "2"}}


def _graph(nodes: Sequence[onnx.NodeProto], **weights: np.ndarray) -> onnx.GraphProto:
    return helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )


ENDS = {
    "gemm": _graph([helper.make_node("Gemm", ["x", "w", "b"], ["logits"])], w=W, b=B),
    "matmul and bias": _graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Add", ["y", "b"], ["logits"])], w=W, b=B
    ),
    "bias and matmul": _graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Add", ["b", "y"], ["logits"])], w=W, b=B
    ),
    "convolution and mean": _graph(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["y"]),
            helper.make_node("GlobalAveragePool", ["y"], ["z"]),
            helper.make_node("Flatten", ["z"], ["logits"]),
        ],
        w=W.T[:, :, None, None].copy(),
        b=B,
    ),
}
OTHERS = {
    "softmax": [helper.make_node("Gemm", ["x", "w", "b"], ["y"]), helper.make_node("Softmax", ["y"], ["logits"])],
    "a weight that two take": [
        helper.make_node("Gemm", ["x", "w", "b"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
        helper.make_node("Transpose", ["w"], ["t"]),
        helper.make_node("MatMul", ["z", "t"], ["u"]),
        helper.make_node("Gemm", ["u", "w", "b"], ["logits"]),
    ],
    "a sum of two layers": [
        helper.make_node("Gemm", ["x", "w", "b"], ["y"]),
        helper.make_node("MatMul", ["x", "v"], ["z"]),
        helper.make_node("Add", ["y", "z"], ["logits"]),
    ],
    "a layer that another answer is made of": [
        helper.make_node("Gemm", ["x", "w", "b"], ["y"]),
        helper.make_node("Identity", ["y"], ["logits"]),
        helper.make_node("Relu", ["y"], ["embedding"]),
    ],
    "a weight that is no constant": [helper.make_node("MatMul", ["x", "x"], ["logits"])],
}


def _logits(graph: onnx.GraphProto, x: np.ndarray) -> np.ndarray:
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    return ReferenceEvaluator(model).run(None, {"x": x})[0]


def _outputs(model: Path, x: np.ndarray) -> np.ndarray:
    return registry.load("engines", "onnxruntime")(model).run(x)["logits"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with features.h5 and model.onnx, which knows something of them."""
    write_features(tmp_path / "features.h5", classes=7, n=210)
    write_model(tmp_path / "model.onnx", varied=True)
    return tmp_path


def _calibrated(folder: Path) -> Path:
    source, features = (
        pipes.read(str(folder / "model.onnx"), "model"),
        pipes.read(str(folder / "features.h5"), "features"),
    )
    temperature.write(source, features, folder / "calibrated.onnx", STEP)
    return folder / "calibrated.onnx"


@pytest.mark.parametrize("name", ENDS)
def test_the_last_layer_divides_the_logits(name: str) -> None:
    graph = onnx.GraphProto.FromString(ENDS[name].SerializeToString())
    x = np.random.default_rng(0).standard_normal((5, 2, *((4, 4) if "convolution" in name else ()))).astype(np.float32)
    temperature.divide(graph, 0.8, "net")
    np.testing.assert_allclose(_logits(graph, x), _logits(ENDS[name], x) / 0.8, rtol=1e-5, atol=1e-6)
    assert [node.op_type for node in graph.node] == [node.op_type for node in ENDS[name].node]


@pytest.mark.parametrize("name", OTHERS)
def test_another_end_is_refused(name: str) -> None:
    with pytest.raises(EmoError, match="not by a linear layer of its own"):
        temperature.divide(_graph(OTHERS[name], w=W, v=W, b=B), 2, "net")


def test_answers_stay_and_confidence_changes(folder: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, (9, 1, 48, 48), np.uint8)
    before, after = _outputs(folder / "model.onnx", x), _outputs(_calibrated(folder), x)
    np.testing.assert_allclose(after, before / 2, rtol=1e-4, atol=1e-4)
    header = onnx_file.read_header(folder / "calibrated.onnx")
    assert header.steps[-1]["temperature"] == 2 and header.features_digest is not None


def test_what_is_told_are_the_errors_of_both_models_on_the_validation_rows(folder: Path) -> None:
    source, features = (
        pipes.read(str(folder / name), kind) for name, kind in (("model.onnx", "model"), ("features.h5", "features"))
    )
    found = temperature.write(source, features, folder / "calibrated.onnx", STEP)
    with hdf5.open_data(folder / "features.h5") as data:
        rows = data.rows("validation")
        x, y = data.take(rows), data.y[rows]
    for model, error in (("model.onnx", found.before), ("calibrated.onnx", found.after)):
        told = metrics.calibration_error(_outputs(folder / model, x), y, samples=1)["value"]
        assert error == pytest.approx(told, abs=1e-5)
    assert found.n == len(rows) and found.before != found.after


def test_a_trained_net_is_calibrated_in_a_pipe_and_still_itself(tmp_path: Path, shell: Run) -> None:
    done = shell(
        f"""cd {tmp_path}; emo dataset synthetic -p count=400 | emo features -o f.h5
        emo train f.h5 --arch student -p widths=8-16 -p blocks=1-1 --epochs 3 --threads 1 -o m.onnx
        emo calibrate m.onnx | tee c.onnx | emo quantize --max-drop 100 --min-speedup 0 -o q.onnx
        emo replay q.onnx"""
    )
    assert done.returncode == 0, done.stderr
    assert b"calibration error" in done.stderr and b"emo calibrate --temperature fit |\n  emo quantize" in done.stdout
    plain, sure = (onnx_file.load(tmp_path / f"{name}.onnx") for name in "mc")
    assert [tensor.name for tensor in plain.graph.initializer] == [tensor.name for tensor in sure.graph.initializer]
    # --init and further training begin with what the file says
    x = np.random.default_rng(0).integers(0, 256, (4, 1, 48, 48), np.uint8)
    seen = torch.from_numpy(x).float() / 255
    found = rebuild.rebuild(tmp_path / "c.onnx").eval()(seen).detach().numpy()
    np.testing.assert_allclose(found, _outputs(tmp_path / "c.onnx", x), rtol=1e-3, atol=1e-5)


def test_what_can_not_be_calibrated_is_said_in_one_line(folder: Path, emo: Run) -> None:
    model, features = folder / "model.onnx", folder / "features.h5"
    words = ("--data", features, "-o", folder / "x.onnx")
    gates = ("--max-drop", 100, "--min-speedup", 0)
    assert emo("quantize", model, "--data", features, *gates, "-o", folder / "int8.onnx").returncode == 0
    for given, why in {
        (folder / "int8.onnx",): "is INT8",
        (features,): "model",
        (model, "--temperature", "0"): "neither fit nor a number",
        (model, "--temperature", "warm"): "neither fit nor a number",
    }.items():
        done = emo("calibrate", *given, *words)
        assert done.returncode == 1 and why in done.stderr.decode() and done.stderr.count(b"\n") == 1
    assert not (folder / "x.onnx").exists()


def test_a_model_that_learned_from_these_rows_is_told_to_be_too_sure(folder: Path) -> None:
    features = pipes.read(str(folder / "features.h5"), "features")
    plain = pipes.read(str(folder / "model.onnx"), "model")
    for options, params, said in (({}, {}, False), ({"folds": 3}, {}, True), ({}, {"choose": "subjects"}, True)):
        train = {"command": "train", "name": "mlp", "options": options, "params": params, "data": features.digest}
        model = replace(plain, header=plain.header.then(train))
        scaling = temperature.write(model, features, folder / "x.onnx", STEP)
        assert said == ("learned from them (--folds, choose=subjects)" in str(scaling))


def test_data_without_a_validation_part_are_told_with_the_flag_that_there_is(tmp_path: Path) -> None:
    model = pipes.read(str(write_model(tmp_path / "model.onnx")), "model")
    data = write_data(tmp_path / "test.h5", labels.SEVEN, parts=["test"] * 90)
    with pytest.raises(EmoError, match="name features that have one with --data"):
        temperature.write(model, pipes.read(str(data), "features"), tmp_path / "x.onnx", STEP)

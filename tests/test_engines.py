"""Engines: what runs is what was asked for, on what it was asked to run on."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from quantizable_nets import NETS, batches, cosine, exported, pictures, plain_session, run
from small_model import write_model

from emocli import onnx_constants, onnx_file, onnx_graph
from emocli.compress.quantize import quantize
from emocli.engines import _zero_points
from emocli.engines.onnxruntime import load
from emocli.errors import EmoError

X = pictures(8, seed=5)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model.onnx")


@pytest.fixture(scope="module")
def int8():
    return {name: quantize(exported(name), batches, method="minmax") for name in NETS}


def saved(proto, path: Path) -> Path:
    onnx_file.save(proto, path)
    return path


def test_an_engine_says_what_runs_and_what_it_takes(model):
    engine = load(model)
    assert engine.provider in ("CPUExecutionProvider", "CUDAExecutionProvider")
    assert (engine.input_name, engine.input_shape) == ("face", (1, 48, 48))


@pytest.mark.parametrize("n", [0, 1, 8])
def test_any_batch_runs_and_every_output_comes_by_name(tmp_path, n):
    engine = load(saved(exported("emotion_cnn"), tmp_path / "m.onnx"), threads=1)
    outputs = engine.run(X[:n])
    assert {name: value.shape for name, value in outputs.items()} == {"logits": (n, 7), "embedding": (n, 128)}


@pytest.mark.parametrize(
    "x", [X.astype(np.float32), X[0], X[:, :, :40], X.repeat(3, axis=1)], ids=["float", "no batch", "size", "channels"]
)
def test_input_of_another_type_or_shape_is_an_error_for_the_user(model, x):
    with pytest.raises(EmoError, match=r"takes uint8 \(n, 1, 48, 48\), not"):
        load(model).run(x)


@pytest.mark.parametrize("provider", ["cuda", "CUDAExecutionProvider", "npu"])
def test_a_provider_asked_for_by_name_is_never_replaced(model, provider):
    known = {each.lower().removesuffix("executionprovider") for each in onnxruntime.get_available_providers()}
    if provider.lower().removesuffix("executionprovider") in known:
        pytest.skip("it is here")
    with pytest.raises(EmoError, match="no provider"):
        load(model, provider=provider)


@pytest.mark.parametrize("spin", [True, False])
def test_threads_leave_their_cores_to_others_between_runs_where_told(model, spin):
    options = load(model, threads=2, spin=spin)._session.get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == str(int(spin))


def test_cpu_by_name_is_cpu(model):
    assert load(model, provider="cpu").provider == "CPUExecutionProvider"


def test_tensors_outside_the_file_are_refused(tmp_path):
    proto = onnx.ModelProto()
    proto.CopyFrom(exported("emotion_cnn"))
    path = tmp_path / "m.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(EmoError, match="in another file"):
        load(path)


def _outside(name):
    tensor = helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [1.0])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    return tensor


@pytest.mark.parametrize("place", ["sparse values", "sparse indices", "sparse constant", "function", "branch"])
def test_tensors_outside_the_file_are_refused_wherever_they_are(tmp_path, model, place):
    proto = onnx_file.load(model)
    node = helper.make_node("Constant", [], ["c"], value=_outside("c"))
    if place == "sparse values":
        proto.graph.sparse_initializer.add().values.CopyFrom(_outside("v"))
    elif place == "sparse indices":
        proto.graph.sparse_initializer.add().indices.CopyFrom(_outside("v"))
    elif place == "sparse constant":
        constant = onnx.SparseTensorProto(values=_outside("v"), dims=[1])
        proto.graph.node.append(helper.make_node("Constant", [], ["c"], sparse_value=constant))
    elif place == "function":
        proto.functions.append(helper.make_function("own", "f", [], ["c"], [node], proto.opset_import))
    else:
        branch = helper.make_graph([node], "branch", [], [])
        proto.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))
    with pytest.raises(EmoError, match="in another file"):
        onnx_file.load(saved(proto, tmp_path / "m.onnx"))


def test_a_model_that_does_not_run_is_an_error_for_the_user(tmp_path, model):
    proto = onnx_file.load(model)
    proto.graph.node[2].op_type = "NoSuchOperator"
    with pytest.raises(EmoError, match=r"can't run .*m\.onnx"):
        load(saved(proto, tmp_path / "m.onnx"))


def test_where_the_memory_does_not_suffice_less_at_once_is_the_advice(model, monkeypatch):
    class Full:
        def run(self, *_):
            raise RuntimeError("FAIL : Failed to allocate memory for requested buffer of size 9")

    engine = load(model)
    monkeypatch.setattr(engine, "_session", Full())
    with pytest.raises(EmoError, match=r"size 9\); run less at once, with a smaller --batch$"):
        engine.run(X)


def test_a_model_with_two_inputs_is_refused(tmp_path, model):
    proto = onnx_file.load(model)
    proto.graph.input.append(helper.make_tensor_value_info("speech", onnx.TensorProto.FLOAT, ["batch", 4]))
    with pytest.raises(EmoError, match="has 2 inputs"):
        load(saved(proto, tmp_path / "m.onnx"))


@pytest.mark.parametrize("name", NETS)
def test_the_engine_gives_what_the_stored_int8_model_gives(tmp_path, name, int8):
    x = pictures(64, seed=5)
    stored = run(int8[name], x, optimize=False)
    found = load(saved(int8[name], tmp_path / "m.onnx"), provider="cpu").run(x)
    for output in stored:
        # a code more or less where a sum lies between two codes
        assert cosine(stored[output], found[output]) > 0.9995
    assert (stored["logits"].argmax(axis=1) == found["logits"].argmax(axis=1)).mean() > 0.8


@pytest.mark.parametrize("name", NETS)
def test_codes_begin_at_zero_after_relu_and_lie_around_128_elsewhere(name, int8):
    before, after = int8[name].graph, _zero_points.shift(int8[name]).graph
    old, new = onnx_graph.constants(before), onnx_graph.constants(after)
    makers = onnx_graph.producers(after)
    quantizers = [node for node in after.node if node.op_type == "QuantizeLinear"]
    assert quantizers
    for node in quantizers:
        zero, maker = new[node.input[2]], makers[node.input[0]].op_type
        assert zero.dtype == np.uint8 and zero in (0, 128)
        if maker in ("Relu", "Sigmoid"):
            assert zero == 0
        if maker in ("Conv", "Sub", "Gemm"):
            assert zero == 128
        assert new[node.input[1]] == old[node.input[1]]
        for taker in onnx_graph.consumers(after)[node.output[0]]:
            assert list(taker.input[1:]) == list(node.input[1:])


def test_weights_keep_their_zero_point(int8):
    after = _zero_points.shift(int8["se_resnet"]).graph
    known = onnx_graph.constants(after)
    weights = [node for node in after.node if node.op_type == "DequantizeLinear" and node.input[0] in known]
    assert len(weights) == 21
    assert all(known[node.input[2]].dtype == np.int8 for node in weights)


def test_values_that_are_only_moved_keep_their_zero_point(int8):
    after = _zero_points.shift(int8["emotion_cnn"]).graph
    known = onnx_graph.constants(after)
    makers, takers = onnx_graph.producers(after), onnx_graph.consumers(after)
    pools = [node for node in after.node if node.op_type in ("MaxPool", "Reshape", "Transpose")]
    assert pools
    for pool in pools:
        before, behind = makers[pool.input[0]], takers[pool.output[0]][0]
        assert [known[name] for name in before.input[1:]] == [known[name] for name in behind.input[1:]]


def test_a_float_model_has_no_zero_points_to_shift(int8):
    assert not _zero_points.is_symmetric(exported("se_resnet"))
    assert _zero_points.is_symmetric(int8["se_resnet"])
    assert not _zero_points.is_symmetric(_zero_points.shift(int8["se_resnet"]))


@pytest.mark.parametrize("name", ["emotion_cnn", "mobilenetv2", "se_resnet"])
def test_no_operator_stays_in_float_between_two_quantized_ones(tmp_path, name, int8):
    path = tmp_path / "optimized.onnx"
    plain_session(_zero_points.shift(int8[name]), save_as=str(path))
    left = {node.op_type for node in onnx.load(path).graph.node}
    assert not left & {"Conv", "Relu", "Add", "Mul", "Sigmoid", "GlobalAveragePool", "MaxPool"}


def relu6(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with ReLU6 for every ReLU, its input scaled so that six is reached."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    low, high = (onnx_graph.put(copy.graph, f"bound{x}", np.asarray(x, np.float32)) for x in (0, 6))
    for node in copy.graph.node:
        if node.op_type == "Relu":
            node.op_type = "Clip"
            node.input.extend([low, high])
        if node.op_type == "Conv":
            weight = onnx_graph.constants(copy.graph)[node.input[1]]
            onnx_graph.put(copy.graph, node.input[1], weight * 3)
    return copy


def test_relu6_is_taken_into_the_codes():
    model = relu6(exported("emotion_cnn"))
    stored = quantize(model, batches, method="minmax")
    shifted = _zero_points.shift(stored)
    assert sum(node.op_type == "Clip" for node in stored.graph.node) == 6
    assert not any(node.op_type == "Clip" for node in shifted.graph.node)
    want, rough, fine = (run(each, X)["logits"] for each in (model, stored, shifted))
    # 255 codes for 0 to 6 in place of 127
    assert np.abs(fine - want).mean() < np.abs(rough - want).mean()
    assert cosine(fine, want) > 0.99


def test_a_clip_that_cuts_below_the_codes_end_stays():
    model = relu6(exported("emotion_cnn"))
    stored = quantize(model, batches, method="minmax")
    onnx_graph.put(stored.graph, "bound6", np.asarray(1, np.float32))
    assert sum(node.op_type == "Clip" for node in _zero_points.shift(stored).graph.node) == 6


def test_constants_that_an_exporter_left_are_computed(tmp_path):
    proto = onnx_file.load(write_model(tmp_path / "m.onnx"))
    assert not onnx_constants.are_left(proto)
    one = helper.make_node("Constant", [], ["one"], value_float=1.0)
    nodes = [one, helper.make_node("Mul", ["scale", "one"], ["same"]), *proto.graph.node]
    nodes[3].input[1] = "same"
    onnx_graph.replace_nodes(proto.graph, nodes)
    assert onnx_constants.are_left(proto)
    found = onnx_constants.fold_constants(proto)
    assert [node.op_type for node in found.graph.node][:2] == ["Cast", "Mul"]
    want = load(tmp_path / "m.onnx").run(X)["logits"]
    assert (load(saved(proto, tmp_path / "spread.onnx")).run(X)["logits"] == want).all()


def test_an_engine_of_vectors_takes_float32(tmp_path):
    proto = onnx.ModelProto()
    proto.CopyFrom(onnx_file.load(write_model(tmp_path / "m.onnx")))
    proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    engine = load(saved(proto, tmp_path / "v.onnx"))
    assert engine.input_type == "float32"
    assert engine.run(X.astype(np.float32))["logits"].shape == (8, 7)

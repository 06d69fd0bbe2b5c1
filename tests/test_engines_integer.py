"""INT8 models in ONNX Runtime: what the engine rewrites for its integer kernels, and that the answers stay."""

import numpy as np
import onnx
import pytest
from onnx import helper
from quantizable_nets import batches, cosine, exported, model, pictures, plain_session, run

from emocli import onnx_constants, onnx_file, onnx_graph
from emocli.compress.quantize import quantize
from emocli.engines import _arranged, _channels_last, _pixels, _sixteens, _zero_points
from emocli.engines.onnxruntime import load

X = pictures(32, seed=5)


@pytest.fixture(scope="module")
def stored() -> onnx.ModelProto:
    return quantize(exported("se_resnet"), batches, method="minmax")


@pytest.fixture(scope="module")
def se_resnet(stored: onnx.ModelProto) -> onnx.ModelProto:
    return _zero_points.shift(stored)


@pytest.fixture(scope="module")
def arranged(stored: onnx.ModelProto) -> onnx.ModelProto:
    return _arranged.for_processor(stored)


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def rewritten(model: onnx.ModelProto, rewrite) -> onnx.ModelProto:
    copy = copy_of(model)
    rewrite(copy)
    onnx.checker.check_model(copy)
    return copy


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("name", ["emotion_cnn", "se_resnet"])
def test_pixels_are_the_first_codes_and_the_answers_stay(name):
    before = _zero_points.shift(quantize(exported(name), batches, method="minmax"))
    after = rewritten(before, _pixels.take_as_codes)
    assert "Cast" in kinds(before) and not {"Cast", "Div", "Sub", "SpaceToDepth"} & set(kinds(after))
    want = run(exported(name), X)["logits"]
    assert cosine(run(before, X)["logits"], run(after, X)["logits"]) > 0.9995
    # nothing of the input is rounded any more
    assert cosine(want, run(after, X)["logits"]) > 0.9995


def test_pixels_that_pass_a_curve_are_quantized_as_before():
    model = copy_of(_zero_points.shift(quantize(exported("emotion_cnn"), batches, method="minmax")))
    node = next(node for node in model.graph.node if node.op_type == "Sub")
    onnx_graph.replace_nodes(
        model.graph,
        [each if each != node else helper.make_node("Pow", node.input, node.output) for each in model.graph.node],
    )
    assert kinds(rewritten(model, _pixels.take_as_codes)) == kinds(model)


def test_pixels_that_something_else_takes_too_are_quantized_as_before():
    model = copy_of(_zero_points.shift(quantize(exported("emotion_cnn"), batches, method="minmax")))
    entry = model.graph.input[0].name
    model.graph.node.append(helper.make_node("Identity", [entry], ["pixels"]))
    model.graph.output.append(helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, ["n", 1, 48, 48]))
    assert kinds(rewritten(model, _pixels.take_as_codes)) == kinds(model)


def test_a_bias_makes_up_for_pixels_whose_0_lies_between_two_codes():
    nodes = [
        helper.make_node("Cast", ["x"], ["float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Div", ["float", "most"], ["unit"]),
        helper.make_node("Sub", ["unit", "mean"], ["moved"]),
        helper.make_node("QuantizeLinear", ["moved", "step", "middle"], ["codes"]),
        helper.make_node("DequantizeLinear", ["codes", "step", "middle"], ["real"]),
        helper.make_node("DequantizeLinear", ["w", "steps", "zeros"], ["weight"], axis=0),
        helper.make_node("Conv", ["real", "weight", "b"], ["y"]),
    ]
    weight, steps = np.int8([100, -50]), np.float32([0.01, 0.03])
    constants = {
        **{"most": np.float32(255), "mean": np.float32(0.3), "step": np.float32(0.01), "middle": np.uint8(128)},
        **{"w": weight.reshape(2, 1, 1, 1), "steps": steps, "zeros": np.int8([0, 0]), "b": np.float32([1, 2])},
    }
    fine = model(nodes, constants, shape=("n", 1, 48, 48), end=("n", 2, 48, 48))
    fine.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    want = (X / 255 - 0.3) * (weight * steps).reshape(2, 1, 1) + np.reshape([1, 2], (2, 1, 1))
    found = run(rewritten(fine, _pixels.take_as_codes), X, optimize=False)["y"]
    np.testing.assert_allclose(found, want, atol=1e-5)


@pytest.mark.parametrize(
    "rewrite",
    [_sixteens.fill_up, _channels_last.repeat_gates, _channels_last.end_in_order],
    ids=["sixteens", "gates", "end"],
)
def test_what_only_arranges_codes_changes_no_bit(se_resnet, rewrite):
    after = rewritten(se_resnet, rewrite)
    assert after != se_resnet
    for n in (1, 32):
        want, found = (run(model, X[:n])["logits"] for model in (se_resnet, after))
        assert (want == found).all()


def test_gates_are_repeated_where_channels_are_few(arranged):
    # 32 channels, 64, 128 and 256
    assert kinds(arranged).count("Tile") == 2


def test_a_gates_inner_layer_has_sixteen_channels(se_resnet, arranged):
    def inner(model: onnx.ModelProto) -> list[int]:
        return [
            len(codes)
            for name, codes in onnx_graph.constants(model.graph).items()
            if "se.reduce.weight" in name and "codes" in name
        ]

    assert (inner(se_resnet), inner(arranged)) == ([4, 4, 8, 16], [16] * 4)


def test_no_map_is_brought_into_another_order_on_the_way(arranged, tmp_path):
    plain_session(arranged, save_as=str(tmp_path / "optimized.onnx"))
    ops = kinds(onnx.load(tmp_path / "optimized.onnx"))
    assert "Cast" not in ops
    # the one of space-to-depth
    assert ops.count("Transpose") == 1
    assert ops.index("Transpose") < ops.index("QLinearConv")


def test_the_weights_of_a_float_head_are_float_before_the_first_run(se_resnet):
    after = rewritten(se_resnet, lambda model: onnx_constants.dequantize_floats(model.graph))
    head = next(node for node in after.graph.node if node.op_type == "Gemm")
    assert onnx_graph.constants(after.graph)[head.input[1]].dtype == np.float32
    assert (run(se_resnet, X)["logits"] == run(after, X)["logits"]).all()


@pytest.mark.parametrize("name", ["emotion_cnn", "se_resnet"])
@pytest.mark.parametrize("n", [0, 1, 32])
def test_an_int8_model_takes_any_batch(tmp_path, name, n):
    onnx_file.save(quantize(exported(name), batches, method="minmax"), tmp_path / "m.onnx")
    assert load(tmp_path / "m.onnx").run(X[:n])["logits"].shape == (n, 7)

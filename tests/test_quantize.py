"""INT8: the answers stay, the form is what TensorRT parses and ONNX Runtime fuses."""

import re

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose
from onnx import helper, numpy_helper
from quantizable_nets import NETS, batches, cosine, exported, model, pictures, run

from emocli import onnx_graph
from emocli.compress import calibrate
from emocli.compress.fold import fold
from emocli.compress.quantize import quantize, weight_codes
from emocli.engines import _zero_points
from emocli.errors import EmoError

X = pictures(16, seed=9)


@pytest.fixture(scope="module")
def int8():
    return {name: quantize(exported(name), batches, method="minmax") for name in NETS}


@pytest.mark.parametrize("name", NETS)
def test_int8_gives_the_answers_of_fp32(name, int8):
    want, found = run(exported(name), X), run(int8[name], X)
    assert list(found) == ["logits", "embedding"]
    for output in want:
        assert cosine(want[output], found[output]) > 0.995


@pytest.mark.parametrize("name", NETS)
def test_everything_is_symmetric_int8(name, int8):
    known = onnx_graph.constants(int8[name].graph)
    pairs = [node for node in int8[name].graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert pairs
    for node in pairs:
        zero = known[node.input[2]]
        assert zero.dtype == np.int8 and not zero.any()
        per_channel = node.input[0] in known
        assert zero.ndim == known[node.input[1]].ndim == int(per_channel)


@pytest.mark.parametrize("name", NETS)
def test_every_operator_between_first_and_last_is_quantized(name, int8):
    graph = int8[name].graph
    makers, ends = onnx_graph.producers(graph), onnx_graph.outputs(graph)
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "Add", "Mul", "Sigmoid", "GlobalAveragePool", "MaxPool"):
            sources = {makers[source].op_type for source in node.input[:2] if source in makers}
            assert sources == {"DequantizeLinear"}, node.name
        if node.op_type == "Relu":
            # the ReLU belongs to what comes before it: the codes begin after it
            assert makers[node.input[0]].op_type in ("Conv", "Add", "Gemm")
            takers = onnx_graph.consumers(graph)[node.output[0]]
            assert [taker.op_type for taker in takers] == ["QuantizeLinear"] or node.output[0] in ends


def test_codes_begin_after_what_only_rearranges_the_pixels(int8):
    before = [node.op_type for node in int8["se_resnet"].graph.node]
    assert before[: before.index("QuantizeLinear")] == ["Cast", "Div", "Sub", "Div", "SpaceToDepth"]


@pytest.mark.parametrize("name", NETS)
def test_biases_stay_float_and_the_file_shrinks(name, int8):
    graph = int8[name].graph
    known = onnx_graph.constants(graph)
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm") and len(node.input) > 2:
            assert known[node.input[2]].dtype == np.float32
    onnx.checker.check_model(int8[name], full_check=True)
    assert len(int8[name].SerializeToString()) < 0.6 * len(exported(name).SerializeToString())


def test_opset_and_input_are_those_of_the_model(int8):
    want, found = exported("se_resnet"), int8["se_resnet"]
    assert found.opset_import == want.opset_import and found.ir_version == want.ir_version
    assert found.graph.input == want.graph.input and found.graph.output == want.graph.output
    assert run(found, X[:1])["logits"].shape == (1, 7)


def test_the_same_inputs_give_the_same_bytes(int8):
    again = quantize(exported("se_resnet"), batches, method="minmax")
    assert again.SerializeToString(deterministic=True) == int8["se_resnet"].SerializeToString(deterministic=True)


def test_what_only_moves_values_keeps_their_scale(int8):
    graph = int8["emotion_cnn"].graph
    known, makers, takers = onnx_graph.constants(graph), onnx_graph.producers(graph), onnx_graph.consumers(graph)
    pools = [node for node in graph.node if node.op_type in ("MaxPool", "Reshape", "Transpose")]
    assert len(pools) >= 3
    for pool in pools:
        before, (after,) = makers[pool.input[0]], takers[pool.output[0]]
        assert known[before.input[1]] == known[after.input[1]]


def test_an_excluded_operator_stays_in_float():
    graph = quantize(exported("se_resnet"), batches, exclude=["Gemm"]).graph
    (gemm,) = (node for node in graph.node if node.op_type == "Gemm")
    assert gemm.input[1] == "head.weight"
    assert numpy_helper.to_array(next(t for t in graph.initializer if t.name == "head.weight")).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("conv", "no operator or node conv (did you mean Conv?); it has "),
        ("", "no operator or node ; it has "),
        ("stem", "no operator or node stem"),
    ],
)
def test_a_name_that_there_is_not_can_t_be_excluded(name, says):
    with pytest.raises(EmoError, match=re.escape(says)):
        quantize(exported("se_resnet"), batches, exclude=["Gemm", name])


def test_what_folding_takes_away_or_brings_may_be_excluded():
    before, after = (
        {node.op_type for node in net.graph.node} for net in (exported("se_resnet"), fold(exported("se_resnet")))
    )
    assert "BatchNormalization" in before - after and "SpaceToDepth" in before & after
    quantize(exported("se_resnet"), batches, exclude=sorted((before | after) - {"Conv"}))
    with pytest.raises(EmoError, match="no operator is left"):
        quantize(exported("se_resnet"), batches, exclude=sorted(before | after))


def test_percentile_cuts_the_tail_off():
    few = quantize(exported("emotion_cnn"), batches, method="percentile", percentile=90)
    all_of_it = quantize(exported("emotion_cnn"), batches, method="minmax")
    scales = [
        {
            name: float(value)
            for name, value in onnx_graph.constants(model.graph).items()
            if name.endswith("/scale") and not value.ndim
        }
        for model in (few, all_of_it)
    ]
    assert scales[0].keys() == scales[1].keys()
    assert all(scales[0][name] <= scales[1][name] for name in scales[0])
    assert sum(scales[0].values()) < 0.8 * sum(scales[1].values())


def test_weights_are_the_codes_of_onnxruntimes_quantizer(tmp_path, int8):
    quantization = pytest.importorskip("onnxruntime.quantization")
    source, target = tmp_path / "folded.onnx", tmp_path / "peer.onnx"
    onnx.save(fold(exported("emotion_cnn")), source)

    class Reader(quantization.CalibrationDataReader):
        inputs = iter(batches())

        def get_next(self):
            return next(({"face": x} for x in self.inputs), None)

    kinds = {"activation_type": quantization.QuantType.QInt8, "weight_type": quantization.QuantType.QInt8}
    options = {"ActivationSymmetric": True, "WeightSymmetric": True}
    quantization.quantize_static(source, target, Reader(), per_channel=True, extra_options=options, **kinds)
    theirs = _weights(onnx.load(target))
    ours = _weights(int8["emotion_cnn"])
    assert len(theirs) == len(ours) == 7
    # a hair's breadth from the middle of two codes
    assert all(np.abs(one.astype(int) - other).max() <= 1 for one, other in zip(ours, theirs, strict=True))
    peer, want = run(onnx.load(target), X), run(exported("emotion_cnn"), X)
    mine = run(int8["emotion_cnn"], X)
    assert cosine(mine["logits"], want["logits"]) > cosine(peer["logits"], want["logits"]) - 0.002


def _weights(model):
    """The int8 weights of each Conv and Gemm, in order."""
    known, makers = onnx_graph.constants(model.graph), onnx_graph.producers(model.graph)
    users = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    return [known[makers[node.input[1]].input[0]] for node in users]


def test_a_channel_of_zeros_keeps_its_bias():
    weight = np.random.default_rng(0).normal(size=(3, 4, 3, 3)).astype(np.float32)
    weight[1] = 0
    codes, steps = weight_codes(weight, 0, input_scale=0.01, bias=np.array([0, 5, 0], np.float32))
    assert not codes[1].any()
    assert abs(5 / (0.01 * steps[1])) < 2**31
    assert (weight_codes(weight, 0, input_scale=0.01)[1] > 0).all()
    assert_allclose(codes * steps.reshape(3, 1, 1, 1), weight, atol=steps.max() / 2 * 1.001)


def test_a_bias_far_above_its_weights_is_there_in_int8():
    random = np.random.default_rng(0)
    w = random.normal(size=(2, 3, 1, 1)).astype(np.float32)
    w[1] *= 1e-9
    constants = {"w": w, "b": np.float32([0, 5]), "v": np.float32([[[[1]], [[1]]]])}
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Conv", ["r", "w", "b"], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Conv", ["d", "v"], ["y"]),
    ]
    fp32 = model(nodes, constants, shape=("n", 3, 2, 2), end=("n", 1, 2, 2))
    x = random.normal(size=(8, 3, 2, 2)).astype(np.float32)
    int8 = _zero_points.shift(quantize(fp32, lambda: [x], method="minmax"))
    assert_allclose(run(int8, x)["y"], run(fp32, x)["y"], atol=0.1)


def test_constants_that_maps_are_scaled_and_moved_by_are_int8():
    random = np.random.default_rng(0)
    weights = {"w": (3, 3, 1, 1), "m": (3, 1, 1), "a": (3, 1, 1), "v": (2, 3, 1, 1)}
    constants = {name: random.normal(size=shape).astype(np.float32) for name, shape in weights.items()}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"]),
        helper.make_node("Mul", ["c", "m"], ["d"]),
        helper.make_node("Add", ["a", "d"], ["e"]),
        helper.make_node("Conv", ["e", "v"], ["y"]),
    ]
    fp32 = model(nodes, constants, shape=("n", 3, 2, 2), end=("n", 2, 2, 2))
    x = random.normal(size=(16, 3, 2, 2)).astype(np.float32)
    int8 = quantize(fp32, lambda: [x], method="minmax")
    assert sum(value.dtype == np.int8 and value.ndim == 3 for value in onnx_graph.constants(int8.graph).values()) == 2
    assert cosine(run(fp32, x)["y"], run(int8, x)["y"]) > 0.999


def test_a_gemm_is_quantized_along_its_outputs_whichever_way_it_lies():
    weight = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32) * [1, 10, 100]
    codes, steps = weight_codes(weight.astype(np.float32), 1, 0.01)
    assert steps.shape == (3,)
    assert (np.abs(codes).max(axis=0) == 127).all()


def test_nothing_to_calibrate_with_is_an_error_for_the_user():
    with pytest.raises(EmoError, match="no inputs to calibrate"):
        quantize(exported("emotion_cnn"), list)


@pytest.mark.parametrize(("options", "says"), [({"method": "magic"}, "magic"), ({"percentile": 50}, "between")])
def test_options_out_of_range_are_an_error_for_the_user(options, says):
    with pytest.raises(EmoError, match=says):
        quantize(exported("emotion_cnn"), batches, **options)


def test_nan_activations_are_an_error_for_the_user():
    broken = onnx.ModelProto()
    broken.CopyFrom(exported("emotion_cnn"))
    weight = onnx_graph.constants(broken.graph)["head.weight"].copy()
    weight[0, 0] = np.nan
    onnx_graph.put(broken.graph, "head.weight", weight)
    stem = next(name for name, value in onnx_graph.constants(broken.graph).items() if value.ndim == 4)
    onnx_graph.put(broken.graph, stem, np.full_like(onnx_graph.constants(broken.graph)[stem], np.inf))
    with pytest.raises(EmoError, match="NaN or infinite"):
        quantize(broken, batches)


@pytest.mark.parametrize("method", calibrate.METHODS)
@pytest.mark.parametrize("channel", [0, 3, -1])
def test_one_channel_of_nan_is_found_whichever_it_is(method, channel):
    broken = onnx.ModelProto()
    broken.CopyFrom(exported("emotion_cnn"))
    stem, value = next((name, value) for name, value in onnx_graph.constants(broken.graph).items() if value.ndim == 4)
    value = value.copy()
    value[channel] = np.nan
    onnx_graph.put(broken.graph, stem, value)
    with pytest.raises(EmoError, match="NaN or infinite"):
        quantize(broken, batches, method=method)


def test_ranges_are_those_of_the_activations():
    model = fold(exported("emotion_cnn"))
    name = next(node.output[0] for node in model.graph.node if node.op_type == "Relu")
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    values = np.concatenate([run(probe, x)[name] for x in batches()])
    found = calibrate.ranges(model, [name], batches, method="minmax")[name]
    assert found == pytest.approx(values.max())
    # from a histogram of 4,096 bins over a sample
    cut = calibrate.ranges(model, [name], batches, method="percentile", percentile=99.0)[name]
    assert cut == pytest.approx(np.percentile(np.abs(values), 99), rel=0.02)


def test_a_percentile_is_a_number_of_whole_bins():
    counts = np.array([5, 0, 4, 1])
    assert [calibrate._bin_at(counts, share) for share in (50.0, 51.0, 90.0, 91.0, 100.0)] == [1, 3, 3, 4, 4]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("options", [{"method": "minmax"}, {"percentile": 100.0}])
def test_what_is_always_0_has_no_range_and_the_largest_value_ends_one(options):
    nodes = [helper.make_node("Abs", ["x"], ["a"]), helper.make_node("Neg", ["a"], ["b"])]
    fp32 = model([*nodes, helper.make_node("Relu", ["b"], ["y"])], {}, shape=("n", 3), end=("n", 3))
    found = calibrate.ranges(fp32, ["a", "y"], lambda: [np.float32([[0, -3, 1], [0, 1, 1]])], **options)
    assert found == {"a": 3.0, "y": 0.0}


@pytest.mark.parametrize(("method", "passes"), [("minmax", 1), ("percentile", 2)])
def test_calibration_reads_a_stream(method, passes):
    opened = []

    def stream():
        opened.append(0)
        yield from batches()

    quantize(exported("emotion_cnn"), stream, method=method)
    assert len(opened) == passes


def test_calibration_rows_are_drawn_by_the_seed_and_sorted():
    rows = np.arange(100, 200)
    one, two, other = (calibrate.choose_rows(rows, 60, seed) for seed in (0, 0, 1))
    assert (one == two).all() and (one != other).any() and len(one) == 60
    assert (np.diff(one) > 0).all() and set(one) <= set(rows)
    assert (calibrate.choose_rows(rows, 1000, 0) == rows).all()


def test_lengths_that_are_computed_stay_whole_numbers():
    # as attention makes a token for each of the batch
    nodes = [
        helper.make_node("Shape", ["x"], ["length"], start=0, end=1),
        helper.make_node("Concat", ["length", "eight"], ["shape"], axis=0),
        helper.make_node("Expand", ["token", "shape"], ["tokens"]),
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Add", ["h", "tokens"], ["s"]),
        helper.make_node("MatMul", ["s", "v"], ["y"]),
    ]
    random = np.random.default_rng(0)
    shapes = {"token": (1, 8), "w": (6, 8), "v": (8, 3)}
    weights = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    fp32 = model(nodes, {**weights, "eight": np.array([8])}, shape=("n", 6), end=("n", 3))
    x = random.normal(size=(16, 6)).astype(np.float32)
    int8 = quantize(fp32, lambda: [x])
    assert [node.op_type for node in int8.graph.node].count("QuantizeLinear") >= 2
    assert cosine(run(fp32, x)["y"], run(int8, x)["y"]) > 0.99

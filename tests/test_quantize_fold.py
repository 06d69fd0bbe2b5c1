"""Folding: fewer and other operators, the same answers."""

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose
from onnx import TensorProto, helper
from quantizable_nets import NETS, exported, model, pictures, run

from emocli.compress.fold import fold

X = pictures(4)
FLOAT = TensorProto.FLOAT


def norm(random, channels):
    """Return the four constants of a BatchNormalization."""
    values = random.normal(size=channels), random.normal(size=channels), random.normal(size=channels)
    return [value.astype(np.float32) for value in (*values, random.uniform(0.5, 2, channels))]


def operators(proto):
    return [node.op_type for node in proto.graph.node]


@pytest.mark.parametrize("name", NETS)
def test_folding_changes_no_answer(name):
    folded = fold(exported(name))
    assert "BatchNormalization" not in operators(folded)
    onnx.checker.check_model(folded, full_check=True)
    want, found = run(exported(name), X), run(folded, X)
    for output in want:
        assert_allclose(found[output], want[output], rtol=1e-3, atol=1e-4)


def test_the_model_itself_is_left_alone():
    before = exported("se_resnet").SerializeToString(deterministic=True)
    fold(exported("se_resnet"))
    assert exported("se_resnet").SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("across", [0, 1])
def test_a_norm_after_a_layer_becomes_part_of_it(across):
    random = np.random.default_rng(0)
    weight = random.normal(size=(4, 5) if across else (5, 4)).astype(np.float32)
    constants = {"w": weight, "b": np.ones(4, np.float32), **dict(zip("gtmv", norm(random, 4), strict=True))}
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=across),
        helper.make_node("BatchNormalization", ["h", "g", "t", "m", "v"], ["y"]),
    ]
    whole = model(nodes, constants, shape=("batch", 5))
    folded, x = fold(whole), random.normal(size=(3, 5)).astype(np.float32)
    assert operators(folded) == ["Gemm"]
    assert_allclose(run(folded, x)["y"], run(whole, x)["y"], rtol=1e-4, atol=1e-5)


def test_two_layers_that_share_a_weight_take_in_a_norm_each():
    random = np.random.default_rng(0)
    constants = {"w": random.normal(size=(3, 3, 1, 1)).astype(np.float32)}
    for place in "12":
        constants |= dict(zip((f"{name}{place}" for name in "gtmv"), norm(random, 3), strict=True))
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["h"]),
        helper.make_node("BatchNormalization", ["h", "g1", "t1", "m1", "v1"], ["i"]),
        helper.make_node("Conv", ["i", "w"], ["j"]),
        helper.make_node("BatchNormalization", ["j", "g2", "t2", "m2", "v2"], ["y"]),
    ]
    plain = model(nodes, constants, end=("batch", 3, 6, 6))
    x = random.normal(size=(2, 3, 6, 6)).astype(np.float32)
    folded = fold(plain)
    assert operators(folded) == ["Conv", "Conv"]
    assert_allclose(run(folded, x)["y"], run(plain, x)["y"], rtol=1e-4, atol=1e-5)


def test_a_norm_by_itself_becomes_a_convolution_of_each_channel():
    random = np.random.default_rng(0)
    nodes = [helper.make_node("BatchNormalization", ["x", "g", "t", "m", "v"], ["y"])]
    whole = model(nodes, dict(zip("gtmv", norm(random, 3), strict=True)), end=("batch", 3, 6, 6))
    folded, x = fold(whole), random.normal(size=(2, 3, 6, 6)).astype(np.float32)
    assert operators(folded) == ["Conv"]
    assert_allclose(run(folded, x)["y"], run(whole, x)["y"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [("batch", 3), ("batch", 3, 6)], ids=["vectors", "frames"])
def test_a_norm_of_vectors_or_frames_by_itself_becomes_arithmetic(shape):
    random = np.random.default_rng(0)
    nodes = [helper.make_node("BatchNormalization", ["x", "g", "t", "m", "v"], ["y"])]
    whole = model(nodes, dict(zip("gtmv", norm(random, 3), strict=True)), shape=shape, end=shape)
    folded, x = fold(whole), random.normal(size=(2, *shape[1:])).astype(np.float32)
    assert operators(folded) == ["Mul", "Add"]
    assert_allclose(run(folded, x)["y"], run(whole, x)["y"], rtol=1e-4, atol=1e-5)


def test_a_convolution_that_something_else_reads_keeps_its_output():
    random = np.random.default_rng(0)
    weights = {"w": random.normal(size=(3, 3, 1, 1)).astype(np.float32)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["h"]),
        helper.make_node("BatchNormalization", ["h", "g", "t", "m", "v"], ["n"]),
        helper.make_node("Add", ["h", "n"], ["y"]),
    ]
    whole = model(nodes, weights | dict(zip("gtmv", norm(random, 3), strict=True)), end=("batch", 3, 6, 6))
    x = random.normal(size=(2, 3, 6, 6)).astype(np.float32)
    assert_allclose(run(fold(whole), x)["y"], run(whole, x)["y"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("keepdims", "then"), [(1, ["GlobalAveragePool"]), (0, ["GlobalAveragePool", "Flatten"])])
def test_a_mean_over_height_and_width_is_a_pool(keepdims, then):
    axes = {"axes": np.array([2, 3])}
    nodes = [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=keepdims)]
    whole = model(nodes, axes, end=("batch", 3, 1, 1) if keepdims else ("batch", 3))
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
    assert operators(fold(whole)) == then
    assert_allclose(run(fold(whole), x)["y"], run(whole, x)["y"], rtol=1e-5, atol=1e-6)


def test_a_mean_over_channels_stays():
    nodes = [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)]
    assert operators(fold(model(nodes, {"axes": np.array([1])}, end=("batch", 6, 6)))) == ["ReduceMean"]


def test_shapes_that_are_known_are_computed_and_the_batch_stays_open():
    nodes = [
        helper.make_node("Shape", ["x"], ["batch_size"], start=0, end=1),
        helper.make_node("Shape", ["x"], ["rest"], start=1, end=2),
        helper.make_node("Constant", [], ["all"], value_ints=[-1]),
        helper.make_node("Concat", ["batch_size", "rest", "all"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    folded = fold(model(nodes, {}, end=("batch", 3, 36)))
    assert operators(folded) == ["Reshape"]
    for n in (1, 5):
        assert run(folded, np.zeros((n, 3, 6, 6), np.float32))["y"].shape == (n, 3, 36)


def test_no_notes_on_shapes_are_left_that_could_say_different_axes_are_alike():
    # onnx gives both parts of an uneven split the same unknown length
    parts = [helper.make_node("Split", ["x", "at"], ["a", "b"], axis=1)]
    sums = [helper.make_node("ReduceSum", [name, "last"], [f"{name}s"], keepdims=1) for name in "ab"]
    nodes = [*parts, *sums, helper.make_node("Mul", ["as", "bs"], ["p"]), helper.make_node("Flatten", ["p"], ["y"])]
    weights = {"at": np.array([1, 2]), "last": np.array([2, 3])}
    split = model(nodes, weights, end=("batch", 2))
    split = onnx.shape_inference.infer_shapes(split)
    assert split.graph.value_info and not fold(split).graph.value_info
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
    assert_allclose(run(fold(split), x)["y"], run(split, x)["y"], rtol=1e-5)

"""The student: its options, and the form it is served in."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from made_nets import SHAPE, made, pixels, scaled, written

from emocli.compress.quantize import quantize
from emocli.errors import EmoError
from emocli.models import student
from emocli.training import export, rebuild
from emocli.training.fusion import fused

SMALL: dict[str, Any] = {"widths": "16-32-32", "blocks": "2-1-3"}
OPTIONS: list[dict[str, Any]] = [
    {"branches": True},
    {"residual": True},
    {"se": True},
    {"branches": True, "residual": True, "se": True},
    {"stem": 4},
    {"stem": 1},
]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_file_and_the_module_rebuilt_from_it_give_the_logits_of_the_net(
    options: dict[str, Any], tmp_path: Path
) -> None:
    options = {**SMALL, **options}
    net = made("student", options)
    path = written(net, "student", options, tmp_path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = net(scaled(pixels(3)))
        assert np.allclose(session.run(["logits"], {"face": pixels(3)})[0], wanted.numpy(), atol=1e-4)
        assert torch.equal(rebuild.rebuild(path)(scaled(pixels(3))), fused(net)(scaled(pixels(3))))


def test_branches_are_served_as_one_convolution_each() -> None:
    operators = [
        node.op_type for node in export.to_onnx(made("student", {**SMALL, "branches": True}), SHAPE).graph.node
    ]
    assert operators.count("Conv") == operators.count("Relu") == 6
    assert not {"BatchNormalization", "Add"} & set(operators)


def test_a_fused_branch_is_the_sum_of_its_branches_at_any_stride() -> None:
    net = made("student", {**SMALL, "branches": True})
    with torch.no_grad():
        assert torch.allclose(fused(net)(scaled(pixels(2))), net(scaled(pixels(2))), atol=1e-5)


def test_fusing_leaves_the_net_that_trains_and_the_global_generator_alone() -> None:
    net = made("student", {**SMALL, "branches": True}).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.manual_seed(9)
    drawn = torch.rand(1)
    torch.manual_seed(9)
    assert fused(net) is not net
    assert torch.equal(torch.rand(1), drawn)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_a_net_without_branches_is_its_own_fused_form() -> None:
    net = made("student", SMALL)
    assert fused(net) is net


def test_every_stage_after_the_first_halves_the_maps() -> None:
    net: Any = made("student", {"widths": "16-16-16-16", "blocks": "1-1-1-1"})
    assert net.features(torch.zeros(1, *SHAPE)).shape == (1, 16, 3, 3)


def test_residual_and_gates_are_where_the_options_say() -> None:
    net = made("student", {**SMALL, "blocks": "3-2-5", "residual": True, "se": True})
    kinds = [type(module).__name__ for module in net.modules()]
    assert (kinds.count("Pair"), kinds.count("SqueezeExcite")) == (3, 3)


def test_two_default_students_fit_the_package_in_both_precisions() -> None:
    count = sum(weight.numel() for weight in student.build(SHAPE, 7).parameters())
    assert 2 * count * (4 + 1.05) < 6e6


def test_int8_answers_as_fp32_does() -> None:
    model = export.to_onnx(made("student", {**SMALL, "branches": True}), SHAPE)
    models = model, quantize(model, lambda: [pixels(16)])
    sessions = [onnxruntime.InferenceSession(each.SerializeToString()) for each in models]
    fp32, int8 = (session.run(["logits"], {"face": pixels(5)})[0] for session in sessions)
    assert np.abs(fp32 - int8).max() < 0.1 * np.abs(fp32).max()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"widths": "32-a-64"}, "whole number"),
        ({"blocks": "2-0-2"}, "whole number"),
        ({"widths": "32-64"}, "give as many"),
        ({"stem": 3}, "1, 2 or 4"),
    ],
)
def test_options_that_make_no_net_are_refused_in_one_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises(EmoError, match=words):
        student.build(SHAPE, 7, **options)

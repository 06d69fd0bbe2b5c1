"""The student: its options, and the form it is served in."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from emocli import architectures, labels, onnx_file
from emocli.artifact import Header
from emocli.compress.quantize import quantize
from emocli.errors import EmoError
from emocli.models import student
from emocli.training import export, rebuild
from emocli.training.fusion import fused

SHAPE = (1, 48, 48)
SMALL = {"widths": "16-32-32", "blocks": "2-1-3"}
OPTIONS = [
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


def shaken(net: nn.Module) -> nn.Module:
    """The net in eval mode with norms as after training: none of them the identity."""
    generator = torch.Generator().manual_seed(2)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, least in ((module.weight.data, 0.5), (module.bias.data, -0.5)):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + least)
            module.running_mean = torch.randn(module.weight.shape, generator=generator) * 0.1
            module.running_var = torch.rand(module.weight.shape, generator=generator) + 0.5
    return net.eval()


def pixels(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def written(net: nn.Module, params: dict[str, object], folder: Path) -> Path:
    _, resolved = architectures.resolve("student", params)
    step = {"command": "train", "name": "student", "params": resolved, "input": "sha256:0"}
    model = export.to_onnx(net, SHAPE)
    onnx_file.write_header(model, Header("model", labels.SEVEN, (step,), "fp32"))
    onnx_file.save(model, folder / "model.onnx")
    return folder / "model.onnx"


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_file_and_the_module_rebuilt_from_it_give_the_logits_of_the_net(
    options: dict[str, object], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    net = shaken(student.build(SHAPE, 7, **SMALL, **options))  # type: ignore[arg-type]
    path = written(net, {**SMALL, **options}, tmp_path)
    seen = torch.from_numpy(pixels(3)).float() / 255
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        assert np.allclose(session.run(["logits"], {"face": pixels(3)})[0], net(seen).numpy(), atol=1e-4)
        assert torch.equal(rebuild.rebuild(path)(seen), fused(net)(seen))


def test_branches_are_served_as_one_convolution_each() -> None:
    net = shaken(student.build(SHAPE, 7, **SMALL, branches=True))  # type: ignore[arg-type]
    operators = [node.op_type for node in export.to_onnx(net, SHAPE).graph.node]
    assert operators.count("Conv") == operators.count("Relu") == 6
    assert not {"BatchNormalization", "Add"} & set(operators)


def test_a_fused_branch_is_the_sum_of_its_branches_at_any_stride() -> None:
    torch.manual_seed(0)
    net = shaken(student.build(SHAPE, 7, **SMALL, branches=True))  # type: ignore[arg-type]
    x = torch.rand(2, *SHAPE)
    with torch.no_grad():
        assert torch.allclose(fused(net)(x), net(x), atol=1e-5)


def test_fusing_leaves_the_net_that_trains_and_the_global_generator_alone() -> None:
    net = student.build(SHAPE, 7, **SMALL, branches=True)  # type: ignore[arg-type]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.manual_seed(9)
    drawn = torch.rand(1)
    torch.manual_seed(9)
    assert fused(net) is not net
    assert torch.equal(torch.rand(1), drawn)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_a_net_without_branches_is_its_own_fused_form() -> None:
    net = student.build(SHAPE, 7, **SMALL)  # type: ignore[arg-type]
    assert fused(net) is net


def test_every_stage_after_the_first_halves_the_maps() -> None:
    net = student.build(SHAPE, 7, widths="16-16-16-16", blocks="1-1-1-1").eval()
    assert net.features(torch.zeros(1, *SHAPE)).shape == (1, 16, 3, 3)  # type: ignore[operator]


def test_residual_and_gates_are_where_the_options_say() -> None:
    net = student.build(SHAPE, 7, **{**SMALL, "blocks": "3-2-5"}, residual=True, se=True)  # type: ignore[arg-type]
    kinds = [type(module).__name__ for module in net.modules()]
    assert (kinds.count("Pair"), kinds.count("SqueezeExcite")) == (3, 3)


def test_two_default_students_fit_the_package_in_both_precisions() -> None:
    count = sum(weight.numel() for weight in student.build(SHAPE, 7).parameters())
    assert 2 * count * (4 + 1.05) < 6e6


def test_int8_answers_as_fp32_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = export.to_onnx(shaken(student.build(SHAPE, 7, **SMALL, branches=True)), SHAPE)  # type: ignore[arg-type]
    int8 = quantize(model, lambda: [pixels(16)])
    logits = [
        onnxruntime.InferenceSession(m.SerializeToString()).run(["logits"], {"face": pixels(5)})[0]
        for m in (model, int8)
    ]
    assert np.abs(logits[0] - logits[1]).max() < 0.1 * np.abs(logits[0]).max()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"widths": "32-a-64"}, "whole number"),
        ({"blocks": "2-0-2"}, "whole number"),
        ({"widths": "32-64"}, "give as many"),
        ({"stem": 3}, "1, 2 or 4"),
    ],
)
def test_options_that_make_no_net_are_refused_in_one_line(options: dict[str, object], words: str) -> None:
    with pytest.raises(EmoError, match=words):
        student.build(SHAPE, 7, **options)  # type: ignore[arg-type]

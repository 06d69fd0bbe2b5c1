"""The architectures of papers: as many weights as published, and what their options change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from made_nets import SHAPE, made, pixels, scaled, written
from torch import nn

from emocli.errors import EmoError
from emocli.models import efficientnet, mobilenetv2, resnet, se_resnet, shufflenetv2, vgg
from emocli.training import rebuild

LARGE = (3, 224, 224)
CONV7 = {"width": 64, "stem": "conv7"}
PUBLISHED: list[tuple[Callable[..., nn.Module], dict[str, Any], int]] = [
    (resnet.build, {"depth": 18, **CONV7}, 11_689_512),
    (resnet.build, {"depth": 34, **CONV7}, 21_797_672),
    (resnet.build, {"depth": 50, **CONV7}, 25_557_032),
    (se_resnet.build, {"depth": 50, **CONV7}, 28_088_024),
    (vgg.build, {"depth": 16, "hidden": 4096}, 138_357_544),
    (efficientnet.build, {"width": 1.0, "halvings": 5}, 5_288_548),
    (efficientnet.build, {"width": 1.0, "depth": 1.1, "halvings": 5}, 7_794_184),
    (efficientnet.build, {"width": 1.1, "depth": 1.2, "halvings": 5}, 9_109_994),
    (mobilenetv2.build, {"width": 1.0, "halvings": 5}, 3_504_872),
    (shufflenetv2.build, {"width": 0.5, "halvings": 5}, 1_366_792),
    (shufflenetv2.build, {"width": 1.0, "halvings": 5}, 2_278_604),
    (shufflenetv2.build, {"width": 1.5, "halvings": 5}, 3_503_624),
    (shufflenetv2.build, {"width": 2.0, "halvings": 5}, 7_393_996),
]
"""For 1000 classes, as counted in the papers' reference implementations (torchvision; SE-ResNet: the authors')."""
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("resnet", {"width": 16, "neck": "fpn"}),
    ("resnet", {"width": 16, "depth": 50}),
    ("se-resnet", {"width": 16, "neck": "fpn"}),
    ("vgg", {"depth": 16, "norm": True, "hidden": 64}),
    ("mobilenetv2", {"stem": "s2d"}),
    ("efficientnet", {"stem": "s2d", "activation": "relu", "halvings": 3}),
    ("shufflenetv2", {"stem": "s2d", "halvings": 5, "width": 0.5}),
]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def parameters(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def kinds(net: nn.Module, kind: type[nn.Module]) -> list[Any]:
    return [module for module in net.modules() if isinstance(module, kind)]


@pytest.mark.parametrize(("build", "options", "count"), PUBLISHED)
def test_a_net_has_the_published_number_of_parameters(
    build: Callable[..., nn.Module], options: dict[str, Any], count: int
) -> None:
    with torch.device("meta"):  # shapes without numbers: VGG16 would take half a gigabyte
        assert parameters(build(LARGE, 1000, **options)) == count


@pytest.mark.parametrize(("arch", "options"), OPTIONS, ids=str)
def test_the_file_and_the_module_rebuilt_from_it_give_the_logits_of_the_net(
    arch: str, options: dict[str, Any], tmp_path: Path
) -> None:
    net = made(arch, options)
    path = written(net, arch, options, tmp_path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for n in (1, 3):
        with torch.no_grad():
            wanted = net(scaled(pixels(n)))
            assert np.allclose(session.run(["logits"], {"face": pixels(n)})[0], wanted.numpy(), atol=1e-4)
            assert torch.equal(rebuild.rebuild(path)(scaled(pixels(n))), wanted)


# --- VGG


def test_vgg13_is_that_of_the_fer_plus_paper() -> None:
    net = vgg.build((1, 64, 64), 8)
    assert parameters(net) == 8_757_704
    assert [conv.out_channels for conv in kinds(net, nn.Conv2d)] == [64] * 2 + [128] * 2 + [256] * 6
    assert [layer.out_features for layer in kinds(net, nn.Linear)] == [1024, 1024, 8]
    assert sorted(layer.p for layer in kinds(net, nn.Dropout)) == [0.25] * 4 + [0.5] * 2
    assert len(kinds(net, nn.MaxPool2d)) == 4 and not kinds(net, nn.BatchNorm2d)


def test_vgg_begins_as_the_published_code_does() -> None:
    for conv in kinds(vgg.build(SHAPE, 7), nn.Conv2d)[1:]:
        glorot = (2 / (9 * (conv.in_channels + conv.out_channels))) ** 0.5
        assert abs(conv.weight.std() / glorot - 1) < 0.05 and not conv.bias.any()


@pytest.mark.parametrize("depth", [13, 16])
def test_vgg_has_a_norm_for_each_convolution_where_asked(depth: int) -> None:
    net = vgg.build(SHAPE, 7, depth=depth, norm=True, hidden=16)
    assert len(kinds(net, nn.BatchNorm2d)) == len(kinds(net, nn.Conv2d)) == depth - 3


# --- residual nets and their neck


def test_resnet_is_se_resnet_without_gates() -> None:
    gated = se_resnet.build(SHAPE, 7, depth=18, width=16).state_dict()
    plain = resnet.build(SHAPE, 7, depth=18, width=16).state_dict()
    assert set(plain) == {name for name in gated if ".se." not in name}


@pytest.mark.parametrize("build", [resnet.build, se_resnet.build])
def test_a_feature_pyramid_brings_the_coarse_maps_to_the_fine_ones(build: Callable[..., nn.Module]) -> None:
    net: Any = build(SHAPE, 7, width=16, neck="fpn")
    embedding = net.embed(torch.rand(2, *SHAPE))
    assert embedding.shape == (2, 4 * 16)
    embedding[:, :16].sum().backward()  # pooled from the finest map
    last = kinds(net.features[-1].stages[-1], nn.Conv2d)[-1]
    assert last.weight.grad.abs().sum() > 0


def test_a_feature_pyramid_takes_maps_that_are_not_halves_of_each_other() -> None:
    net: Any = resnet.build((1, 40, 40), 7, width=16, neck="fpn").eval()
    assert net(torch.zeros(1, 1, 40, 40)).shape == (1, 7)  # maps of 20, 10, 5 and 3


# --- nets for few multiply-adds


@pytest.mark.parametrize("build", [mobilenetv2.build, efficientnet.build, shufflenetv2.build])
@pytest.mark.parametrize("stem", ["conv", "s2d"])
@pytest.mark.parametrize(("halvings", "side"), [(3, 6), (4, 3), (5, 2)])
def test_the_image_is_halved_as_often_as_told(
    build: Callable[..., nn.Module], stem: str, halvings: int, side: int
) -> None:
    net: Any = build(SHAPE, 7, halvings=halvings, stem=stem).eval()
    assert net.features(torch.zeros(1, *SHAPE)).shape[2:] == (side, side)


def test_a_shufflenet_unit_mixes_what_it_passes_with_what_it_makes() -> None:
    unit = shufflenetv2.Unit(8, 8, 1).eval()
    x = torch.rand(1, 8, 4, 4)
    with torch.no_grad():
        y = unit(x)
    assert torch.equal(y[:, 0::2], x[:, :4])  # untouched, now every second channel


def test_efficientnet_has_a_gate_in_every_block_and_the_activation_it_is_told() -> None:
    silu, relu = (efficientnet.build(SHAPE, 7, activation=name) for name in ("silu", "relu"))
    assert len(kinds(silu, nn.AdaptiveAvgPool2d)) == 16
    assert kinds(silu, nn.SiLU) and not kinds(silu, nn.ReLU)
    assert kinds(relu, nn.ReLU) and not kinds(relu, nn.SiLU)


# --- mistakes


@pytest.mark.parametrize(
    ("build", "options", "words"),
    [
        (resnet.build, {"depth": 12}, "10, 18, 34, 50"),
        (resnet.build, {"stem": "s2d8"}, "s2d2, s2d4 or conv7"),
        (resnet.build, {"neck": "bifpn"}, "none or fpn"),
        (se_resnet.build, {"reduction": 0}, "resnet"),
        (vgg.build, {"depth": 19}, "13, 16"),
        (efficientnet.build, {"activation": "gelu"}, "silu or relu"),
        (efficientnet.build, {"halvings": 6}, "3 to 5"),
        (efficientnet.build, {"stem": "s2d2"}, "conv or s2d"),
        (mobilenetv2.build, {"stem": "s2d2"}, "conv or s2d"),
        (shufflenetv2.build, {"width": 0.75}, "0.5, 1.0, 1.5, 2.0"),
        (shufflenetv2.build, {"halvings": 2}, "3 to 5"),
    ],
)
def test_options_out_of_range_are_refused_in_one_line(
    build: Callable[..., nn.Module], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(EmoError, match=words):
        build(SHAPE, 7, **options)


def test_an_image_too_small_for_five_pools_is_refused() -> None:
    with pytest.raises(EmoError, match="at least 32 pixels"):
        vgg.build((1, 24, 24), 7, depth=16)

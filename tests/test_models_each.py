"""What is particular to one architecture."""

import runpy
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from emocli.errors import EmoError
from emocli.models import emotion_cnn, mini_xception, mobilenetv2, se_resnet, timm
from emocli.models._residual import Block
from emocli.models._squeeze import SqueezeExcite


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def parameters(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def test_mini_xception_has_the_published_number_of_parameters() -> None:
    net = mini_xception.build((1, 64, 64), 7)
    counted = sum(tensor.numel() for name, tensor in net.state_dict().items() if "num_batches" not in name)
    assert counted == 58_423  # Keras counts the norms' running statistics too


def test_mini_xception_with_the_published_weights_reaches_the_published_accuracy(corpora: Path) -> None:
    script = Path(__file__).parents[1] / "examples" / "bench" / "published_mini_xception.py"
    published = runpy.run_path(str(script))["net_of"]
    net = published(corpora / "models" / "fer2013_mini_XCEPTION.107-0.66.hdf5")
    import cv2

    with h5py.File(corpora / "fer2013_delta.h5") as file:
        faces, truth = _public_test(file)
    large = torch.from_numpy(np.stack([cv2.resize(face, (64, 64)) for face in faces])[:, None])
    with torch.no_grad():
        # all at once take twice as long
        found = torch.cat([net(some.float() / 255).argmax(1) for some in large.split(64)]).numpy()
    assert abs((found == truth).mean() - 0.6506) < 0.0005


@pytest.mark.parametrize("depth", [10, 18, 34, 50])
def test_se_resnet_has_one_gate_a_block(depth: int) -> None:
    net = se_resnet.build((1, 48, 48), 7, depth=depth, width=16)
    gates = sum(isinstance(module, SqueezeExcite) for module in net.modules())
    assert gates == {10: 4, 18: 8, 34: 16, 50: 16}[depth]
    assert net.eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 7)


@pytest.mark.parametrize("stem", ["s2d2", "s2d4", "conv7"])
def test_se_resnet_takes_colour_and_any_stem(stem: str) -> None:
    net = se_resnet.build((3, 64, 64), 8, width=16, stem=stem)
    assert net.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 8)


def test_space_to_depth_loses_no_pixel() -> None:
    x = torch.arange(2 * 3 * 8 * 8).float().view(2, 3, 8, 8)
    y = nn.PixelUnshuffle(2)(x)
    assert torch.equal(nn.PixelShuffle(2)(y), x)


def test_the_squeeze_and_excitation_gate_scales_the_branch_before_the_addition() -> None:
    block = Block(16, 16, 1, 16, bottleneck=False).eval()
    nn.init.ones_(block.branch[-1].weight)
    x = torch.rand(1, 16, 8, 8)
    with torch.no_grad():
        nn.init.constant_(block.se.expand.bias, -1e4)  # a gate that is shut leaves the shortcut alone
        assert torch.equal(block(x), torch.relu(x))


def test_the_gates_gradient_in_training_is_that_of_the_plain_formula() -> None:
    gate = SqueezeExcite(6, 2)
    x = torch.randn(3, 6, 5, 4, requires_grad=True)
    upstream = torch.randn(3, 6, 5, 4)
    gradients = [torch.autograd.grad(gate.train(mode)(x), [x, *gate.parameters()], upstream) for mode in (True, False)]
    for fused, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(fused, plain)


def test_mobilenetv2_has_no_activation_that_int8_runtimes_do_not_fuse() -> None:
    net = mobilenetv2.build((1, 48, 48), 7)
    assert not any(isinstance(module, nn.ReLU6) for module in net.modules())


def test_emotion_cnn_is_small() -> None:
    assert parameters(emotion_cnn.build((1, 48, 48), 7)) < 300_000


def test_a_timm_model_that_does_not_exist_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(EmoError, match="resnet18"):
        timm.build((1, 48, 48), 7, name="esnet18")


@pytest.mark.parametrize(
    ("build", "options", "words"),
    [
        (se_resnet.build, {"depth": 12}, "10, 18, 34, 50"),
        (se_resnet.build, {"stem": "s2d8"}, "s2d2, s2d4 or conv7"),
        (mobilenetv2.build, {"halvings": 2}, "3 to 5"),
    ],
)
def test_options_out_of_range_are_refused_in_one_line(build, options, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(EmoError, match=words):
        build((1, 48, 48), 7, **options)


def test_a_side_that_a_stem_cannot_split_is_refused() -> None:
    with pytest.raises(EmoError, match="multiples of 4"):
        se_resnet.build((1, 50, 50), 7, stem="s2d4")


def _public_test(file: h5py.File) -> tuple[np.ndarray, np.ndarray]:
    """FER2013's PublicTest, (n, 48, 48) uint8 and labels; the packed file holds differences along rows and columns."""
    rows = np.flatnonzero(file["usage"][:] == 1)
    delta = file["pixels_delta"][rows[0] : rows[-1] + 1]
    faces = delta.cumsum(2, dtype=np.uint8).cumsum(1, dtype=np.uint8)
    return faces, file["emotion"][rows[0] : rows[-1] + 1]

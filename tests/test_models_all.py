"""Every architecture: shapes, gradients, export, and the torch module rebuilt from its model file."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from emocli import architectures, labels, onnx_file, registry
from emocli.artifact import Header
from emocli.compress.quantize import quantize
from emocli.errors import EmoError
from emocli.training import export, loop, rebuild

IMAGES, VECTORS, SEQUENCES = (1, 48, 48), (24,), (-1, 24)
ARCHITECTURES = [name if name != "timm" else "timm/resnet10t" for name in registry.names("models")]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def shape_of(arch: str) -> tuple[int, ...]:
    """An architecture is for images, or says that it takes vectors or sequences of frames."""
    if arch in ("mlp", "svm", "logistic"):
        return VECTORS
    return SEQUENCES if registry.describe("models", arch.split("/")[0]).modality in ("speech", "text") else IMAGES


def input_name(arch: str) -> str:
    return "speech" if shape_of(arch) == SEQUENCES else "face"


def trained(arch: str, shape: tuple[int, ...]) -> nn.Module:
    """A net with weights and statistics as after training, so that no norm is the identity."""
    name, params = architectures.resolve(arch, {})
    net = loop.make(name, shape, 7, params, seed=1)
    generator = torch.Generator().manual_seed(2)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            if module.affine:
                module.weight.data = torch.rand(module.weight.shape, generator=generator) * 0.5 + 0.5
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    return net.eval()


def batch(shape: tuple[int, ...], n: int) -> tuple[np.ndarray, torch.Tensor]:
    """What the model takes, and the same for the net."""
    rng = np.random.default_rng(n)
    if len(shape) < 3:
        vectors = rng.standard_normal((n, *(37 if size == -1 else size for size in shape)), np.float32)
        return vectors, torch.from_numpy(vectors)
    pixels = rng.integers(0, 256, (n, *shape), np.uint8)
    return pixels, torch.from_numpy(pixels).float() / 255


@pytest.fixture(scope="module", params=ARCHITECTURES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, nn.Module, Path]:
    """An architecture's name, a net of it and the model file written from that net."""
    torch.set_num_threads(1)
    arch: str = request.param
    net = trained(arch, shape_of(arch))
    model = export.to_onnx(net, shape_of(arch), input_name=input_name(arch))
    name, params = architectures.resolve(arch, {})
    step = {"command": "train", "name": name, "params": params, "input": "sha256:0"}
    onnx_file.write_header(model, Header("model", labels.SEVEN, (step,), "fp32"))
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    onnx_file.save(model, path)
    return arch, net, path


@pytest.mark.parametrize("n", [1, 5])
def test_the_model_file_gives_the_nets_logits_and_embedding(made: tuple[str, nn.Module, Path], n: int) -> None:
    arch, net, path = made
    given, seen = batch(shape_of(arch), n)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits, embedding = session.run(["logits", "embedding"], {input_name(arch): given})
    with torch.no_grad():
        assert np.allclose(logits, net(seen).numpy(), atol=1e-4)
        assert np.allclose(embedding, net.embed(seen).numpy(), atol=1e-4)  # type: ignore[operator]
    assert logits.shape == (n, 7) and embedding.ndim == 2


def test_the_module_rebuilt_from_the_file_gives_the_same_logits(made: tuple[str, nn.Module, Path]) -> None:
    arch, net, path = made
    _, seen = batch(shape_of(arch), 3)
    with torch.no_grad():
        assert torch.equal(rebuild.rebuild(path)(seen), net(seen))


def test_initializers_have_the_names_of_the_state_dict(made: tuple[str, nn.Module, Path]) -> None:
    _, net, path = made
    names = {tensor.name for tensor in onnx_file.load(path).graph.initializer}
    assert {name for name in net.state_dict() if not name.endswith("num_batches_tracked")} <= names


def test_the_graph_pools_with_an_operator_that_quantizes_and_keeps_its_norms(
    made: tuple[str, nn.Module, Path],
) -> None:
    arch, net, path = made
    if shape_of(arch) == SEQUENCES:
        pytest.skip("what is padding is worked out in the graph")
    operators = [node.op_type for node in onnx_file.load(path).graph.node]
    norms = sum(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in net.modules())
    assert operators.count("BatchNormalization") == norms
    assert not {"ReduceMean", "Expand", "Shape", "CastLike", "Identity"} & set(operators)


def test_an_image_net_quantizes_with_its_weights_in_int8(made: tuple[str, nn.Module, Path]) -> None:
    arch, net, path = made
    shape = shape_of(arch)
    if shape != IMAGES:
        pytest.skip("takes no images")
    int8 = quantize(onnx_file.load(path), lambda: [batch(shape, 8)[0]])
    weights = sum(weight.numel() for weight in net.parameters() if weight.ndim > 1)
    assert int8.ByteSize() < 1.6 * weights + 200_000
    given, _ = batch(shape, 5)
    fp32, quantized = (
        onnxruntime.InferenceSession(model).run(["logits"], {"face": given})[0]
        for model in (path.read_bytes(), int8.SerializeToString())
    )
    assert np.abs(fp32 - quantized).max() < 0.2 * np.abs(fp32).max()


def test_the_file_says_nothing_of_the_machine_or_the_source(made: tuple[str, nn.Module, Path]) -> None:
    _, _, path = made
    model = onnx_file.load(path)
    assert [entry.key for entry in model.metadata_props] == ["emo"]
    for tensor in model.graph.initializer:  # tens of millions of random bytes hold any three in a row
        tensor.ClearField("raw_data")
    content = model.SerializeToString()
    assert b".py" not in content and str(Path.home()).encode() not in content


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_weight_learns(arch: str) -> None:
    net = trained(arch, shape_of(arch)).train()
    if not list(net.parameters()):
        pytest.skip("has no weights that learn step by step")
    nn.functional.cross_entropy(net(batch(shape_of(arch), 4)[1]), torch.tensor([0, 1, 2, 3])).backward()
    assert [name for name, weight in net.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_generator_alone(arch: str) -> None:
    name, params = architectures.resolve(arch, {})
    torch.manual_seed(9)
    first = loop.make(name, shape_of(arch), 7, params, seed=3).state_dict()
    drawn = torch.rand(1)
    torch.manual_seed(9)
    second = loop.make(name, shape_of(arch), 7, params, seed=3).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert torch.equal(drawn, torch.rand(1))


@pytest.mark.parametrize("arch", [arch for arch in ARCHITECTURES if shape_of(arch) != VECTORS])
def test_a_net_that_takes_no_vectors_refuses_them_and_names_the_one_that_takes_them(arch: str) -> None:
    name, params = architectures.resolve(arch, {})
    with pytest.raises(EmoError, match="mlp"):
        loop.make(name, VECTORS, 7, params, seed=0)


@pytest.mark.parametrize("arch", [arch for arch in ARCHITECTURES if arch != "mlp"])
def test_a_net_refuses_what_is_another_shape_and_names_one_that_takes_it(arch: str) -> None:
    name, params = architectures.resolve(arch, {})
    own = shape_of(arch)
    for shape, taker in ((IMAGES, "se-resnet"), (SEQUENCES, "lstm")):
        if shape != own:
            with pytest.raises(EmoError, match=taker):
                loop.make(name, shape, 7, params, seed=0)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    net = loop.make("emotion-cnn", IMAGES, 7, {"width": 16, "dropout": 0.3}, seed=0)
    model = export.to_onnx(net, IMAGES)
    step = {"command": "train", "name": "emotion-cnn", "params": {"width": 32, "dropout": 0.3}, "input": ""}
    onnx_file.write_header(model, Header("model", labels.SEVEN, (step,), "fp32"))
    onnx_file.save(model, tmp_path / "model.onnx")
    with pytest.raises(EmoError, match="shape"):
        rebuild.rebuild(tmp_path / "model.onnx")
    del step["params"]
    with pytest.raises(EmoError, match="is no FP32 model of emo train"):
        rebuild.from_model(model, Header("model", labels.SEVEN, (step,), "fp32"))


def test_the_same_net_gives_the_same_bytes() -> None:
    net = trained("emotion-cnn", IMAGES)
    first, second = (export.to_onnx(net, IMAGES).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("arch", "shape", "params", "says"),
    [
        ("student", (1, 48, 48), {"dropout": 2.0}, "no student can be built with .*dropout=2"),
        ("emotion-cnn", (1, 48, 48), {"width": 0}, "no emotion-cnn can be built .*: a layer would be empty"),
        ("speech-resnet", (-1, 64), {"width": -4}, "no speech-resnet can be built"),
        ("bilstm-attention", (-1, 64), {"width": -1}, "-1 is odd, use 2"),
        ("mlp", (-1, 64), {}, "mlp takes vectors"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_can_not_be_built_is_one_line(
    arch: str, shape: tuple[int, ...], params: dict[str, object], says: str
) -> None:
    name, options = architectures.resolve(arch, {key: str(value) for key, value in params.items()})
    with pytest.raises(EmoError, match=says) as refusal:
        architectures.build(name, shape, 7, options)
    assert "\n" not in str(refusal.value)

"""Nets on sequences: padding changes nothing, neither an answer nor a statistic."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emocli import architectures, registry
from emocli.data import padding
from emocli.errors import EmoError
from emocli.models import _sequence
from emocli.models._recurrent import Recurrent
from emocli.models.speech_resnet import build as speech_resnet
from emocli.training import export, loop

NETS = [name for name in registry.names("models") if registry.describe("models", name).modality in ("speech", "text")]
LENGTHS = (61, 34, 17, 1)
WIDTH, CLASSES = 24, 7
"""As in test_models_all.py, whose exports these then are."""
Made = tuple[nn.Module, onnxruntime.InferenceSession, list[str]]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def clips(lengths: tuple[int, ...] = LENGTHS, width: int = WIDTH) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(3, 2, (length, width)).astype(np.float32) for length in lengths]


def net_of(arch: str) -> nn.Module:
    """A net with the statistics of some training, so that padding would not be 0 by itself."""
    name, params = architectures.resolve(arch, {})
    net = loop.make(name, (-1, WIDTH), CLASSES, params, seed=1).train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.from_numpy(padding.pad(clips((40, 30, 20)))))
    return net.eval()


@pytest.fixture(scope="module", params=NETS)
def made(request: pytest.FixtureRequest) -> Made:
    """A net, its model ready to run and the operators of that."""
    torch.set_num_threads(1)
    net = net_of(request.param)
    model = export.to_onnx(net, (-1, WIDTH), input_name="speech")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", "frames", WIDTH]
    return net, session, [node.op_type for node in model.graph.node]


def test_a_clip_gets_the_same_logits_alone_and_padded_in_torch_and_in_onnx_runtime(
    made: Made,
) -> None:
    net, session, _ = made
    batch = padding.pad(clips())
    together, embedding = session.run(["logits", "embedding"], {"speech": batch})
    with torch.no_grad():
        torch_logits, torch_embedding = net.outputs(torch.from_numpy(batch))  # type: ignore[operator]
        alone = [net(torch.from_numpy(clip[None])).numpy()[0] for clip in clips()]
    exported_alone = [session.run(["logits"], {"speech": clip[None]})[0][0] for clip in clips()]
    assert np.allclose(embedding, torch_embedding.numpy(), atol=1e-4)
    for found in (torch_logits.numpy(), alone, exported_alone):
        assert np.allclose(together, found, atol=1e-4)
    assert np.isfinite(together).all() and np.ptp(together, axis=0).max() > 1e-3


@pytest.mark.parametrize("arch", NETS)
def test_a_net_has_fewer_than_a_million_parameters_by_default(arch: str) -> None:
    assert sum(weight.numel() for weight in net_of(arch).parameters()) < 1_000_000


@pytest.mark.parametrize("arch", NETS)
def test_a_gradient_never_comes_from_padding(arch: str) -> None:
    name, params = architectures.resolve(arch, {})
    net = loop.make(name, (-1, WIDTH), 5, params, seed=1).train()
    x = torch.from_numpy(padding.pad(clips((30, 12)))).requires_grad_()
    net(x).logsumexp(1).sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in net.parameters() if weight.grad is not None)
    assert x.grad is not None and not x.grad[1, 12:].any() and x.grad[1, :12].any()


def training(net: nn.Module, *, frozen: bool) -> nn.Module:
    """The net as a step of training uses it but for dropout, with its norms frozen or not."""
    for module in net.train().modules():
        if isinstance(module, nn.Dropout) or (frozen and isinstance(module, nn.BatchNorm1d)):
            module.eval()
    return net


@pytest.mark.parametrize("arch", NETS)
@pytest.mark.parametrize("frozen", [False, True])
def test_padding_changes_nothing_in_training_either_with_norms_that_learn_and_frozen_ones(
    arch: str, frozen: bool
) -> None:
    net, x = training(net_of(arch), frozen=frozen), torch.from_numpy(np.stack(clips((32, 32, 32))))
    longer = torch.cat([x, torch.full((3, 16, WIDTH), torch.nan)], 1)
    with torch.no_grad():
        short, long = net(x), net(longer)
    assert torch.allclose(short, long, atol=1e-4) and short.std() > 1e-3


def test_the_norm_takes_its_statistics_from_real_frames_alone() -> None:
    given = clips((30, 12, 5))
    x, real = _sequence.unpad(torch.from_numpy(padding.pad(given)))
    norm, plain = _sequence.FrameNorm(WIDTH).train(), nn.BatchNorm1d(WIDTH).train()
    normed = norm(x.transpose(1, 2), real).transpose(1, 2)
    wanted = plain(torch.from_numpy(np.concatenate(given)))
    assert torch.allclose(normed[real > 0], wanted, atol=1e-5) and not normed[real == 0].any()
    assert torch.allclose(norm.running_mean, plain.running_mean)  # type: ignore[arg-type]
    assert torch.allclose(norm.running_var, plain.running_var)  # type: ignore[arg-type]


def test_both_directions_are_those_of_torchs_bidirectional_lstm() -> None:
    torch.manual_seed(0)
    ours = Recurrent(WIDTH, 16, 1, both=True, dropout=0.0).eval()
    theirs = nn.LSTM(WIDTH, 8, batch_first=True, bidirectional=True)
    assert ours.back is not None
    for suffix, layer in (("", ours.forth[0]), ("_reverse", ours.back[0])):
        for name, weight in layer.named_parameters():
            getattr(theirs, name + suffix).data = weight.data
    x, real = _sequence.unpad(torch.from_numpy(padding.pad(clips())))
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True)
    with torch.no_grad():
        wanted = pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
        assert torch.allclose(ours(x, real)[real > 0], wanted[real > 0], atol=1e-6)


def test_each_layer_and_direction_is_one_lstm_operator(made: Made) -> None:
    net, _, operators = made
    assert operators.count("LSTM") == sum(isinstance(module, nn.LSTM) for module in net.modules())
    assert not {"Loop", "Scan"} & set(operators)


def test_attention_shares_one_among_the_real_frames() -> None:
    x, real = _sequence.unpad(torch.from_numpy(padding.pad(clips())))
    weights = _sequence.Attention(WIDTH, 8)(x, real)
    assert torch.allclose(weights.sum(1), torch.ones(len(LENGTHS))) and not weights[real == 0].any()


def test_statistics_pooling_gives_weighted_mean_and_deviation() -> None:
    x, real = _sequence.unpad(torch.from_numpy(padding.pad(clips())))
    pool = _sequence.StatisticsPool(WIDTH, 8)
    with torch.no_grad():
        weights, pooled = _sequence.Attention.forward(pool, x, real).numpy(), pool(x, real).numpy()
    for row, clip in enumerate(clips()):
        share = weights[row, : len(clip)].astype(np.float64)
        mean = np.average(clip, axis=0, weights=share)
        deviation = np.sqrt(np.average((clip - mean) ** 2, axis=0, weights=share) + 1e-6)
        assert np.allclose(pooled[row], np.concatenate([mean, deviation]), atol=1e-4)


def test_frames_are_stacked_in_their_order_and_the_last_is_filled() -> None:
    x = torch.arange(5.0)[None, None]
    stacked, real = _sequence.stacked(x, torch.ones(1, 5), 2)
    assert stacked[0].T.tolist() == [[0, 1], [2, 3], [4, 0]] and real.tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("reduction", [0, 8])
def test_speech_resnet_has_a_gate_a_block_where_it_is_asked_for(reduction: int) -> None:
    net = speech_resnet((-1, WIDTH), 5, width=8, reduction=reduction)
    assert sum(".gate.expand.weight" in name for name, _ in net.named_parameters()) == (3 if reduction else 0)


@pytest.mark.parametrize(
    ("arch", "option", "words"),
    [
        ("bilstm-attention", {"width": "63"}, "use 64"),
        ("conformer", {"kernel": "8"}, "use 9"),
        ("conformer", {"heads": "5"}, "no multiple of 5"),
        ("speech-resnet", {"stages": "5"}, "24 bands 5 times"),
        ("text-cnn", {"kernel": "4"}, "use 5"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(arch: str, option: dict[str, str], words: str) -> None:
    name, params = architectures.resolve(arch, option)
    with pytest.raises(EmoError, match=words):
        loop.make(name, (-1, WIDTH), 5, params, seed=0)


def test_features_without_a_named_architecture_have_one_that_takes_them() -> None:
    for shape, modality in (((1, 48, 48), "face"), ((24,), "text"), ((-1, WIDTH), "speech"), ((-1, WIDTH), "text")):
        name, params = architectures.resolve(architectures.default(shape, modality), {})
        assert loop.make(name, shape, 5, params, seed=0)


def test_the_first_of_a_batch_comes_without_its_padding() -> None:
    assert padding.first(np.zeros((3, 4), np.float32)).shape == (1, 4)
    assert padding.first(padding.pad(clips((5, 9)))).shape == (1, 5, WIDTH)


@pytest.mark.parametrize(
    ("arch", "option"),
    [("speech-resnet", "stages"), ("speech-resnet", "blocks"), ("conformer", "heads"), ("conformer", "layers"),
     ("lstm", "layers"), ("bilstm-attention", "layers"), ("text-cnn", "layers")],
)  # fmt: skip
@pytest.mark.parametrize("count", [0, -4])
def test_a_net_without_a_layer_is_refused(arch: str, option: str, count: int) -> None:
    params = registry.resolve("models", arch, {option: str(count)})
    with pytest.raises(EmoError, match=f"at least one of its {option}, not {option}={count}"):
        architectures.build(arch, (-1, 64), 8, params)

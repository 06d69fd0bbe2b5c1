"""Beginning with another model's weights, freezing, layer-wise rates, and the even average at the end of a run."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from conftest import write_features
from small_model import write_model
from small_runs import QUICK, small_net, three_classes, trained
from torch import Generator, nn

from emocli import onnx_file, pipes, registry, replaying
from emocli.data import hdf5
from emocli.errors import EmoError
from emocli.training import average, batchnorm, layers, loop, rebuild, session, transfer
from emocli.training.recipe import Recipe

STEP = {"command": "train", "name": "emotion-cnn", "params": {"width": 8, "dropout": 0.0}}
STILL = replace(QUICK, epochs=1, lr=0.0, ema=0.0)
"""Trains nothing: what comes out is what it began with."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hdf5.Data]:
    with hdf5.open_data(three_classes(tmp_path_factory.mktemp("data") / "features.h5")) as opened:
        yield opened


def made(features: Path, path: Path, recipe: Recipe, notes: list[str] | None = None, **step: object) -> Path:
    """Do what `emo train` does, without a process for it."""
    how = session.How(resume=False, strict=False, drop_leaks=False, note=(notes if notes is not None else []).append)
    session.forget(session.write(pipes.read(str(features), "features"), path, {**STEP, **step}, recipe, how))
    return path


@pytest.fixture(scope="module")
def model(features_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three classes."""
    return made(features_file, tmp_path_factory.mktemp("model") / "three.onnx", replace(QUICK, epochs=1))


def state(path: Path) -> dict[str, torch.Tensor]:
    return rebuild.rebuild(path).state_dict()


# --- --init


def test_a_net_with_branches_begins_as_none_since_models_hold_their_sum(model: Path, data: hdf5.Data) -> None:
    net = loop.make("student", data.shape, len(data.labels), {"widths": "8-16", "blocks": "1-1", "branches": True}, 0)
    with pytest.raises(EmoError, match="can't fill a net with branches"):
        transfer.fill(net, pipes.read(str(model), "model"), data.labels, lambda text: None)


def test_a_net_begins_with_the_weights_of_the_model_and_draws_a_head_of_other_classes(
    model: Path, tmp_path: Path
) -> None:
    write_features(tmp_path / "four.h5", classes=4)
    notes: list[str] = []
    four = state(made(tmp_path / "four.h5", tmp_path / "four.onnx", replace(STILL, init=str(model)), notes))
    three = state(model)
    trainable = [name for name in three if name.endswith(("weight", "bias")) and not name.startswith("head")]
    assert trainable and all(torch.equal(four[name], three[name]) for name in trainable)
    assert four["head.weight"].shape == (4, 32)
    assert any(note.endswith(f"of {model}; drawn anew: head.weight, head.bias") for note in notes)


def test_the_header_names_the_first_model_by_its_hash_and_its_terms_and_replay_finds_it(
    model: Path, features_file: Path, tmp_path: Path
) -> None:
    path = made(features_file, tmp_path / "a.onnx", replace(STILL, init=str(model)))
    header = onnx_file.read_header(path)
    digest = pipes.read(str(model), "model").digest
    step = header.steps[-1]
    assert step["options"]["init"] == digest and step["license"] == "none"
    assert str(model.parent) not in header.to_json()
    line = replaying.pipeline(header)
    assert f"--init {digest}" in line and line.splitlines()[1].startswith(f"# {digest} is the model")
    again = made(features_file, tmp_path / "b.onnx", replace(STILL, init=digest))
    assert again.read_bytes() == path.read_bytes()


def test_all_weights_that_fit_are_used_and_nothing_is_said_to_be_drawn(model: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    fresh = loop.make("emotion-cnn", (1, 48, 48), 3, STEP["params"], seed=5)  # type: ignore[arg-type]
    source = transfer.source(str(model))
    assert source is not None
    before = torch.random.get_rng_state()
    transfer.fill(fresh, source, source.header.labels, notes.append)
    assert torch.equal(before, torch.random.get_rng_state())
    wanted = state(model)
    assert all(torch.equal(value, wanted[name]) for name, value in fresh.state_dict().items() if "num" not in name)
    assert len(notes) == 1 and "drawn anew" not in notes[0]


def test_a_head_is_put_in_the_order_of_the_labels_and_drawn_anew_for_others(model: Path) -> None:
    source, wanted = transfer.source(str(model)), state(model)
    assert source is not None
    for labels, rows in ((source.header.labels[::-1], [2, 1, 0]), (("calm", *source.header.labels[1:]), None)):
        fresh = loop.make("emotion-cnn", (1, 48, 48), 3, STEP["params"], seed=5)  # type: ignore[arg-type]
        drawn, notes = fresh.head.weight.detach().clone(), list[str]()  # type: ignore[union-attr,operator]
        transfer.fill(fresh, source, labels, notes.append)
        head = fresh.head.weight  # type: ignore[union-attr]
        assert torch.equal(head, drawn if rows is None else wanted["head.weight"][rows])  # type: ignore[arg-type]
        assert ("drawn anew: head.weight, head.bias" in notes[0]) == (rows is None)


def test_a_model_that_has_nothing_in_common_is_refused(model: Path, features_file: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="no weights in common with this net; use its --arch"):
        made(features_file, tmp_path / "x.onnx", replace(STILL, init=str(model)), name="mlp", params={"layers": 1})


def test_only_an_fp32_model_of_emo_can_be_the_first(features_file: Path, tmp_path: Path) -> None:
    path = write_model(tmp_path / "int8.onnx")
    model = onnx_file.load(path)
    onnx_file.write_header(model, replace(onnx_file.read_header(path), precision="int8"))
    onnx_file.save(model, path)
    with pytest.raises(EmoError, match="is no FP32 model"):
        made(features_file, tmp_path / "x.onnx", replace(STILL, init=str(path)))
    with pytest.raises(EmoError, match="holds a features, expected model"):
        transfer.source(str(features_file))
    with pytest.raises(EmoError, match="can't read"):
        transfer.source(str(tmp_path / "nowhere.onnx"))
    with pytest.raises(EmoError, match="no file with sha256"):
        transfer.source(f"sha256:{7:064}")


# --- --freeze


def test_layers_that_are_frozen_as_chance_drew_them_are_told_of(features_file: Path) -> None:
    notes: list[str] = []
    with hdf5.open_data(features_file) as data:
        step = {"name": "emotion-cnn", "params": registry.resolve("models", "emotion-cnn", {"width": "8"})}
        session.trained(data, step, replace(QUICK, epochs=1, freeze=0.5), None, notes.append, progress=False)
    assert any("keeps layers as chance drew them" in note for note in notes)


def test_frozen_layers_and_their_statistics_stay_and_the_rest_learns(data: hdf5.Data) -> None:
    notes: list[str] = []
    outcome = trained(data, replace(QUICK, freeze=0.5), note=notes.append)
    before, after = small_net().state_dict(), outcome.net.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    frozen = [name for name in before if name.startswith("features.2")]  # the first convolution and its norm
    assert any("running_mean" in name for name in frozen) and same.issuperset(frozen)
    assert not same & {"head.weight", "head.bias"}
    assert any(note.endswith("parameters stay as they are") for note in notes)


def test_frozen_layers_of_a_voice_net_go_on_to_take_what_they_took() -> None:
    net = loop.make("lstm", (-1, 8), 3, {}, 0).train()
    layers.freeze(net, 0.9)
    batchnorm.hold(net)
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net(torch.randn(4, 20, 8) * 5 + 3)
    first = next(name for name in before if name.endswith("running_mean"))
    assert torch.equal(dict(net.named_buffers())[first], before[first])
    free = loop.make("lstm", (-1, 8), 3, {}, 0).train()
    batchnorm.hold(free)
    free(torch.randn(4, 20, 8) * 5 + 3)
    assert not torch.equal(dict(free.named_buffers())[first], before[first])


@pytest.mark.parametrize(
    ("arch", "params", "earlier", "later"),
    [
        ("bilstm-attention", {"layers": 2}, "back.0.weight_ih_l0", "forth.1.weight_ih_l0"),
        ("conformer", {}, "blocks.0.convolution", "blocks.0.after"),
    ],
)
def test_layers_are_in_the_order_in_which_a_clip_passes_through_them(
    arch: str, params: dict[str, int], earlier: str, later: str
) -> None:
    net = loop.make(arch, (-1, 8), 3, params, 0)
    names = {weight: name for name, weight in net.named_parameters() if weight.ndim > 1}
    scales = {
        names[weight]: group["scale"]
        for group in layers.groups(net, 0.0, 0.9)
        for weight in group["params"]
        if weight in names
    }
    before = max(scale for name, scale in scales.items() if earlier in name)
    after = min(scale for name, scale in scales.items() if later in name)
    assert before < after


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 0.999])
def test_as_many_whole_first_layers_are_frozen_as_the_share_has_room_for(share: float) -> None:
    net = small_net()
    frozen = layers.freeze(net, share)
    flags = [weight.requires_grad for weight in net.parameters()]
    sizes = [weight.numel() for weight in net.parameters()]
    assert flags == sorted(flags) and flags[-1]
    assert frozen == sum(size for size, flag in zip(sizes, flags, strict=True) if not flag) <= share * sum(sizes)
    assert all(
        module.weight.requires_grad == module.bias.requires_grad
        for module in net.modules()
        if isinstance(module, nn.BatchNorm2d)
    )


# --- --layer-decay


def test_each_layer_learns_by_a_share_of_the_one_after_it_and_a_norm_as_its_convolution() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(3, 2))
    found = layers.groups(net, 0.05, 0.5)
    scale = {id(weight): group["scale"] for group in found for weight in group["params"]}
    assert [scale[id(weight)] for weight in net.parameters()] == [0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 1.0, 1.0]
    assert {(group["weight_decay"], weight.ndim > 1) for group in found for weight in group["params"]} == {
        (0.05, True),
        (0.0, False),
    }


def test_without_layer_decay_there_are_two_groups_as_ever() -> None:
    assert [(group["weight_decay"], group["scale"]) for group in layers.groups(small_net(), 0.05, 1.0)] == [
        (0.05, 1.0),
        (0.0, 1.0),
    ]


def test_a_small_layer_decay_leaves_early_layers_nearly_as_they_were(data: hdf5.Data) -> None:
    outcome = trained(data, replace(QUICK, layer_decay=0.01, ema=0.0))
    before, after = small_net().requires_grad_(False), outcome.net.requires_grad_(False)

    def moved(name: str) -> float:
        first, last = before.get_parameter(name), after.get_parameter(name)
        return float((first - last).norm() / first.norm())

    assert moved("features.2.0.weight") < 1e-3 * moved("head.weight")


# --- --swa


def test_an_even_average_is_the_mean_of_what_it_took_in() -> None:
    net = nn.Linear(1, 1)
    mean = average.start(net)
    for count, value in enumerate((5.0, 1.0, 3.0)):
        net.weight.data.fill_(value)
        average.gather(mean, net, count)
    assert mean.weight.item() == pytest.approx(3.0)  # type: ignore[operator, union-attr]


def test_statistics_are_those_of_the_batches_and_dropout_takes_no_part() -> None:
    net = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    trained_net = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(2), nn.BatchNorm1d(2).requires_grad_(False))
    x = torch.randn(4, 64, 2, generator=Generator().manual_seed(0)) * 3 + 5
    batchnorm.measure(net, trained_net, x, lambda module, batch: module(batch))
    assert torch.allclose(net[1].running_mean, x.mean((0, 1)))  # type: ignore[arg-type]
    assert torch.allclose(net[1].running_var, x.var(1).mean(0))  # type: ignore[arg-type]
    assert torch.equal(net[2].running_mean, torch.zeros(2))  # type: ignore[arg-type]
    assert net[1].momentum == 0.1 and not any(module.training for module in net.modules())


def test_the_average_of_the_end_of_a_run_is_kept_with_statistics_of_its_own(data: hdf5.Data) -> None:
    recipe = replace(QUICK, epochs=6, lr=5e-3, augment="none", progressive=0.0, schedule="constant", swa=0.9)
    outcome = trained(data, recipe)
    assert outcome.accuracy > 0.9
    norm = outcome.net.get_submodule("features.2.1")
    seen: list[torch.Tensor] = []
    outcome.net.get_submodule("features.2.0").register_forward_hook(lambda module, given, out: seen.append(out))
    outcome.net(torch.from_numpy(data.x[:160]).float() / 255)
    assert torch.allclose(norm.running_mean, seen[0].mean((0, 2, 3)), atol=2e-2)  # type: ignore[arg-type]


def test_before_its_share_of_the_run_the_net_itself_is_validated_and_kept(data: hdf5.Data) -> None:
    plain = trained(data, replace(QUICK, epochs=4, ema=0.0))
    averaged = trained(data, replace(QUICK, epochs=4, swa=0.25))
    assert plain.history[:3] == averaged.history[:3]
    assert [epoch["loss"] for epoch in plain.history] == [epoch["loss"] for epoch in averaged.history]


@pytest.mark.parametrize(("params", "said"), [({}, True), ({"pretrained": True}, False)])
def test_only_layers_that_chance_drew_are_not_worth_freezing(
    params: dict[str, bool], said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(loop, "make", lambda *_: None)
    monkeypatch.setattr(loop, "train", lambda *_, **__: None)
    data = SimpleNamespace(shape=(1, 48, 48), labels=("a", "b"))
    step = {"name": "timm/resnet18", "params": params}
    session.trained(data, step, Recipe(freeze=0.8), None, notes.append)  # type: ignore[arg-type]
    assert bool(notes) == said

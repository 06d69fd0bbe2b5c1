"""The parts of training by themselves: losses, schedule, averaging, precision, checkpoint, audit."""

import io
import math
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator, nn

from emocli import architectures, registry
from emocli.artifact import Header
from emocli.data import audit, hdf5
from emocli.data.hdf5_writer import Writer
from emocli.errors import EmoError
from emocli.training import average, checkpoint, class_logits, losses, precision, progressive, schedule
from emocli.training.progress import Display
from emocli.training.recipe import Distillation, Recipe, Repetition, check


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


# --- recipe


@pytest.mark.parametrize("record", [Recipe, Distillation])
def test_every_option_has_help_a_default_and_a_plain_type(record: type) -> None:
    for option in fields(record):
        assert option.type in (int, float, bool, str) and isinstance(option.default, option.type)
        assert option.metadata["help"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("epochs", 0), ("epochs", -1), ("batch", 0), ("batch", 1), ("seed", -1), ("threads", -1)),
        *(("lr", -1.0), ("lr", math.nan), ("weight_decay", math.inf), ("time_limit", -1.0)),
        *(("label_smoothing", 3.0), ("ema", -1.0), ("ema", 1.5), ("center_rate", -3.0), ("step_factor", -2.0)),
        *(("focal", -1.0), ("center", math.inf), ("noise", -0.1), ("hand", 1.5), ("mixup", -0.2)),
        *(("seed", 1 << 32), ("seed", 10**20), ("onecycle_rise", 1.0), ("swa", 1.0), ("swa", -0.1)),
        *(("freeze", 1.0), ("freeze", -0.1), ("layer_decay", 0.0), ("layer_decay", 1.5)),
    ],
)
def test_a_number_that_nothing_can_be_trained_with_is_one_line(option: str, value: float) -> None:
    with pytest.raises(EmoError, match=f"--{option.replace('_', '-')} {value} is .*; .*its default is "):
        check(replace(Recipe(), **{option: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("temperature", 0.0, "too small; use 0.01 or more"),
        ("alpha", 5.0, "too large; use 1 or less"),
        ("alpha", -1.0, "too small; use 0 or more"),
        ("relational", math.inf, "no finite number"),
        ("teacher_views", 8, "too large; use 7 or less"),
    ],
)
def test_how_much_a_student_listens_has_its_range_too(option: str, value: float, says: str) -> None:
    with pytest.raises(EmoError, match=f"--{option.replace('_', '-')} {value} is {says}"):
        check(replace(Distillation(), **{option: value}))  # type: ignore[arg-type]


def test_all_defaults_are_good() -> None:
    for record in (Recipe(), Distillation(), Repetition()):
        check(record)


# --- progressive resizing


def test_images_grow_by_eight_pixels_and_are_whole_for_the_end_of_the_run() -> None:
    sides = [progressive.side(48, 0.66, share / 100) for share in range(101)]
    assert sides == sorted(sides) and set(sides) == {32, 40, 48}
    assert sides[69] == 40 and set(sides[70:]) == {48}


@pytest.mark.parametrize(("whole", "begin"), [(48, 0.0), (48, 1.0), (32, 0.66), (24, 0.5)])
def test_images_that_are_small_already_stay_whole(whole: int, begin: float) -> None:
    assert progressive.side(whole, begin, 0.0) == whole


def test_shrinking_keeps_the_shape_of_a_picture_and_leaves_vectors_alone() -> None:
    assert progressive.shrink(torch.rand(2, 3, 96, 48), 0.5, 0.0).shape == (2, 3, 48, 24)
    vectors = torch.rand(4, 10)
    assert progressive.shrink(vectors, 0.5, 0.0) is vectors


def test_an_architecture_of_one_size_is_told_from_one_of_any() -> None:
    shape = (1, 48, 48)
    any_size = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    one_size = nn.Sequential(nn.Flatten(), nn.Linear(48 * 48, 2))
    assert progressive.possible(any_size, shape, 0.66)
    assert not progressive.possible(one_size, shape, 0.66)


# --- losses


def test_cross_entropy_is_torchs_for_hard_and_soft_targets() -> None:
    logits, y = torch.randn(8, 5, generator=seeded()), torch.arange(8) % 5
    hard = nn.functional.one_hot(y, 5).float()
    assert torch.allclose(losses.cross_entropy(logits, hard), nn.functional.cross_entropy(logits, y))
    expected = nn.functional.cross_entropy(logits, y, label_smoothing=0.1)
    assert torch.allclose(losses.cross_entropy(logits, losses.smooth(hard, 0.1)), expected)


def test_balanced_weights_make_classes_count_the_same_and_skip_absent_ones() -> None:
    targets = torch.eye(4)[torch.tensor([0] * 6 + [1] * 3 + [2])]
    weights = losses.balanced(targets)
    assert weights[3] == 0
    assert torch.allclose((targets.sum(0) * weights)[:3], torch.full((3,), 10 / 3))


def test_distillation_is_zero_for_a_student_that_agrees_and_keeps_the_size_of_gradients() -> None:
    teacher = torch.randn(16, 7, generator=seeded(1))
    assert losses.distillation(teacher, teacher, 3.0).abs() < 1e-6
    sizes = []
    for temperature in (1.0, 4.0, 16.0):
        logits = (teacher + 0.01 * torch.randn(16, 7, generator=seeded(2))).requires_grad_()
        losses.distillation(logits, teacher, temperature).backward()
        sizes.append(float(logits.grad.norm()))  # type: ignore[union-attr]
    assert max(sizes) < 3 * min(sizes)


# --- schedule


def test_the_learning_rate_warms_up_and_falls_to_0() -> None:
    at = [schedule.factor(epoch, 10, schedule="cosine", warmup=2, cycle=0) for epoch in (0, 1, 2, 6, 10)]
    assert at == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_restarts_begin_each_cycle_at_the_top() -> None:
    at = [schedule.factor(epoch, 40, schedule="restarts", warmup=0, cycle=10) for epoch in (0, 5, 9.999, 10, 25)]
    assert at == pytest.approx([1, 0.5, 0, 1, 0.5], abs=1e-3)


def test_a_constant_rate_stays_at_the_top() -> None:
    assert schedule.factor(3, 10, schedule="constant", warmup=1, cycle=1) == 1


def test_a_short_run_is_not_all_warm_up() -> None:
    assert schedule.factor(0.6, 3, schedule="cosine", warmup=5, cycle=0) == pytest.approx(1)


def test_one_cycle_rises_from_a_twentyfifth_and_falls_to_0() -> None:
    def at(epoch: float) -> float:
        return schedule.factor(epoch, 10, schedule="onecycle", warmup=5, cycle=0, rise=0.4)

    assert [at(epoch) for epoch in (0, 2, 4, 7, 10)] == pytest.approx([0.04, 0.52, 1, 0.5, 0])


def test_steps_fall_at_their_milestones_after_a_warm_up() -> None:
    def at(epoch: float) -> float:
        milestones = schedule.shares("0.5, 0.8")
        return schedule.factor(epoch, 10, schedule="step", warmup=1, cycle=0, milestones=milestones, drop=0.2)

    assert [at(epoch) for epoch in (0.5, 1, 4.99, 5, 8, 10)] == pytest.approx([0.5, 1, 1, 0.2, 0.04, 0.04])


@pytest.mark.parametrize("text", ["", "half", "5,10", "-0.5", "0.5,", "nan"])
def test_milestones_that_are_no_shares_are_refused(text: str) -> None:
    with pytest.raises(EmoError, match="no shares of the run"):
        schedule.shares(text)


# --- averaging


def test_the_average_forgets_the_start_and_then_follows_slowly() -> None:
    net = nn.Linear(1, 1)
    mean = average.start(net)
    for step in range(2000):
        net.weight.data.fill_(float(step % 2))
        average.follow(mean, net, 0.99, step)
    assert abs(mean.weight.item() - 0.5) < 0.01 and not mean.weight.requires_grad  # type: ignore[operator, union-attr]


def test_an_even_average_is_the_mean_of_what_it_took_in() -> None:
    net = nn.Linear(1, 1)
    mean = average.start(net)
    for before, value in enumerate((3.0, 1.0, 5.0, 7.0)):
        net.weight.data.fill_(value)
        average.gather(mean, net, before)
    assert mean.weight.item() == pytest.approx(4)  # type: ignore[operator, union-attr]


def test_running_statistics_are_averaged_and_counters_copied() -> None:
    net = nn.BatchNorm1d(2)
    mean = average.start(net)
    net(torch.randn(8, 2, generator=seeded()) + 5)
    average.follow(mean, net, 0.0, 10)
    assert torch.equal(mean.running_mean, net.running_mean)  # type: ignore[arg-type]
    assert mean.num_batches_tracked == 1


# --- precision


def plan(arch: str, **words: str) -> precision.Plan:
    name, params = architectures.resolve(arch, {})
    return precision.choose(registry.load("models", name)((1, 48, 48), 7, **params), **words)


def test_depthwise_nets_train_in_fp32_and_vectors_have_no_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_amx", lambda: False)
    assert plan("mobilenetv2") == precision.Plan(bf16=False, channels_last=True)
    vectors = registry.load("models", "mlp")((24,), 7)
    assert precision.choose(vectors) == precision.Plan(bf16=False, channels_last=False)


@pytest.mark.parametrize("arch", ["se-resnet", "emotion-cnn", "mini-xception"])
def test_where_the_cpu_has_bf16_dense_nets_use_it(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bf16", lambda: True)
    assert plan(arch) == precision.Plan(bf16=True, channels_last=True)


def test_with_amx_depthwise_nets_train_in_bf16_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for feature in ("_has_bf16", "_has_amx"):
        monkeypatch.setattr(precision, feature, lambda: True)
    assert plan("mobilenetv2") == precision.Plan(bf16=True, channels_last=True)
    assert plan("mobilenetv2", precision="fp32") == precision.Plan(bf16=False, channels_last=True)


def test_without_bf16_mini_xception_gets_the_layout_that_does_not_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bf16", lambda: False)
    assert plan("mini-xception") == precision.Plan(bf16=False, channels_last=False)
    assert plan("mini-xception", precision="fp32") == precision.Plan(bf16=False, channels_last=False)
    assert plan("se-resnet") == precision.Plan(bf16=False, channels_last=True)


def test_the_pair_that_crashes_torch_cannot_be_asked_for() -> None:
    with pytest.raises(EmoError, match="crashes torch"):
        plan("mini-xception", precision="fp32", layout="channels-last")


# --- checkpoint


def test_optimizer_moments_survive_a_round_trip_in_any_layout(tmp_path: Path) -> None:
    def stepped(memory: torch.memory_format) -> tuple[nn.Module, torch.optim.Optimizer]:
        net = nn.Conv2d(4, 4, 3)
        net.weight.data = torch.randn(4, 4, 3, 3, generator=seeded())
        net.bias.data.zero_()  # type: ignore[union-attr]
        net = net.to(memory_format=memory)  # type: ignore[call-overload]
        return net, torch.optim.AdamW(net.parameters(), fused=True)

    def step(net: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        net(torch.randn(1, 4, 5, 5, generator=seeded())).square().sum().backward()
        optimizer.step()

    straight, optimizer = stepped(torch.channels_last)
    step(straight, optimizer)
    checkpoint.save(
        tmp_path / "s.h5", {"identity": "a"}, {"m": checkpoint.moments(optimizer), "net": straight.state_dict()}
    )
    step(straight, optimizer)
    _, tensors = checkpoint.load(tmp_path / "s.h5", "a")
    resumed, optimizer = stepped(torch.channels_last)
    resumed.load_state_dict(tensors["net"])
    checkpoint.restore_moments(optimizer, tensors["m"])
    step(resumed, optimizer)
    assert torch.equal(resumed.weight, straight.weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("fused", [True, False])
def test_moments_come_back_where_torch_would_put_them(fused: bool) -> None:
    # a device of its own that every machine has
    weight = nn.Parameter(torch.zeros(3, device="meta"))
    optimizer = torch.optim.AdamW([weight])
    optimizer.param_groups[0]["fused"] = fused
    checkpoint.restore_moments(optimizer, {"0/step": torch.tensor(5.0), "0/exp_avg": torch.zeros(3)})
    theirs = torch.optim.AdamW([weight])
    state = {"step": torch.tensor(5.0), "exp_avg": torch.zeros(3)}
    theirs.load_state_dict({"state": {0: state}, "param_groups": [{**optimizer.param_groups[0], "params": [0]}]})
    found, wanted = ({what: value.device for what, value in each.state[weight].items()} for each in (optimizer, theirs))
    assert found == wanted
    assert found["step"].type == ("meta" if fused else "cpu")


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    checkpoint.save(path, {"identity": "a", "epoch": 1}, {})
    with pytest.raises(RuntimeError):
        checkpoint.save(path, {"identity": "a", "epoch": 2}, {"broken": {"t": Unreadable()}})  # type: ignore[dict-item]
    assert checkpoint.load(path, "a")[0]["epoch"] == 1 and list(tmp_path.iterdir()) == [path]


class Unreadable:
    """A tensor that can't be read, as when memory runs out."""

    def detach(self) -> None:
        raise RuntimeError


# --- audit


Make = Callable[..., hdf5.Data]


@pytest.fixture
def features(tmp_path: Path) -> Make:
    """Write and open features: pictures, parts, subjects, labels."""

    def make(
        x: np.ndarray, split: list[str], group: list[str] | None = None, y: list[int] | None = None
    ) -> audit.Leaks:
        path = tmp_path / "x.h5"
        writer = Writer(path, count=len(x))
        writer.append(x)
        header = Header("features", ("a", "b"), ({"command": "features", "name": "pixels"},))
        writer.finish(header, np.array(y or [0] * len(x)), "label", np.array(split), group or [])
        with hdf5.open_data(path) as data:
            return audit.audit(data)

    return make  # type: ignore[return-value]


def pictures(n: int) -> np.ndarray:
    """Smooth pictures of chance: neighbours are alike, as in photographs."""
    coarse = np.random.default_rng(0).integers(20, 200, (n, 1, 8, 8)).astype(np.float32)
    large = nn.functional.interpolate(torch.from_numpy(coarse), (48, 48), mode="bilinear")
    return large.numpy().astype(np.uint8)


def test_parts_that_share_nothing_have_no_leaks(features: Make) -> None:
    leaks = features(pictures(6), ["train"] * 4 + ["validation", "test"], list("aabbcd"))
    assert not leaks and leaks.lines() == [] and len(leaks.train_rows) == 0
    leaks.refuse()


def test_equal_rows_are_found_and_named_by_part(features: Make) -> None:
    x = pictures(6)
    x[4], x[5] = x[1], x[2]
    leaks = features(x, ["train"] * 4 + ["validation", "test"])
    assert leaks.exact == {("train", "validation"): 1, ("train", "test"): 1}
    assert leaks.train_rows.tolist() == [1, 2] and leaks.near == {}
    assert {part: [*rows] for part, rows in leaks.later_rows.items()} == {"train": [], "validation": [4], "test": [5]}
    with pytest.raises(EmoError, match="1 rows of validation are in train as well") as fault:
        leaks.refuse()
    assert fault.value.status == 3


def test_a_near_copy_beside_an_equal_one_is_left_out_too(features: Make) -> None:
    x = pictures(6)
    noise = np.random.default_rng(1).integers(-3, 4, x[0].shape)
    x[4], x[1] = x[0], np.clip(x[0] * 0.9 + 20 + noise, 0, 255)
    leaks = features(x, ["train"] * 4 + ["validation"] * 2)
    assert leaks.train_rows.tolist() == [0, 1]
    assert leaks.exact == {("train", "validation"): 1} and leaks.near == {}


def test_a_brighter_copy_is_a_near_duplicate_and_another_face_is_not(features: Make) -> None:
    x = pictures(7)
    noise = np.random.default_rng(1).integers(-3, 4, x[:2].shape)
    x[4:6] = np.clip(x[:2] * 0.9 + 20 + noise, 0, 255)
    leaks = features(x, ["train"] * 4 + ["validation"] * 3)
    assert leaks.near == {("train", "validation"): 2} and leaks.train_rows.tolist() == [0, 1] and leaks.exact == {}
    assert leaks.later_rows["validation"].tolist() == [4, 5]


def test_constant_pictures_are_like_no_other(features: Make) -> None:
    x = np.stack([np.full((1, 48, 48), value, np.uint8) for value in (0, 10, 20)])
    leaks = features(x, ["train", "train", "validation"])
    assert not leaks and leaks.lines() == ["3 images are of one value throughout"]


def test_shared_subjects_are_found_and_unnamed_ones_are_not_one_subject(features: Make) -> None:
    split = ["train", "train", "train", "validation", "validation"]
    leaks = features(pictures(5), split, ["anna", "", "ben", "anna", ""])
    assert leaks.subjects == {("train", "validation"): 1} and leaks.train_rows.tolist() == [0]
    assert leaks.later_rows["validation"].tolist() == [3]


def test_equal_rows_with_labels_that_differ_are_counted(features: Make) -> None:
    x = pictures(4)
    x[1] = x[0]
    assert features(x, ["train"] * 4, y=[0, 1, 0, 0]).conflicting == 1
    assert features(x, ["train"] * 4, y=[0, -1, 0, 0]).conflicting == 0  # no label is no other label


def test_with_drop_leaks_only_what_is_left_is_refused(features: Make) -> None:
    x = pictures(6)
    x[4], x[5] = x[1], x[2]
    features(x, ["train"] * 4 + ["validation", "test"]).refuse(dropped=True)
    x[5] = x[4]
    with pytest.raises(EmoError, match=r"1 rows of test are in validation as well.*divide them anew") as fault:
        features(x, ["train"] * 4 + ["validation", "test"]).refuse(dropped=True)
    assert "in train" not in str(fault.value)


def test_vectors_are_compared_for_equality_only(features: Make) -> None:
    x = np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32)
    x[3] = x[0]
    assert features(x, ["train"] * 3 + ["test"]).exact == {("train", "test"): 1}


def test_fer2013s_known_duplicates_are_found(corpora: Path, tmp_path: Path) -> None:
    import h5py

    with h5py.File(corpora / "fer2013_delta.h5") as file:
        usage = file["usage"][:]
        faces = file["pixels_delta"][:].cumsum(2, dtype=np.uint8).cumsum(1, dtype=np.uint8)[:, None]
        y = file["emotion"][:]
    writer = Writer(tmp_path / "f.h5", count=len(y))
    writer.append(faces)
    header = Header("features", tuple("abcdefg"), ({"command": "features", "name": "pixels"},))
    writer.finish(header, y, "label", np.array(["train", "validation", "test"])[usage])
    with hdf5.open_data(tmp_path / "f.h5") as data:
        leaks = audit.audit(data)
    assert leaks.exact == {("train", "validation"): 280} and leaks.near == {("train", "validation"): 53}
    assert (leaks.groups, leaks.conflicting, leaks.constant) == (1273, 47, 12)
    assert leaks.lines()[-2:] == [
        "1273 groups of rows are equal, of which 47 have labels that differ",
        "12 images are of one value throughout",
    ]


# --- progress


@pytest.mark.parametrize(("term", "has_lines"), [("dumb", True), ("xterm", False)])
def test_a_terminal_that_can_draw_no_bar_gets_a_line_an_epoch(
    term: str, has_lines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", shown)
    with Display(1) as display:
        display.step(10, 0.5, 1.0)
        display.epoch(1, 0.5, 0.75)
    assert (shown.getvalue().startswith("epoch 1/1: loss 0.500, validation accuracy 75.0%")) == has_lines


# --- what a net says of each class


def test_a_class_is_known_by_the_mean_over_rows_from_all_of_the_part(
    features_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_logits, "_ROWS", 5)
    monkeypatch.setattr(class_logits, "_BATCH", 2)
    brightness = nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(1), nn.ConstantPad1d((0, 2), 0.0))
    with hdf5.open_data(features_file) as data:
        rows = data.rows("train")
        of_class = [rows[data.y[rows] == label] for label in range(3)]
        found = class_logits.measure(brightness, data, of_class[2])
        five = [each[[0, (last := len(each) - 1) // 4, last // 2, last * 3 // 4, last]] for each in of_class[:2]]
        expected = [data.take(each).mean() / 255 for each in five]
    np.testing.assert_allclose(found[:2, 0], expected, rtol=1e-5)
    assert found.shape == (3, 3) and np.isnan(found[2]).all()

"""The loop on sequences: they are learned, batches hold clips of one length, changes leave the padding alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run
from small_sequences import BANDS, CLASSES, write_sequences
from torch import Generator, Tensor

from emocli import onnx_file
from emocli.compress.quantize import quantize
from emocli.data import audit, hdf5, padding
from emocli.errors import EmoError
from emocli.training import augment, loop, rows, sampling
from emocli.training.augment_frames import FrameStrengths, augment_frames, lengths, mix_frames
from emocli.training.augment_mixing import mixup
from emocli.training.loop import Outcome
from emocli.training.recipe import Recipe
from emocli.training.teaching import Taught

QUICK = Recipe(epochs=6, batch=16, threads=1, device="cpu", ema=0.9, lr=5e-3, speed=0.1)
SMALL = {
    "bilstm-attention": {"width": 32, "layers": 1, "stride": 1, "attention": 8, "dropout": 0.0},
    "lstm": {"width": 32, "layers": 1, "stride": 1, "dropout": 0.0},
    "conformer": {"width": 16, "layers": 1, "heads": 2, "kernel": 5, "stride": 2, "attention": 8, "dropout": 0.0},
    "text-cnn": {"bottleneck": 32, "width": 32, "layers": 2, "kernel": 5, "attention": 8, "dropout": 0.0},
    "speech-resnet": {
        **{"width": 8, "stages": 2, "blocks": 1, "stride": 2, "reduction": 8},
        **{"embedding": 16, "attention": 8, "dropout": 0.0},
    },
}


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequences(tmp_path_factory.mktemp("sequences") / "features.h5")


@pytest.fixture(scope="module")
def data(features: Path) -> Iterator[hdf5.Data]:
    with hdf5.open_data(features) as opened:
        yield opened


def trained(data: hdf5.Data, arch: str = "lstm", recipe: Recipe = QUICK, **options: object) -> Outcome:
    net = loop.make(arch, data.shape, CLASSES, SMALL[arch], recipe.seed)
    return loop.train(net, data, recipe, progress=False, **options)  # type: ignore[arg-type]


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def batch(counts: tuple[int, ...] = (40, 31, 12, 25)) -> Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(padding.pad([rng.normal(0, 1, (count, BANDS)).astype(np.float32) for count in counts]))


@pytest.mark.parametrize("arch", SMALL)
def test_every_architecture_learns_what_happens_over_time(data: hdf5.Data, arch: str) -> None:
    assert trained(data, arch).accuracy > 0.75


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(data: hdf5.Data) -> None:
    recipe = replace(QUICK, epochs=1)
    first, again, other = (trained(data, recipe=replace(recipe, seed=seed)).net.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_progress_counts_rows_where_there_are_no_images(data: hdf5.Data, capsys: pytest.CaptureFixture[str]) -> None:
    net = loop.make("lstm", data.shape, CLASSES, SMALL["lstm"], 0)
    loop.train(net, data, replace(QUICK, epochs=1))
    said = capsys.readouterr().err
    assert " rows/s" in said and "images" not in said


def test_mixing_and_even_averages_work_on_sequences(data: hdf5.Data) -> None:
    assert trained(data, recipe=replace(QUICK, mixup=0.2, swa=0.5, schedule="constant")).accuracy > 0.5


def test_a_teacher_hears_what_the_student_hears(data: hdf5.Data) -> None:
    heard: list[np.ndarray] = []

    def teacher(x: np.ndarray) -> Taught:
        heard.append(x)
        return Taught(torch.zeros(len(x), CLASSES))

    trained(data, recipe=replace(QUICK, epochs=1), teacher=teacher)
    assert all(x.dtype == np.float32 and x.shape[2] == BANDS for x in heard)
    assert any(np.isnan(x).any() for x in heard)


def test_options_without_a_meaning_for_the_features_are_named_and_left_out(data: hdf5.Data) -> None:
    notes: list[str] = []
    trained(data, recipe=replace(QUICK, epochs=1, progressive=0.5, cutmix=1.0, rotate=30.0), note=notes.append)
    assert "these features have no use for --rotate, --cutmix, --progressive: trains without" in notes
    assert augment.idle(Recipe(time_mask=0.3, flip=0.1), (1, 48, 48)) == ["time_mask"]
    assert augment.idle(Recipe(), (1, 48, 48)) == augment.idle(Recipe(), (-1, BANDS), bands=True) == []


def test_a_stretch_of_bands_and_a_level_are_for_logmel_alone() -> None:
    asked = Recipe(pitch=0.1, level=2.0)
    assert augment.idle(asked, (-1, BANDS), bands=True) == []
    assert augment.idle(asked, (-1, BANDS)) == ["pitch", "level"]


def test_of_words_none_lies_between_two_and_only_whole_ones_are_hidden() -> None:
    asked = Recipe(speed=0.2, pitch=0.1, level=2.0, time_mask=0.3, band_mask=0.3)
    assert augment.idle(asked, (-1, BANDS), words=True) == ["pitch", "level", "speed", "band_mask"]
    assert augment.idle(Recipe(), (-1, BANDS), words=True) == []
    assert augment.without_meaning((1, 48, 48), words=True) == augment.without_meaning((1, 48, 48))


@pytest.mark.parametrize(("option", "value"), [("speed", -0.1), ("time_mask", 1.5), ("augment", "some")])
def test_strengths_out_of_range_are_refused_in_one_line(data: hdf5.Data, option: str, value: object) -> None:
    with pytest.raises(EmoError, match=f"--{option.replace('_', '-')} "):
        trained(data, recipe=replace(QUICK, **{option: value}))


def test_batches_hold_clips_of_similar_length_each_once_and_others_in_each_epoch() -> None:
    rng = np.random.default_rng(0)
    counts, order = rng.integers(50, 500, 205), rng.permutation(205)
    first, second = (sampling.by_length(order, counts, 10, generator(seed)) for seed in (0, 1))
    assert sorted(first) == sorted(order) and list(first) != list(second)
    spread = [np.ptp(counts[some[:200].reshape(20, 10)], axis=1).mean() for some in (order, first)]
    assert spread[1] < 0.5 * spread[0]


def test_rows_are_padded_in_the_order_asked_for(data: hdf5.Data) -> None:
    train = rows.part(data, "train", lambda text: None)
    x, y = train.take(np.array([7, 2, 2]))
    assert train.lengths is not None and lengths(x).tolist() == train.lengths[[7, 2, 2]].tolist()
    assert torch.equal(x[1:].nan_to_num(), x[[2, 1]].nan_to_num()) and y.argmax(1).tolist() == [1, 2, 2]


def test_a_part_larger_than_memory_is_read_from_the_file(data: hdf5.Data, monkeypatch: pytest.MonkeyPatch) -> None:
    places = np.array([5, 0, 3])
    held = rows.part(data, "validation", lambda text: None).take(places)[0]
    monkeypatch.setattr(rows, "_IN_MEMORY", 1)
    assert torch.equal(held.nan_to_num(), rows.part(data, "validation", lambda text: None).take(places)[0].nan_to_num())


def test_the_audit_finds_clips_that_are_in_two_parts(tmp_path: Path, data: hdf5.Data) -> None:
    assert not audit.audit(data).exact
    with hdf5.open_data(write_sequences(tmp_path / "leaky.h5")) as leaky:
        leaky.split[0], leaky.group[0] = "validation", leaky.group[1]
        assert audit.audit(leaky).subjects


ALL = FrameStrengths(speed=0.2, pitch=0.1, level=3.0, time_mask=0.3, band_mask=0.3)


def test_a_change_keeps_padding_at_the_end_and_everything_else_a_number() -> None:
    changed = augment_frames(batch(), ALL, generator())
    real = torch.arange(changed.shape[1])[None] < lengths(changed)[:, None]
    assert torch.equal(~torch.isnan(changed).any(2), real) and torch.equal(~torch.isnan(changed).all(2), real)
    assert real.any(0).all()


def test_a_clip_is_changed_alike_whatever_it_is_padded_to() -> None:
    long = torch.cat([batch(), torch.full((4, 30, BANDS), torch.nan)], 1)
    first, second = augment_frames(batch(), ALL, generator()), augment_frames(long, ALL, generator())
    assert torch.allclose(first.nan_to_num(), second[:, : first.shape[1]].nan_to_num(), atol=1e-4)


def test_speed_changes_lengths_within_its_range_and_what_is_off_changes_nothing() -> None:
    x, strengths = batch((200,) * 25 + (20,) * 25), FrameStrengths(speed=0.25)
    found = lengths(augment_frames(x, strengths, generator())).float() / lengths(x)
    assert 0.79 <= found.min() < 0.85 and 1.2 < found.max() <= 1.26
    assert augment_frames(x, FrameStrengths(), generator()) is x


def test_clips_that_speed_can_make_equally_long_are_so_at_all_lengths_that_it_allows() -> None:
    x, draws = batch((200, 220, 190)), generator()
    found = torch.stack([lengths(augment_frames(x, FrameStrengths(speed=0.25), draws)) for _ in range(50)])
    assert (found == found[:, :1]).all()
    assert 177 <= found.min() < 185 and 228 < found.max() <= 238  # 220 / 1.25 and 190 * 1.25


def test_clips_of_one_frame_keep_it() -> None:
    assert lengths(augment_frames(batch((1, 1)), FrameStrengths(speed=0.25), generator())).tolist() == [1, 1]


def test_pitch_moves_a_tone_to_another_band_and_not_in_time() -> None:
    x = torch.zeros(40, 30, 64)
    x[:, 10, 32] = 1.0
    moved = augment_frames(x, FrameStrengths(pitch=0.2), generator())
    bands = moved.sum(1).argmax(1)
    assert bands.min() < 30 and bands.max() > 35 and (moved.sum(2).argmax(1) == 10).all()


def test_masks_hide_at_most_their_share_with_the_mean_of_the_clip() -> None:
    x = batch((100,) * 20)
    changed = augment_frames(x, FrameStrengths(time_mask=0.2), generator())
    hidden = (changed != x).all(2)
    assert 0 < hidden.float().mean(1).max() <= 0.42
    assert torch.allclose(changed[hidden], x.mean(1)[hidden.nonzero()[:, 0]], atol=1e-6)
    bands = (augment_frames(x, FrameStrengths(band_mask=0.2), generator()) != x).all(1)
    assert 0 < bands.float().mean(1).max() <= 0.5


def test_a_blend_is_as_long_as_the_first_and_repeats_the_other() -> None:
    x = batch((8, 3))
    mixed = mix_frames(x, 0.75)
    assert lengths(mixed).tolist() == [8, 3]
    wanted = 0.75 * x[0] + 0.25 * x[1, [0, 1, 2, 0, 1, 2, 0, 1]]
    assert torch.allclose(mixed[0], wanted) and torch.allclose(mixed[1, :3], 0.75 * x[1, :3] + 0.25 * x[0, :3])
    y = torch.eye(2)
    assert torch.allclose(mixup(x, y, 0.4, generator())[1].sum(1), torch.ones(2))


def test_features_of_sequences_go_through_train_quantize_eval_and_bench(features: Path, shell: Run) -> None:
    options = " ".join(f"-p {key}={value}" for key, value in SMALL["speech-resnet"].items())
    done = shell(
        f"emo train {features} {options} --epochs 6 --batch 16 --lr 5e-3 --ema 0.9 --threads 1 -o fp32.onnx --strict\n"
        "emo quantize fp32.onnx --max-drop 10 --min-speedup 0 -o int8.onnx\n"
        "emo eval int8.onnx --split validation --json --samples 50 --threads 1\n"
        "emo bench int8.onnx --seconds 0.1 --json"
    )
    assert done.returncode == 0, done.stderr.decode()
    notes, answers = done.stderr.decode(), done.stdout.decode()
    assert "no --arch: trains speech-resnet" in notes and "INT8 against FP32" in notes
    with hdf5.open_data(features) as data:
        middle = int(np.median(data.lengths))
    assert '"uar"' in answers and answers.count(f'"frames": {middle}') == 2


@pytest.mark.parametrize("arch", ["speech-resnet", "text-cnn", "lstm"])
def test_int8_keeps_the_answers_and_leaves_lengths_and_pooling_alone(data: hdf5.Data, arch: str) -> None:
    from quantizable_nets import run

    from emocli.training import export

    net = trained(data, arch, replace(QUICK, epochs=2)).net
    model = export.to_onnx(net, data.shape, input_name="speech")
    x = data.take(data.rows("validation")[:20])
    int8 = quantize(model, lambda: [data.take(data.rows("train")[:64])])
    fp32, found = run(model, x)["logits"], run(int8, x)["logits"]
    assert np.abs(fp32 - found).max() < 0.15 * np.abs(fp32).max() and (fp32.argmax(1) == found.argmax(1)).mean() > 0.8
    makers = {output: node.op_type for node in int8.graph.node for output in node.output}
    for node in int8.graph.node:
        sources = {makers.get(name) for name in node.input}
        if node.op_type in ("ReduceSum", "Sqrt", "Pow", "LSTM", "Div"):
            assert "QuantizeLinear" not in sources
        if node.op_type == "QuantizeLinear":  # neither the padded input nor the weights of the frames
            assert not {None, "Where", "Softmax", "LSTM"} & {makers.get(node.input[0])}
    assert int8.opset_import[0].version == onnx_file.OPSET

"""The curve of noise: figures of the same clips with more and more noise, the same every time."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import Run, write_features
from numpy.typing import NDArray
from small_model import write_model

from emocli import pipes
from emocli.artifact import Header
from emocli.data.hdf5_writer import Writer
from emocli.engines import onnxruntime
from emocli.errors import EmoError
from emocli.scores import evaluation, label_map, pairing, plotting, robustness, scoring
from emocli.scores.pairing import Options
from emocli.scores.views import Views
from emocli.sound import mixing, noises

N = 48
LABELS = ("happy", "sad")


def _dataset(path: Path, n: int = N) -> Path:
    """Two notes among silence, the higher one happy; every third is for validation, every other third for test."""
    time, random = np.arange(12_000) / 16_000, np.random.default_rng(0)
    step = {"command": "dataset", "name": "audio-folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"}
    hertz = np.where(np.arange(n) % 2, 300, 900) * random.uniform(0.9, 1.1, n)
    among = (time > 0.2) & (time < 0.6)
    writer = Writer(path, modality="speech", count=n)
    writer.append_ragged([(9000 * np.sin(2 * np.pi * hz * time) * among).astype(np.int16) for hz in hertz])
    split = np.array(["train", "validation", "test"])[np.arange(n) // 2 % 3]
    groups = [f"{row % 8}" for row in range(n)]
    writer.finish(Header("dataset", LABELS, (step,)), np.arange(n) % 2, "label", split, groups)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds, and a model that tells the two notes apart."""
    folder = tmp_path_factory.mktemp("noise")
    _dataset(folder / "sounds.h5")
    line = """emo features sounds.h5 -x utterance --detector energy -o features.h5
        emo train features.h5 --arch logistic -p c=1 --threads 1 -o model.onnx"""
    subprocess.run(["bash", "-euc", line], cwd=folder, check=True, capture_output=True, env=os.environ)
    return folder


def _curve(folder: Path, *, split: str = "all", data: str = "sounds.h5", **options: object) -> list[dict[str, object]]:
    wanted = robustness.Noises(**{"kinds": ("white", "babble"), "ratios_db": (60.0, -20.0), **options})  # type: ignore[arg-type]
    chosen = Options(split=split, samples=20, noise=wanted)
    pairs = pairing.pairs([pipes.read(str(folder / "model.onnx"), "model")], [str(folder / data)], chosen)
    (record,) = scoring.records(pairs, "onnxruntime", 1, chosen, lambda text: None)
    assert record["noise"]["seed"] == wanted.seed
    curve = record["noise"]["curve"]
    assert curve[0] == {"noise": "clean", "snr_db": None, "unheard": 0, **{k: record[k] for k in ("accuracy", "uar")}}
    return list(curve)


@pytest.fixture(scope="module")
def curve(folder: Path) -> list[dict[str, object]]:
    return _curve(folder)


def _value(row: dict[str, object]) -> float:
    return float(row["accuracy"]["value"])  # type: ignore[index]


def test_there_is_a_row_without_noise_and_one_for_each_kind_and_ratio_on_the_same_clips(
    curve: list[dict[str, object]],
) -> None:
    rows = [("clean", None), ("white", 60.0), ("white", -20.0), ("babble", 60.0), ("babble", -20.0)]
    assert [(row["noise"], row["snr_db"]) for row in curve] == rows
    assert {row["accuracy"]["n"] for row in curve} == {N}  # type: ignore[index]


def test_little_noise_changes_little_and_much_of_it_is_worse(curve: list[dict[str, object]]) -> None:
    clean, quiet, loud, *_ = curve
    assert _value(clean) == 1.0 and _value(quiet) > 0.9 and _value(loud) < 0.7


def test_the_curve_is_the_same_again_and_another_by_another_seed(folder: Path) -> None:
    at_five = [_curve(folder, kinds=("babble",), ratios_db=(0.0,), seed=seed) for seed in (0, 0, 1)]
    assert at_five[0] == at_five[1]
    changed = [_logits(folder, seed) for seed in (0, 0, 1)]
    assert np.array_equal(changed[0], changed[1]) and not np.array_equal(changed[0], changed[2])


def _logits(folder: Path, seed: int) -> NDArray[np.float32]:
    model = pipes.read(str(folder / "model.onnx"), "model")
    chosen = Options(split="test")
    (pair,) = pairing.pairs([model], [str(folder / "sounds.h5")], chosen)
    engine = onnxruntime.load(model.path, threads=1)
    clean = scoring.evaluation.collect(engine, model.header, pair.data, "test", pair.labels)
    wanted = robustness.Noises(("babble",), (0.0,), seed)
    _, (_, noisy) = robustness.answers(engine, model.header, pair.data, "test", clean, wanted)
    return noisy.logits


def test_babble_about_one_speaker_is_others() -> None:
    drawn: list[int] = []

    class Two:
        group = ("a", "a", "b", "b")

        def scored(self, split: str) -> NDArray[np.int64]:
            return np.arange(4)

        def sounds(self, start: int, stop: int) -> list[NDArray[np.float32]]:
            drawn.append(start)
            return [np.ones(500, np.float32)]

    add = robustness._adding("babble", 5.0, (0, 0))
    add(Two(), np.array([0, 1]), [np.ones(500, np.float32)], np.array([0]))  # type: ignore[arg-type]
    assert drawn and set(drawn) <= {2, 3}


def test_a_clip_in_which_no_voice_is_heard_any_more_is_wrong(folder: Path) -> None:
    loud = _curve(folder, kinds=("white",), ratios_db=(-20.0,))[1]
    assert loud["unheard"] > N // 2  # type: ignore[operator]
    assert _value(loud) <= 1 - loud["unheard"] / N  # type: ignore[operator]


def test_clips_that_are_not_scored_are_not_counted_as_unheard() -> None:
    y, rows = np.array([0, 1, -1, 1]), np.arange(4)
    clean = evaluation.Answers(np.zeros((4, 2), np.float32), y, [""] * 4, {}, 0, frozenset(), rows)
    filled, unheard = robustness._on_rows(clean, np.ones((2, 2), np.float32), np.array([0, 1]))
    assert unheard == 1 and filled[3].argmax() == 0


def test_noise_comes_before_the_detector_at_the_ratio_that_is_asked_for() -> None:
    sounds = [np.sin(np.arange(8000) / 20).astype(np.float32) * 0.3, np.ones(500, np.float32) * 0.1]
    add = robustness._adding("white", 5.0, (0, 0))

    class Nobody:
        group = ("", "")

    noisy = add(Nobody(), np.arange(2), sounds, np.arange(2))  # type: ignore[arg-type]
    for sound, mixed in zip(sounds, noisy, strict=True):
        ratio = 10 * np.log10(mixing.power(sound) / mixing.power(mixed - sound))
        assert ratio == pytest.approx(5.0, abs=0.1)


def test_features_cannot_be_noised(folder: Path) -> None:
    with pytest.raises(EmoError, match=r"no noise can be added.*--data DATASET"):
        _curve(folder, data="features.h5")


def test_a_model_of_faces_has_no_noise(tmp_path: Path, emo: Run) -> None:
    write_model(tmp_path / "model.onnx", varied=True)
    write_features(tmp_path / "faces.h5", kind="dataset")
    done = emo("eval", "model.onnx", "--data", "faces.h5", "--map", "auto", "--noise", "white", cwd=tmp_path)
    assert done.returncode == 1 and b"leave out --noise" in done.stderr


@pytest.mark.parametrize(
    ("kinds", "ratios", "says"),
    [
        ("brown", "5", "choose from white,pink,babble"),
        ("whit", "5", "did you mean white"),
        ("", "5", "no noise ''"),
        ("white", "5,x", "no list of decibels"),
        ("white", "500", "no list of decibels"),
        ("white", "nan", "no list of decibels"),
    ],
)
def test_kinds_and_ratios_that_cannot_be_are_refused(kinds: str, ratios: str, says: str) -> None:
    with pytest.raises(EmoError, match=says):
        robustness.parse(kinds, ratios, 0)


def test_kinds_and_ratios_are_lists_without_repeats() -> None:
    assert robustness.parse("pink,white,pink", "20,0,20", 3) == robustness.Noises(("pink", "white"), (20.0, 0.0), 3)


def test_the_command_prints_the_curve_and_draws_it(folder: Path, emo: Run) -> None:
    flags = ["--split", "all", "--noise", "white", "--snr", "20,0", "--samples", 20, "--threads", 1]
    done = emo("eval", "model.onnx", "--data", "sounds.h5", *flags, "--plot-noise", "noise.png", "--force", cwd=folder)
    (record,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["snr_db"] for row in record["noise"]["curve"]] == [None, 20.0, 0.0]
    assert (folder / "noise.png").read_bytes().startswith(b"\x89PNG")
    table = emo("eval", "model.onnx", "--data", "sounds.h5", *flags, "--table", cwd=folder).stdout.decode()
    assert "unheard" in table and "clean" in table and "curve" not in table


def test_a_curve_of_one_point_can_be_drawn(tmp_path: Path) -> None:
    figure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    clean = {"noise": "clean", "snr_db": None, "uar": figure}
    plotting.noise([clean, {"noise": "white", "snr_db": 5.0, "uar": figure}], "one point", tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_every_kind_of_noise_has_a_colour_of_its_own() -> None:
    assert len(plotting._LINES) == len(noises.KINDS) == len(set(plotting._LINES))


def test_with_noise_too_several_views_answer(tmp_path: Path, folder: Path) -> None:
    sounds = pipes.read(str(folder / "sounds.h5"), "dataset")
    model, wanted = pipes.read("ravdess-int8", "model"), robustness.Noises(("white",), (10.0,))
    engine = onnxruntime.load(model.path, threads=1)
    labels = label_map.match(LABELS, model.header.labels, label_map.parse(()), "sounds")

    def noisy(seen: Views) -> np.ndarray:
        clean = evaluation.collect(engine, model.header, sounds, "test", labels, seen=seen)
        *_, (_, found) = robustness.answers(engine, model.header, sounds, "test", clean, wanted, seen=seen)
        return found.logits

    assert not np.allclose(noisy(Views(5)), noisy(Views()))


@pytest.mark.parametrize(
    ("option", "says"),
    [("--snr", "is of --noise"), ("--seed", "draws the noise"), ("--min-group", "say which: --by-group")],
)
def test_options_of_what_is_not_asked_for_are_refused(emo: Run, folder: Path, option: str, says: str) -> None:
    done = emo("eval", folder / "model.onnx", "--data", folder / "sounds.h5", option, 5)
    assert done.returncode == 1 and option in done.stderr.decode() and says in done.stderr.decode()

"""The net of texts: it learns what words mean beside each other, and goes through all commands, in INT8 too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run

from emocli import architectures, registry
from emocli.artifact import Header
from emocli.data import hdf5, padding
from emocli.data.hdf5_writer import Writer
from emocli.models.text_cnn import build
from emocli.training import loop
from emocli.training.loop import Outcome
from emocli.training.recipe import Recipe

FILLING = ["the", "a", "and", "we", "they", "it", "was", "that", "day", "with", "my", "friend", "at", "home", "again"]
DATASET = {"command": "dataset", "name": "folder", "params": {}, "input": f"sha256:{0:064}", "license": "none"}
QUICK = Recipe(epochs=8, batch=32, ema=0.9, threads=1, device="cpu")
GLAD, SAD = ["happy", "love", "😂", "great", ":)"], ["sad", "cry", "😭", "awful", ":("]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def texts(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts of 4 to 20 words of which one is glad or sad, or the opposite of what "not" comes before."""
    rng, found, y = np.random.default_rng(seed), [], np.arange(n) % 2
    for label in y:
        words = list(rng.choice(FILLING, int(rng.integers(3, 18))))
        negated = bool(rng.integers(2))
        word = str(rng.choice((GLAD, SAD)[int(label) ^ negated]))
        place = int(rng.integers(len(words)))
        words[place:place] = ["not", word] if negated else [word]
        found.append(" ".join(words))
    return found, y


def parts(y: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(y)) < len(y) * 3 // 4, "train", "validation")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "features.h5"
    found, y = texts(600)
    writer = Writer(path, modality="text")
    writer.append_ragged(registry.load("features", "projection")(size=64)(found))
    step = {"command": "features", "name": "projection", "params": {"size": 64}, "detector": "none"}
    writer.finish(Header("features", ("glad", "sad"), (DATASET, step)), y, "label", parts(y))
    return path


def trained(features: Path, recipe: Recipe) -> Outcome:
    _, params = architectures.resolve("text-cnn", {"width": "32", "bottleneck": "32"})
    with hdf5.open_data(features) as data:
        net = loop.make("text-cnn", data.shape, 2, params, 0)
        return loop.train(net, data, recipe, progress=False)


def test_texts_go_through_features_train_quantize_eval_and_bench(tmp_path: Path, shell: Run) -> None:
    found, y = texts(300)
    writer = Writer(tmp_path / "texts.h5", modality="text")
    writer.append_encoded([text.encode() for text in found])
    writer.finish(Header("dataset", ("glad", "sad"), (DATASET,)), y, "label", parts(y))
    done = shell(
        "emo features texts.h5 -p size=64 -o features.h5\n"
        "emo train features.h5 -p width=32 -p bottleneck=32 --epochs 3 --batch 32 --ema 0.9 --threads 1 --rotate 3 "
        "-o fp32.onnx\n"
        "emo quantize fp32.onnx --max-drop 10 --min-speedup 0 -o int8.onnx\n"
        "emo eval int8.onnx --split validation --json --samples 50 --threads 1\n"
        "emo bench int8.onnx --seconds 0.1 --json"
    )
    assert done.returncode == 0, done.stderr.decode()
    notes = done.stderr.decode()
    assert "no --arch: trains text-cnn" in notes and "INT8 against FP32" in notes
    assert "these features have no use for --rotate: trains without" in notes


def test_it_learns_what_a_word_means_after_not(features: Path) -> None:
    # without the order of words a half would be right
    assert trained(features, QUICK).accuracy > 0.9


def test_no_speed_is_read_between_words_and_no_range_of_them_hidden(features: Path) -> None:
    once = replace(QUICK, epochs=1)
    changed = (once, replace(once, speed=0.0, band_mask=0.0))
    usual, without = (trained(features, recipe).net.state_dict() for recipe in changed)
    assert all(torch.equal(usual[name], without[name]) for name in usual)


def test_it_is_small_and_hears_no_word_beyond_the_end() -> None:
    net = build((-1, 256), 7).eval()
    assert sum(weight.numel() for weight in net.parameters()) < 200_000
    rng = np.random.default_rng(0)
    frames = [rng.integers(-1, 2, (length, 256)).astype(np.float32) for length in (9, 1, 40)]
    with torch.no_grad():
        together = net(torch.from_numpy(padding.pad(frames)))
        alone = torch.cat([net(torch.from_numpy(each[None])) for each in frames])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_text_without_words_has_an_answer() -> None:
    net = build((-1, 16), 3).eval()
    with torch.no_grad():
        assert torch.isfinite(net(torch.zeros(1, 1, 16))).all()

"""Data artifacts of signals and of texts: what was written comes back, and what can't be is refused."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from emocli.data import hdf5, hdf5_describe, importing
from emocli.data.samples import Corpus, Sample
from emocli.errors import EmoError
from emocli.physio.signals import Signals

CHANNELS = ("bvp", "eda", "temp")
LENGTHS = (64, 640, 65, 1)
TEXTS = ("I can't believe it!", "…", "naïve 😀 喜", "")


def _written(corpus: Corpus, path: Path) -> Path:
    step = {"command": "dataset", "name": "made", "params": {}}
    parts = {"split": "random", "validation": 0.0, "test": 0.0, "seed": 0}
    importing.write(corpus, path, step, parts, lambda text: None)
    return path


def _signals() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, len(CHANNELS))).astype(np.float32) for length in LENGTHS]


@pytest.fixture
def signals(tmp_path: Path) -> Path:
    def samples() -> Iterator[Sample]:
        for row, values in enumerate(_signals()):
            yield Sample(values, row % 2, group=f"S0{row}", id=f"{row}")

    corpus = Corpus(("calm", "stress"), "free", samples(), modality="physio", channels=CHANNELS)
    return _written(corpus, tmp_path / "signals.h5")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    samples = (Sample(text.encode(), row % 2, id=f"{row}") for row, text in enumerate(TEXTS))
    return _written(Corpus(("happy", "sad"), "free", samples, modality="text"), tmp_path / "texts.h5")


def test_signals_come_back_with_the_names_of_their_channels(signals: Path) -> None:
    with hdf5.open_data(signals) as data:
        assert (data.modality, data.channels, data.shape) == ("physio", CHANNELS, (-1, 3))
        for wanted, found in zip(_signals()[1:], data.raw(np.array([1, 2, 3])), strict=True):
            assert isinstance(found, Signals) and found.channels == CHANNELS
            assert np.array_equal(found.values, wanted)
            assert np.array_equal(found.channel("eda"), wanted[:, 1].astype(np.float64))


def test_info_says_which_channels_there_are_and_how_long_they_last(signals: Path) -> None:
    record = hdf5_describe.describe(signals)
    assert record["channels"] == list(CHANNELS) and record["seconds"] == round(sum(LENGTHS) / 64, 3)
    assert record["groups"] == 4 and hdf5.verify(signals).startswith("sha256:")


def test_a_channel_that_was_not_recorded_is_named_with_those_that_were(signals: Path) -> None:
    with hdf5.open_data(signals) as data, pytest.raises(EmoError, match=r"no acc_x \(.*\), they have bvp, eda, temp"):
        data.raw(np.array([0]))[0].channel("acc_x")


@pytest.mark.parametrize("names", [["bvp"], ["eda", "bvp", "temp"], ["bvp", "eda", "mood"], ["bvp", "bvp", "eda"]])
def test_channels_that_can_not_be_are_damage(signals: Path, names: list[str]) -> None:
    with h5py.File(signals, "r+") as file:
        del file["physio/channels"]
        file["physio/channels"] = np.array(names, "S")
    with pytest.raises(EmoError, match="channels of another kind"), hdf5.open_data(signals):
        pass


def test_columns_without_names_are_no_signals(signals: Path) -> None:
    with h5py.File(signals, "r+") as file:
        del file["physio/channels"]
    with hdf5.open_data(signals) as data, pytest.raises(EmoError, match="without names for its channels"):
        data.raw(np.array([0]))


def test_another_name_of_a_channel_is_another_artifact(signals: Path) -> None:
    with h5py.File(signals, "r+") as file:
        del file["physio/channels"]
        file["physio/channels"] = np.array(["bvp", "eda", "acc_x"], "S")
    with pytest.raises(EmoError, match="was changed after it was made"):
        hdf5.verify(signals)


def test_signals_with_values_that_are_no_numbers_are_refused(signals: Path) -> None:
    with h5py.File(signals, "r+") as file:
        file["physio/x"][5, 0] = np.nan
    with pytest.raises(EmoError, match="not numbers"), hdf5.open_data(signals):
        pass


def test_texts_come_back_as_they_were_written(texts: Path) -> None:
    with hdf5.open_data(texts) as data:
        assert (data.modality, data.shape) == ("text", ())
        assert data.raw(np.arange(4)) == list(TEXTS) and data.raw(np.array([0, 2])) == [TEXTS[0], TEXTS[2]]


def test_bytes_that_are_no_text_are_replaced_and_nothing_breaks(texts: Path) -> None:
    with h5py.File(texts, "r+") as file:
        file["text/x"][0] = 0xFF
    with hdf5.open_data(texts) as data:
        assert data.raw(np.array([0])) == ["\N{REPLACEMENT CHARACTER} can't believe it!"]


@pytest.mark.parametrize("kind", ["signals", "texts"])
def test_neither_can_be_taken_for_pictures_or_sounds(kind: str, request: pytest.FixtureRequest) -> None:
    held = {"signals": "physio", "texts": "text"}[kind]
    with hdf5.open_data(request.getfixturevalue(kind)) as data, pytest.raises(EmoError, match=f"hold {held}, no pict"):
        data.images(0, 1)

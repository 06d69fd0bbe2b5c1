"""Data artifacts of speech: sounds and frames of any length, further columns, the same hash whoever computes it."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from scored import score
from small_model import write_model

from emocli import pipes, previewing, registry
from emocli.artifact import Header
from emocli.data import hdf5, hdf5_describe, importing, padding
from emocli.data.hdf5_writer import Writer
from emocli.data.samples import Corpus, Sample
from emocli.errors import EmoError
from emocli.extracting import featurizing, joining
from emocli.sound import sounds

LENGTHS = (5, 17, 1, 40, 8, 3)
SPEAKERS = ("03", "08", "09")


def _clips() -> list[NDArray[np.int16]]:
    rng = np.random.default_rng(0)
    return [rng.integers(-(1 << 15), 1 << 15, length).astype(np.int16) for length in LENGTHS]


def _corpus() -> Corpus:
    def samples() -> Iterator[Sample]:
        for row, clip in enumerate(_clips()):
            about = {"sex": ("male", "female")[row % 2], "language": "German"}
            yield Sample(clip, row % 2, group=SPEAKERS[row % 3], id=f"clip {row}", about=about)

    return Corpus(("angry", "happy"), "free", samples(), modality="speech")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "dataset.h5"
    step = {"command": "dataset", "name": "emodb", "params": {}}
    parts = {"split": "published", "validation": 0.3, "test": 0.3, "seed": 0}
    importing.write(_corpus(), path, step, parts, lambda text: None)
    return path


def _frames(path: Path, lengths: tuple[int, ...] = LENGTHS, width: int = 3) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    frames = [rng.normal(size=(length, width)).astype(np.float32) for length in lengths]
    writer = Writer(path, modality="speech")
    writer.append_ragged(frames[:4])
    writer.append_ragged(frames[4:])
    header = Header("features", ("angry", "happy"), ({"command": "features", "name": "mfcc", "params": {}},))
    y, split = np.arange(len(lengths)) % 2, np.array(["train", "test"] * (len(lengths) // 2))
    writer.finish(header, y, "label", split, about={"sex": ["male"] * len(lengths)})
    return frames


def test_sounds_come_back_as_they_were(dataset: Path) -> None:
    with hdf5.open_data(dataset) as data:
        assert (data.modality, data.shape, len(data)) == ("speech", (), len(LENGTHS))
        for clip, sound in zip(_clips()[1:5], data.sounds(1, 5), strict=True):
            assert sound.dtype == np.float32 and np.abs(sound).max() <= 1
            assert np.array_equal(sounds.to_int16(sound), clip)


def test_what_else_the_corpus_says_is_kept_and_shown(dataset: Path) -> None:
    with hdf5.open_data(dataset) as data:
        assert data.about == {"language": ["German"] * 6, "sex": ["male", "female"] * 3}
    record = hdf5_describe.describe(dataset)
    assert record["about"]["sex"] == {"female": 3, "male": 3}
    assert record["groups"] == 3 and record["seconds"] == round(sum(LENGTHS) / 16000, 3)
    assert record["arrays"]["about/sex"]["shape"] == record["arrays"]["speech/end"]["shape"] == [6]


def test_a_split_shares_no_speaker(dataset: Path) -> None:
    with hdf5.open_data(dataset) as data:
        parts = [{data.group[row] for row in data.rows(part)} for part in ("train", "validation", "test")]
    assert sorted(name for part in parts for name in part) == sorted(SPEAKERS)


def test_the_content_hash_covers_the_further_columns(dataset: Path, tmp_path: Path) -> None:
    stated = hdf5.verify(dataset)
    changed = tmp_path / "changed.h5"
    changed.write_bytes(dataset.read_bytes())
    with h5py.File(changed, "r+") as file:
        file["about/sex"][0] = b"female"
    assert hdf5.read_header(changed)[1] == stated
    with pytest.raises(EmoError, match="changed after it was made"):
        hdf5.verify(changed)


def test_frames_come_back_by_row_and_padded_with_nan_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "features.h5"
    frames = _frames(path)
    with hdf5.open_data(path) as data:
        assert data.shape == (-1, 3) and data.lengths.tolist() == list(LENGTHS)
        rows = np.array([4, 0, 1, 5])
        for row, each in zip(rows, data.sequences(rows), strict=True):
            assert np.array_equal(each, frames[row])
        (x, y), (rest, _) = data.batches("train", 2)
    assert x.shape == (2, 5, 3) and y.tolist() == [0, 0] and rest.shape == (1, 8, 3)
    assert np.array_equal(x[0], frames[0]) and np.array_equal(x[1, :1], frames[2]) and np.isnan(x[1, 1:]).all()
    assert hdf5.verify(path)


def test_padding_is_nan_after_the_end_and_nowhere_else() -> None:
    batch = padding.pad([np.zeros((length, 2), np.float32) for length in (3, 1)])
    assert batch.dtype == np.float32 and np.isnan(batch[..., 0]).tolist() == [[False] * 3, [False, True, True]]


@pytest.mark.parametrize("ends", [[5, 4, 23, 63, 71, 74], [5, 22, 23, 63, 71, 99], [5, 22, 23, 63, 71, 73]])
def test_ends_that_do_not_fit_the_data_are_refused(ends: list[int], tmp_path: Path) -> None:
    _frames(tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file["speech/end"][:] = ends
    with pytest.raises(EmoError, match="end before they begin or after"), hdf5.open_data(tmp_path / "f.h5"):
        pass


def test_a_column_of_another_length_is_refused(tmp_path: Path) -> None:
    _frames(tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file["about/age"] = np.zeros(5)
    with pytest.raises(EmoError, match="make it again"), hdf5.open_data(tmp_path / "f.h5"):
        pass


def test_features_that_hold_nan_are_refused(tmp_path: Path) -> None:
    _frames(tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file["speech/x"][3] = np.nan
    with pytest.raises(EmoError, match="NaN"), hdf5.open_data(tmp_path / "f.h5"):
        pass


def test_samples_of_one_shape_are_no_sequences(features_file: Path) -> None:
    with hdf5.open_data(features_file) as data, pytest.raises(EmoError, match="no sequences"):
        data.sequences(np.arange(2))


def test_joined_frames_need_the_same_steps() -> None:
    def steps(hop: int) -> joining.Extractor:
        return lambda clips: [np.full((1 + len(clip) // hop, 2), hop, np.float32) for clip in clips]

    clips = [np.zeros(length, np.float32) for length in (100, 50)]
    both = joining.joined({"a": steps(10), "b": steps(10)})(clips)
    assert [each.shape for each in both] == [(11, 4), (6, 4)]
    with pytest.raises(EmoError, match="a 11, b 6 of one"):
        joining.joined({"a": steps(10), "b": steps(20)})(clips)
    with pytest.raises(EmoError, match="a gives frames"):
        joining.joined({"a": steps(10), "b": lambda clips: np.zeros((len(clips), 3), np.float32)})(clips)


def test_an_entry_without_a_word_is_for_faces() -> None:
    assert registry.describe("features", "pixels").modality == "face"


def test_an_extractor_of_pictures_is_refused_for_speech(dataset: Path, tmp_path: Path) -> None:
    source = pipes.read(str(dataset), "dataset")
    with pytest.raises(EmoError, match="pixels is for face and these data hold speech"):
        featurizing.write(source, tmp_path / "f.h5", "pixels", {}, "none", {}, limit=0, note=lambda text: None)


def test_sounds_have_no_preview(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="holds speech, of which there is nothing to see"):
        previewing.write(pipes.read(str(dataset), "dataset"), tmp_path / "x.png", {}, rows=1, columns=1, seed=0)


def test_a_model_of_faces_is_not_scored_on_speech(dataset: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.onnx")
    with pytest.raises(EmoError, match="the model is for face and these data hold speech"):
        score(model, dataset)


def _beeps() -> Corpus:
    """Every second clip holds a second of beep within silence, the others nothing."""
    beep = np.concatenate([np.zeros(16_000), 0.3 * np.sin(np.arange(16_000) * 0.17), np.zeros(16_000)])
    clips = [sounds.to_int16((beep * (row % 2)).astype(np.float32)) for row in range(6)]
    about = [{"sex": "male" if row < 3 else "female"} for row in range(6)]
    samples = (Sample(clips[row], row % 3, id=f"{row}", about=about[row]) for row in range(6))
    return Corpus(("angry", "happy", "sad"), "free", samples, modality="speech")


def test_memory_does_not_grow_with_the_number_of_clips(tmp_path: Path) -> None:
    clip = np.ones(1 << 19, np.int16)
    samples = (Sample(clip, row % 2, id=f"{row}") for row in range(64))
    corpus = Corpus(("angry", "happy"), "free", samples, modality="speech")
    step = {"command": "dataset", "name": "audio-folder", "params": {}}
    parts = {"split": "random", "validation": 0.0, "test": 0.0, "seed": 0}
    tracemalloc.start()
    importing.write(corpus, tmp_path / "d.h5", step, parts, lambda text: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "d.h5").stat().st_size > 64 << 20 and peak < 8 << 20


def test_a_clip_is_cut_to_what_is_said_and_left_out_where_nothing_is(tmp_path: Path) -> None:
    step, notes = {"command": "dataset", "name": "audio-folder", "params": {}}, list[str]()
    parts = {"split": "random", "validation": 0.0, "test": 0.0, "seed": 0}
    importing.write(_beeps(), tmp_path / "d.h5", step, parts, notes.append)
    source = pipes.read(str(tmp_path / "d.h5"), "dataset")
    featurizing.write(source, tmp_path / "f.h5", "rms", {"hop": 160}, "energy", {}, limit=0, note=notes.append)
    assert notes == ["3 of 6 clips have no voice that energy finds; left out"]
    with hdf5.open_data(tmp_path / "f.h5") as data:
        assert data.shape == (-1, 1) and data.lengths.tolist() == pytest.approx([110] * 3, abs=6)
        assert data.id == ["1", "3", "5"] and data.about == {"sex": ["male", "female", "female"]}
        assert data.targets().tolist() == [1, 0, 2]
    featurizing.write(source, tmp_path / "f.h5", "rms", {"hop": 160}, "none", {}, limit=0, note=notes.append)
    with hdf5.open_data(tmp_path / "f.h5") as data:
        assert data.lengths.tolist() == [301] * 6

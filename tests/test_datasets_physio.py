"""Recordings of a wristband: read onto one clock, cut into windows, labelled second by second or by their folder."""

import lzma
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import numpy as np
import pytest
from corpus_files import all_of
from numpy.testing import assert_allclose
from signals_made import START, sensor, write

from emocli import registry
from emocli.datasets import signals_folder, stress_predict
from emocli.errors import EmoError
from emocli.physio import e4
from emocli.physio.signals import CHANNELS, RATE_HZ

LIST = "Processed_data/Improved_All_Combined_hr_rsp_binary.csv"


def _clock(frames: int) -> np.ndarray:
    return np.arange(frames) / RATE_HZ


def test_sensors_of_other_rates_are_interpolated_to_the_clock_of_the_pulse(tmp_path: Path) -> None:
    recording = e4.read(write(tmp_path, 3))
    assert recording.start == START and recording.signals.channels == tuple(CHANNELS)
    assert recording.signals.values.dtype == np.float32 and recording.signals.values.shape == (3 * 64 + 1, 6)
    for channel in ("bvp", "eda", "temp"):
        assert_allclose(recording.signals.channel(channel), _clock(193), atol=1e-6)
    assert_allclose(recording.signals.channel("acc_x"), _clock(193) / 64, atol=1e-6)  # a 64th of g is one
    assert set(recording.signals.channel("acc_y")) == {-1 / 32} and set(recording.signals.channel("acc_z")) == {1}


def test_samples_of_the_pulse_are_kept_as_they_are(tmp_path: Path) -> None:
    pulse = np.random.default_rng(0).normal(0, 50, 300).round(2)
    write(tmp_path, 9, start=START + 0.3)
    sensor(tmp_path / "BVP.csv", pulse, 64)
    recording = e4.read(tmp_path)
    assert recording.start == START + 20 / 64  # its first sample after the others began
    assert_allclose(recording.signals.channel("bvp"), pulse[20:].astype(np.float32), rtol=0)
    assert_allclose(recording.signals.channel("eda"), _clock(280) + 20 / 64 - 0.3, atol=1e-5)


def test_the_common_time_is_from_the_latest_start_to_the_earliest_end(tmp_path: Path) -> None:
    write(tmp_path, 10, files=["BVP.csv", "TEMP.csv", "ACC.csv"])
    write(tmp_path, 5, start=START + 2, files=["EDA.csv"])
    recording = e4.read(tmp_path)
    assert recording.start == START + 2 and len(recording.signals.values) == 5 * 64 + 1
    assert_allclose(recording.signals.channel("temp"), 2 + _clock(321), atol=1e-5)
    assert_allclose(recording.signals.channel("eda"), _clock(321), atol=1e-5)


def test_a_recording_has_the_channels_whose_files_are_there(tmp_path: Path) -> None:
    write(tmp_path, files=["ACC.csv", "EDA.csv"])
    assert e4.channels(tmp_path) == e4.read(tmp_path).signals.channels == ("eda", "acc_x", "acc_y", "acc_z")
    some = e4.read(tmp_path, ("eda", "acc_z"))
    assert some.signals.channels == ("eda", "acc_z") and set(some.signals.channel("acc_z")) == {1}
    with pytest.raises(EmoError, match="has no temp; restore the file"):
        e4.read(tmp_path, ("eda", "temp"))
    with pytest.raises(EmoError, match=r"have no bvp .*leave out the extractors that need it"):
        some.signals.channel("bvp")


def test_what_is_not_wanted_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, 2)
    (tmp_path / "ACC.csv").write_text("junk")
    assert e4.read(tmp_path, ("bvp", "eda")).signals.values.shape == (129, 2)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_a_blank_last_line_do_not_matter(end: str, tmp_path: Path) -> None:
    for mark in ("", "\ufeff"):
        path = sensor(tmp_path / "EDA.csv", [0.5, 1, 1.5], 4, end=end)
        path.write_text(mark + path.read_text() + end, newline="")
        assert e4.read(tmp_path).signals.channel("eda")[::16].tolist() == [0.5, 1, 1.5]


HEAD = f"{START}\n4\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "EDA.csv is empty, or no table of numbers"),
        ("\n\n", "EDA.csv is empty, or no table of numbers"),
        (f"{START}\n", "EDA.csv has 0 values, and two are needed"),
        (f"{HEAD}1\n", "EDA.csv has 1 values, and two are needed"),
        (f"{HEAD}1\nx\n3\n", "EDA.csv line 4 holds 'x', which is no number of an E4"),
        (f"{HEAD}1\n\nnan\n3\n", "EDA.csv line 5 holds 'nan'"),
        (f"{HEAD}1\n-inf\n", "EDA.csv line 4 holds '-inf'"),
        (f"{HEAD}1\n1e300\n", "EDA.csv line 4 holds '1e300'"),
        (f"{START}000\n4\n1\n2\n", f"EDA.csv line 1 holds '{START}000'"),
        (f"{HEAD}1\n2,3\n", "EDA.csv line 4 has 2 columns, expected 1"),
        (f"{START},{START}\n4,4\n1,1\n", "EDA.csv line 1 has 2 columns, expected 1"),
        (f"{START}\n0\n1\n2\n", "EDA.csv line 2 holds 0, expected a rate of 1 to 64 Hz"),
        (f"{START}\n-4\n1\n2\n", "EDA.csv line 2 holds -4"),
        (f"{START}\n128\n1\n2\n", "EDA.csv line 2 holds 128"),
        (f"{HEAD}\xe9\n2\n".encode("latin-1"), "EDA.csv line 3 holds '\ufffd'"),
        (bytes(range(256)) * 4, "EDA.csv line 1 holds "),
        (b"\0" * 99, "EDA.csv line 1 holds "),
        (f"{HEAD}1_0\n2\n", "EDA.csv is empty, or no table of numbers"),
    ],
)
def test_a_damaged_file_is_one_line_that_says_where(content: str | bytes, says: str, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "EDA.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(e4.Unreadable) as fault:
        e4.read(tmp_path)
    assert str(fault.value).startswith(f"{tmp_path}: {says}") and "\n" not in str(fault.value)
    assert fault.value.why.startswith(says)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([f"{START},{START},{START + 1}", "32,32,32", "1,2,3", "1,2,3"], "ACC.csv line 1 differs between columns"),
        ([f"{START},{START},{START}", "32,32,16", "1,2,3", "1,2,3"], "ACC.csv line 2 differs between columns"),
        ([START, 32, "1,2,3"], "ACC.csv line 1 has 1 columns, expected 3"),
        ([f"{START},{START},{START}", "32,32,32", "1,2,3", "1,,3"], "ACC.csv line 4 holds ''"),
    ],
)
def test_columns_that_do_not_belong_together_are_told(lines: list[object], says: str, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "ACC.csv").write_text("\n".join(map(str, lines)))
    with pytest.raises(e4.Unreadable, match=says):
        e4.read(tmp_path)


def test_times_that_cannot_be_are_told(tmp_path: Path) -> None:
    write(tmp_path, 4, files=["BVP.csv"])
    write(tmp_path, 4, start=START + 5, files=["EDA.csv"])
    with pytest.raises(e4.Unreadable, match="its files don't overlap in time"):
        e4.read(tmp_path)
    (tmp_path / "BVP.csv").unlink()
    sensor(tmp_path / "EDA.csv", [0] * (3 * 86_400 + 2), 1)
    with pytest.raises(e4.Unreadable, match="lasts more than three days"):
        e4.read(tmp_path)


def test_a_folder_that_is_no_recording_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "HR.csv").write_text(HEAD)
    for path in (tmp_path, tmp_path / "HR.csv", tmp_path / "nothing"):
        with pytest.raises(EmoError, match=r"has none of BVP\.csv, .*; name the folder"):
            e4.read(path)


def test_recordings_are_found_sorted_and_links_are_not_followed(tmp_path: Path) -> None:
    for name in ("b/2", "a", "b/1", ".hidden"):
        write(tmp_path / name, 1, files=["EDA.csv"])
    write(tmp_path / "c", 1, files=["TEMP.csv"])
    (tmp_path / "d").symlink_to(tmp_path / "a")
    found = e4.recordings(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a", "b/1", "b/2"]
    assert e4.recordings(tmp_path / "a") == [tmp_path / "a"]


def test_windows_are_of_one_length_and_every_hop(tmp_path: Path) -> None:
    recording = e4.read(write(tmp_path, 7.5, files=["BVP.csv", "EDA.csv"]))
    found = list(e4.windows(recording, 3, 1.5))
    assert [start for start, _ in found] == [0, 1.5, 3, 4.5]
    for start, window in found:
        assert window.values.shape == (192, 2) and window.channels == ("bvp", "eda")
        assert_allclose(window.channel("bvp"), start + _clock(192), atol=1e-6)
        assert np.shares_memory(window.values, recording.signals.values)
    assert not list(e4.windows(recording, 8, 1))


@pytest.mark.parametrize("option", ["seconds", "hop"])
@pytest.mark.parametrize("number", [0, -1, 0.01, float("nan"), float("inf")])
def test_windows_that_cannot_be_are_refused_at_once(option: str, number: float, tmp_path: Path) -> None:
    recording = e4.read(write(tmp_path / "calm" / "1", 3))
    write(tmp_path / "stress" / "1", 3)
    given = {"seconds": 2.0, "hop": 2.0} | {option: number}
    with pytest.raises(EmoError, match="seconds and hop are from 1 to 259200"):
        e4.windows(recording, **given)
    with pytest.raises(EmoError, match="seconds and hop are from 1 to 259200"):
        signals_folder.read([tmp_path], **given)


def _stress(root: Path, people: tuple[int, ...] = (2, 3, 4), seconds: float = 12) -> Path:
    """Seconds 1 to 4 of each are calm, 5 to 11 are stress, 0 is not labelled; the participants differ in nothing."""
    rows = ["Participant,HR,respr,Time(sec),Label"]
    for number in people:
        write(root / f"Raw_data/S{number:02}", seconds)
        rows += [f"{number},70,12.5,{START + second},{int(second > 4)}" for second in range(1, 12)]
    (root / LIST).parent.mkdir(parents=True)
    (root / LIST).write_text("\n".join(rows))
    return root


def test_a_window_has_the_label_of_all_of_its_seconds(tmp_path: Path) -> None:
    corpus = stress_predict.read([_stress(tmp_path)], seconds=2, hop=1)
    samples = all_of(corpus)
    assert corpus.labels == ("no-stress", "stress") and corpus.modality == "physio"
    assert corpus.channels == tuple(CHANNELS) and corpus.license.startswith("MIT")
    assert {sample.group: 9 for sample in samples} == Counter(sample.group for sample in samples)
    first = [(sample.id, sample.y) for sample in samples if sample.group == "S02"]
    assert first == [(f"S02/{second:04}", int(second > 4)) for second in (1, 2, 3, 5, 6, 7, 8, 9, 10)]
    assert all(sample.x.shape == (128, 6) and sample.x.dtype == np.float32 for sample in samples)
    assert corpus.notes == {
        "window that is not labelled throughout left out": 3,
        "window of more than one label left out": 3,
    }


def test_a_window_between_whole_seconds_needs_the_labels_of_both(tmp_path: Path) -> None:
    samples = all_of(stress_predict.read([_stress(tmp_path, (2,))], seconds=2, hop=1.5))
    assert [(sample.id, sample.y) for sample in samples] == [
        *[("S02/01.5", 0), ("S02/0003", 0), ("S02/0006", 1), ("S02/07.5", 1), ("S02/0009", 1)],
    ]


@pytest.mark.parametrize("below", ["", "corpus", "corpus/Raw_data", "corpus/Raw_data/S03"])
def test_stress_predict_may_be_named_by_a_folder_above_or_below(below: str, tmp_path: Path) -> None:
    _stress(tmp_path / "corpus")
    groups = {sample.group for sample in stress_predict.read([tmp_path / below], seconds=2, hop=2).samples}
    assert groups == ({"S03"} if below.endswith("S03") else {"S02", "S03", "S04"})


def test_a_fold_of_stress_predict_is_a_participant(tmp_path: Path) -> None:
    root = _stress(tmp_path)
    samples = all_of(stress_predict.read([root], seconds=2, hop=2, fold=3))
    assert {(s.group, s.split) for s in samples} == {("S02", "train"), ("S03", "test"), ("S04", "train")}
    assert len(stress_predict.FOLDS) == 35 and stress_predict.FOLDS[34] == ("S35",)
    for fold in (1, 35):
        with pytest.raises(EmoError, match=rf"who are fold {fold} are missing \(S{fold:02}\)"):
            stress_predict.read([root], fold=fold)
    with pytest.raises(EmoError, match="stress-predict has no fold 36; choose 1 to 35"):
        stress_predict.read([root], fold=36)


def test_participants_without_labels_or_recordings_are_left_out(tmp_path: Path) -> None:
    root = _stress(tmp_path)
    write(root / "Raw_data/S01", 9)
    write(root / "Raw_data/other", 9)
    shutil.copytree(root / "Raw_data/S02", root / "copy/S02")
    shutil.rmtree(root / "Raw_data/S04")
    corpus = stress_predict.read([root], seconds=2, hop=2)
    assert {sample.group for sample in corpus.samples} == {"S02", "S03"}
    assert corpus.notes["S01 skipped: no second of it is labelled"] == 1
    assert corpus.notes["recording whose folder is not named like S02 skipped"] == 1
    assert corpus.notes["second copy of a recording skipped"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "lacks the columns Participant, "),
        ("Participant;Time(sec);Label\n", "lacks the columns Participant, "),
        ("Participant,Time(sec),Label\n\n2,1644227574,0\n2,1644227575\n", "line 4 has no whole Participant"),
        ("Participant,Time(sec),Label\n2,1.6E9,0\n", "line 2 has no whole Participant"),
        ("Participant,Time(sec),Label\n2,1644227574,2\n", "line 2 has no whole Participant"),
        ("Participant,Time(sec),Label\n2,1644227574,-1\n", "line 2 has no whole Participant"),
        (f'Participant,Time(sec),Label\n2,"{"1" * 200_000}', "is no whole csv file"),
        (None, r"has no Improved_All_Combined_hr_rsp_binary\.csv; give the folder of Stress-Predict's"),
    ],
)
def test_labels_that_cannot_be_read_are_told(content: str | None, says: str, tmp_path: Path) -> None:
    path = _stress(tmp_path) / LIST
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(EmoError, match=says):
        stress_predict.read([tmp_path])


def _unread(root: Path) -> dict[str, str]:
    (root / "Raw_data/S02/BVP.csv").write_text(HEAD + "1\nx\n")
    (root / "Raw_data/S03/TEMP.csv").unlink()
    return {"S02": "BVP.csv line 4 holds 'x', which is no number of an E4", "S03": "has no temp"}


def test_what_is_damaged_or_lacks_a_channel_is_left_out_by_name(tmp_path: Path) -> None:
    skipped = _unread(_stress(tmp_path, (2, 3, 4, 5)))
    write(tmp_path / "Raw_data/S05", 1)
    corpus = stress_predict.read([tmp_path], seconds=2, hop=2)
    assert {sample.group for sample in corpus.samples} == {"S04"} and corpus.channels == tuple(CHANNELS)
    assert {f"{name} skipped: {why}" for name, why in skipped.items()} <= set(corpus.notes)
    assert corpus.notes["recording shorter than 2 seconds skipped"] == 1


def test_a_corpus_that_gives_no_window_is_an_error_that_says_what_was_skipped(tmp_path: Path) -> None:
    _unread(_stress(tmp_path, (2, 3, 4)))
    corpus = stress_predict.read([tmp_path], seconds=60)
    with pytest.raises(EmoError, match=r"the 3 recordings give no windows of 60 seconds \(1 × S02 skipped: .*shorter"):
        all_of(corpus)
    shutil.rmtree(tmp_path / "Raw_data")
    with pytest.raises(EmoError, match="no recordings of this corpus are there"):
        stress_predict.read([tmp_path])


def test_other_signals_or_labels_are_another_source(tmp_path: Path) -> None:
    def source(root: Path) -> str:
        corpus = stress_predict.read([root], seconds=2, hop=2)
        all_of(corpus)
        return str(corpus.source.hexdigest())

    first = source(_stress(tmp_path / "here"))
    assert first == source(_stress(tmp_path / "there"))
    for name, before, after in ((LIST, ",0", ",1"), ("Raw_data/S03/TEMP.csv", "0.5", "0.6")):
        path = tmp_path / "there" / name
        text = path.read_text()
        path.write_text(text.replace(before, after))
        assert source(tmp_path / "there") != first
        path.write_text(text)


def _own(root: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        write(root / name, 4)
    return root


def test_a_signals_folder_has_classes_and_no_recording_in_two_parts(tmp_path: Path) -> None:
    corpus = signals_folder.read([_own(tmp_path, ("my/Calm/a_1", "my/Calm/b_1", "my/joy/a_2"))], seconds=2, hop=1)
    samples = all_of(corpus)
    assert corpus.labels == ("calm", "happy") and corpus.channels == tuple(CHANNELS) and not corpus.notes
    assert Counter((sample.group, sample.y, sample.split) for sample in samples) == {
        **{("a_1", 0, ""): 3, ("b_1", 0, ""): 3, ("a_2", 1, ""): 3}
    }
    assert samples[1].id == "my/Calm/a_1/0001"
    named = signals_folder.read([tmp_path], seconds=2, hop=1, subject="(a)_")
    assert {sample.group for sample in named.samples} == {"a", "b_1"}
    assert named.notes == {"path without a subject": 1}


def test_a_signals_folder_may_have_parts_and_recordings_without_a_label(tmp_path: Path) -> None:
    own = _own(tmp_path, ("train/calm/1", "train/stress/2", "train/more/3", "val/calm/4", "test/stress/x/5"))
    samples = all_of(signals_folder.read([own], seconds=2, hop=2, unlabelled="more"))
    found = {(sample.id.rpartition("/")[0], sample.y, sample.split, sample.group) for sample in samples}
    assert found == {
        ("train/calm/1", 0, "train", "1"),
        ("train/more/3", -1, "train", "3"),
        ("train/stress/2", 1, "train", "2"),
        ("val/calm/4", 0, "validation", "4"),
        ("test/stress/x/5", 1, "test", "5"),
    }


def test_a_signals_folder_of_one_class_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="one class only, 'calm'; expected a folder of recordings per class"):
        signals_folder.read([_own(tmp_path, ("calm/1",))])
    write(tmp_path / "stress")
    with pytest.raises(EmoError, match="one class only"):  # a class folder that is a recording itself
        signals_folder.read([tmp_path])


def test_the_channels_of_most_recordings_are_those_of_the_corpus(tmp_path: Path) -> None:
    write(tmp_path / "calm/1", 4, files=["BVP.csv", "EDA.csv"])
    write(tmp_path / "calm/2", 4, files=["BVP.csv", "EDA.csv"])
    write(tmp_path / "stress/3", 4)
    write(tmp_path / "stress/4", 4, files=["BVP.csv"])
    corpus = signals_folder.read([tmp_path], seconds=2, hop=2)
    samples = all_of(corpus)
    assert corpus.channels == ("bvp", "eda") and {sample.x.shape for sample in samples} == {(128, 2)}
    assert {sample.group for sample in samples} == {"1", "2", "3"}
    assert corpus.notes == {"stress/4 skipped: has no eda": 1}


def test_no_file_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    own = _own(tmp_path / "own", ("calm/1", "calm/2", "stress/1"))
    outside = write(tmp_path / "outside")
    (own / "calm/2/EDA.csv").unlink()
    (own / "calm/2/EDA.csv").symlink_to(outside / "EDA.csv")
    (own / "stress/2").symlink_to(outside)
    corpus = signals_folder.read([own], seconds=2, hop=2)
    assert {sample.id.rpartition("/")[0] for sample in corpus.samples} == {"calm/1", "stress/1"}
    assert corpus.notes == {"link out of the folder skipped": 1, "link to a folder skipped": 1}


@pytest.mark.parametrize("break_it", [lambda path: os.mkfifo(path), lambda path: path.mkdir()], ids=["pipe", "folder"])
def test_what_is_no_plain_file_is_no_sensor(break_it: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path, 2)
    (tmp_path / "BVP.csv").unlink()
    break_it(tmp_path / "BVP.csv")
    assert e4.read(tmp_path).signals.channels[0] == "eda"


@pytest.mark.parametrize("name", ["stress-predict", "signals-folder"])
def test_a_reader_takes_one_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=f"{name} is read from one folder, given was nothing"):
        registry.load("datasets", name)([])


def test_two_subjects_of_the_real_stress_predict(corpora: Path, tmp_path: Path) -> None:
    packed = corpora / "stress_predict"
    with tarfile.open(packed / "Raw_data_S02-S25.tar.xz") as archive:
        # the first ones: all of it takes seconds to unpack
        archive.extractall(tmp_path, takewhile(lambda member: "S04" not in member.name, archive), filter="data")
    (tmp_path / LIST).parent.mkdir()
    (tmp_path / LIST).write_bytes(lzma.decompress((packed / f"{Path(LIST).name}.xz").read_bytes()))
    corpus = stress_predict.read([tmp_path])
    samples = all_of(corpus)
    assert Counter((sample.group, corpus.labels[int(sample.y)]) for sample in samples) == {
        **{("S02", "no-stress"): 71, ("S02", "stress"): 33, ("S03", "no-stress"): 70, ("S03", "stress"): 26}
    }
    assert sum(corpus.notes.values()) == 26
    x = np.concatenate([sample.x for sample in samples])
    assert x.shape == (200 * 3840, 6) and np.isfinite(x).all()
    low, high = np.percentile(x, [1, 99], axis=0)
    assert (low >= [-500, 0, 20, -2, -2, -2]).all() and (high <= [500, 50, 40, 2, 2, 2]).all()
    assert_allclose(np.linalg.norm(np.median(x[:, 3:], axis=0)), 1, atol=0.35)

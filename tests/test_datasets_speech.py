"""Corpora of speech: names parsed, speakers kept apart, published folds, bad clips left out and counted."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED, Run
from corpus_files import all_of
from sound_made import tone, write

from emocli import registry
from emocli.data import hdf5, importing
from emocli.data.samples import Corpus, Sample
from emocli.data.splits import assign
from emocli.datasets import emodb, ravdess
from emocli.errors import EmoError

Files = Sequence[str]


def _open(name: str, root: Path, **options: object) -> Corpus:
    return registry.load("datasets", name)([root], **options)


def _made(root: Path, files: Files) -> Path:
    for name in files:
        write(root / name)
    return root


def _labelled(corpus: Corpus) -> list[tuple[str, str]]:
    return [(corpus.labels[int(sample.y)], sample.group) for sample in all_of(corpus)]


def _only(corpus: Corpus) -> Sample:
    (sample,) = all_of(corpus)
    return sample


def _ravdess(actors: Sequence[int] = range(1, 25), emotions: Sequence[int] = (1, 5)) -> list[str]:
    return [f"Actor_{a:02}/03-01-{e:02}-01-02-01-{a:02}.wav" for a in actors for e in emotions]


@pytest.mark.parametrize(
    ("corpus", "file", "label", "group", "about"),
    [
        ("ravdess", "Actor_12/03-01-06-02-02-01-12.wav", "fear", "12", {"sex": "female", "intensity": "strong"}),
        ("ravdess", "a/b/03-01-02-01-01-02-07.flac", "calm", "07", {"sex": "male", "sentence": "kids"}),
        ("emodb", "wav/03a01Fa.wav", "happy", "03", {"sex": "male", "language": "German", "sentence": "a01"}),
        ("emodb", "16b10Lb.wav", "boredom", "16", {"sex": "female"}),
        ("crema-d", "AudioWAV/1001_DFA_ANG_XX.wav", "angry", "1001", {"intensity": "", "sentence": "DFA"}),
        ("crema-d", "1091_WSI_SAD_HI.wav", "sad", "1091", {"intensity": "high", "language": "English"}),
        ("tess", "OAF_Fear/OAF_back_fear.wav", "fear", "OAF", {"sex": "female", "word": "back"}),
        ("tess", "YAF_pleasant_surprised/YAF_bar_ps.wav", "surprise", "YAF", {"word": "bar"}),
        ("tess", "OA_bite_neutral.wav", "neutral", "OAF", {"word": "bite"}),
        ("savee", "AudioData/DC/sa01.wav", "sad", "DC", {"sex": "male", "sentence": "01"}),
        ("savee", "KL_su15.wav", "surprise", "KL", {"language": "English"}),
        ("casia", "CASIA/wangzhe/angry/201.wav", "angry", "wangzhe", {"language": "Mandarin", "sentence": "201"}),
    ],
)
def test_a_name_tells_emotion_speaker_and_more(
    corpus: str, file: str, label: str, group: str, about: dict[str, str], tmp_path: Path
) -> None:
    opened = _open(corpus, _made(tmp_path, [file]))
    sample = _only(opened)
    assert (opened.labels[int(sample.y)], sample.group, sample.id, sample.split) == (label, group, file, "")
    assert about.items() <= sample.about.items()
    assert opened.modality == "speech" and opened.license and isinstance(sample.x, np.ndarray)
    assert sample.x.dtype == np.int16 and sample.x.shape == (800,)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, ["03-01"]),
        ({"channel": "song"}, ["03-02"]),
        ({"channel": "both"}, ["03-01", "03-02"]),
        ({"modality": "video"}, ["01-01"]),
    ],
)
def test_ravdess_takes_the_clips_that_are_asked_for(options: dict[str, str], kept: list[str], tmp_path: Path) -> None:
    files = [f"{kind}-03-01-01-01-01.wav" for kind in ("01-01", "02-01", "03-01", "03-02")]
    assert [sample.id[:5] for sample in all_of(_open("ravdess", _made(tmp_path, files), **options))] == kept


def test_ravdess_says_what_is_there_instead(tmp_path: Path) -> None:
    root = _made(tmp_path, _ravdess([1]))
    with pytest.raises(EmoError, match="2 clips but none of video speech"):
        _open("ravdess", root, modality="video")
    with pytest.raises(EmoError, match="modality is audio or video"):
        _open("ravdess", root, modality="smell")


@pytest.mark.parametrize("fold", [1, 2, 3, 4, 5])
def test_the_published_folds_of_ravdess(fold: int, tmp_path: Path) -> None:
    samples = all_of(_open("ravdess", _made(tmp_path, _ravdess(emotions=[1])), fold=fold))
    people = {part: {s.group for s in samples if s.split == part} for part in ("train", "test")}
    assert people["test"] == set(ravdess.FOLDS[fold - 1])
    assert sum(map(len, people.values())) == len(samples) == 24


def test_a_fold_leaves_validation_to_whole_speakers_of_the_others(tmp_path: Path) -> None:
    root = _made(tmp_path, [f"{speaker}a01Wa.wav" for speaker in ("03", "08", "11", "16")])
    samples = all_of(_open("emodb", root, fold=2))
    parts = assign(
        [s.split for s in samples],
        [s.group for s in samples],
        [s.id for s in samples],
        np.array([s.y for s in samples]),
    )
    assert Counter(parts.tolist()) == {"test": 1, "validation": 1, "train": 2} and parts[1] == "test"
    with pytest.raises(EmoError, match="fold 2 of emodb leaves 1 subjects to train with, and 2 are needed"):
        _open("emodb", _made(tmp_path / "two", ["03a01Wa.wav", "08a01Wa.wav"]), fold=2)
    with pytest.raises(EmoError, match=r"who are fold 3 are missing \(09\)"):
        _open("emodb", root, fold=3)
    with pytest.raises(EmoError, match="no fold 11; choose 1 to 10"):
        _open("emodb", root, fold=11)
    assert len(emodb.FOLDS) == 10


def test_a_fold_that_is_behind_links_says_that_these_were_not_followed(tmp_path: Path) -> None:
    elsewhere, root = _made(tmp_path / "elsewhere", _ravdess([1, 2], [1])), tmp_path / "corpus"
    root.mkdir()
    for actor in elsewhere.iterdir():
        (root / actor.name).symlink_to(actor)
    with pytest.raises(EmoError, match=r"fold 1 are missing \(02, .*\) \(2 × link to a folder skipped\); choose"):
        _open("ravdess", root, fold=1)


@pytest.mark.parametrize("split", ["subject", "random"])
def test_a_fold_is_not_thrown_away_by_another_split(split: str, emo: Run, tmp_path: Path) -> None:
    root = _made(tmp_path / "corpus", _ravdess(range(1, 7)))
    done = emo("dataset", "ravdess", root, "-p", "fold=1", "--split", split, "-o", tmp_path / "x.h5")
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and not (tmp_path / "x.h5").exists()
    assert f"fold=1 says who is in the test part and --split {split} divides anew" in done.stderr.decode()
    assert emo("dataset", "ravdess", root, "--split", split, "-o", tmp_path / "x.h5").returncode == 0


def test_a_share_that_cannot_be_is_refused_before_the_corpus_is_read(emo: Run, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "03a01Fa.wav").write_text("not read, or it would be said to be no sound")
    done = emo("dataset", "emodb", tmp_path / "corpus", "--test", "10", "-o", tmp_path / "x.h5")
    assert done.returncode == 1 and b"--test 10" in done.stderr and done.stderr.count(b"\n") == 1


def test_emodb_has_its_four_classes_alone(tmp_path: Path) -> None:
    opened = _open("emodb", _made(tmp_path, [f"03a01{letter}a.wav" for letter in "WLEAFTN"]), classes=4)
    assert Counter(label for label, _ in _labelled(opened)) == dict.fromkeys(("angry", "happy", "sad", "neutral"), 1)
    with pytest.raises(EmoError, match="choose 7, or 4"):
        _open("emodb", tmp_path, classes=5)


def test_crema_d_takes_the_sex_from_its_list_of_actors(tmp_path: Path) -> None:
    root = _made(tmp_path, ["AudioWAV/1001_DFA_ANG_XX.wav"])
    (root / "VideoDemographics.csv").write_text("ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n")
    for folder in (root, root / "AudioWAV"):
        assert _only(_open("crema-d", folder)).about["sex"] == "male"
    (root / "VideoDemographics.csv").write_text("Age\n51\n")
    with pytest.raises(EmoError, match="no columns ActorID and Sex"):
        _open("crema-d", root)


IEMOCAP = """[START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
[10.01 - 11.37]\tSes01F_impro01_M000\texc\t[2.5, 2.5, 2.5]
[12.01 - 13.37]\tSes01F_impro01_M001\tfru\t[2.5, 2.5, 2.5]
[14.01 - 15.37]\tSes01F_impro01_M002\txxx\t[2.5, 2.5, 2.5]
"""


def _iemocap(root: Path) -> Path:
    for session in (1, 2, 3):
        wavs = root / f"Session{session}/sentences/wav/Ses0{session}F_impro01"
        _made(wavs, [f"Ses0{session}F_impro01_{turn}.wav" for turn in ("F000", "M000", "M001", "M002")])
        labels = root / f"Session{session}/dialog/EmoEvaluation/Ses0{session}F_impro01.txt"
        (labels.parent / "Categorical").mkdir(parents=True)
        labels.write_text(IEMOCAP.replace("Ses01", f"Ses0{session}"))
        (labels.parent / "Categorical" / "Ses01F_impro01_e1_cat.txt").write_text("Ses01F_impro01_F000 :Anger; ()\n")
    return root


@pytest.mark.parametrize(
    ("classes", "expected"),
    [(4, {"neutral": 3, "happy": 3}), (6, {"neutral": 3, "excited": 3, "frustrated": 3})],
)
def test_the_protocols_of_iemocap(classes: int, expected: dict[str, int], tmp_path: Path) -> None:
    opened = _open("iemocap", _iemocap(tmp_path), classes=classes)
    found = _labelled(opened)
    assert Counter(label for label, _ in found) == expected and len(opened.labels) == classes
    assert {group for _, group in found} == {"Ses01", "Ses02", "Ses03"}, "who talk to each other stay together"
    assert sum(opened.notes.values()) == 12 - sum(expected.values())


def test_the_names_of_iemocap_tell_scripted_from_improvised(tmp_path: Path) -> None:
    root = _made(_iemocap(tmp_path), ["Session4/sentences/wav/x/Ses04M_script01_1b_F012.wav"])
    labels = root / "Session4/dialog/EmoEvaluation/Ses04M_script01_1b.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("[1.0 - 2.5]\tSes04M_script01_1b_F012\tsad\t[1, 2, 3]\n")
    sample = all_of(_open("iemocap", root))[-1]
    assert (
        sample.group == "Ses04"
        and sample.about["speaker"] == "Ses04F"
        and sample.about["scenario"] == "scripted"
        and sample.about["sex"] == "female"
    )


def test_a_fold_of_iemocap_is_a_session(tmp_path: Path) -> None:
    samples = all_of(_open("iemocap", _iemocap(tmp_path), fold=3))
    assert {(s.group, s.split) for s in samples} == {("Ses03", "test"), ("Ses01", "train"), ("Ses02", "train")}
    about = {"speaker": "Ses01F", "sex": "female", "language": "English", "scenario": "improvised"}
    assert samples[0].about == about


def test_iemocap_without_its_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="no Session1/dialog/EmoEvaluation"):
        _open("iemocap", _made(tmp_path, ["Ses01F_impro01_F000.wav"]))


MELD = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"


def _meld(root: Path) -> Path:
    (root / "train_sent_emo.csv").write_text(
        f'{MELD}1,"Oh, no!",Ross,joy,positive,0,0,1,1,a,b\n2,Hm,Joey,anger,x,0,1\n'
    )
    (root / "dev_sent_emo.csv").write_text(f"{MELD}1,What’s that?,Ross,surprise,neutral,0,0,1,1,a,b\n", "cp1252")
    return _made(
        root, ["train_splits/dia0_utt0.wav", "dev_splits_complete/dia0_utt0.wav", "train_splits/dia9_utt9.wav"]
    )


def test_meld_keeps_its_parts_and_what_is_said(tmp_path: Path) -> None:
    opened = _open("meld", _meld(tmp_path))
    samples = all_of(opened)
    assert [(opened.labels[int(s.y)], s.split, s.group) for s in samples] == [
        ("happy", "train", "Ross"),
        ("surprise", "validation", "Ross"),
    ]
    assert samples[0].about == {"language": "English", "sentiment": "positive", "text": "Oh, no!"}
    assert opened.notes == {"utterance of the train part without its clip left out": 1}


@pytest.mark.parametrize(
    ("speaker", "group"),
    [
        ("Joey", "Joey"),
        ("Joey and Ross", "Joey"),
        ("Rachel/actress", "Rachel"),
        ("All", "All of train dialogue 0"),
        ("The Woman", "The Woman of train dialogue 0"),
    ],
)
def test_a_speaker_of_meld_is_one_person(speaker: str, group: str, tmp_path: Path) -> None:
    path = _meld(tmp_path) / "train_sent_emo.csv"
    path.write_text(path.read_text().replace("Ross", speaker))
    assert all_of(_open("meld", tmp_path))[0].group == group


def test_a_name_that_is_no_utf_8_is_read_and_kept_legibly(tmp_path: Path) -> None:
    root = _meld(tmp_path)
    (root / "train_splits").rename(root / os.fsdecode(b"train_\xe9"))
    assert all_of(_open("meld", root))[0].id == r"train_\xe9/dia0_utt0.wav"


def test_an_emotion_that_meld_does_not_have_is_named_with_its_place(tmp_path: Path) -> None:
    root = _meld(tmp_path)
    path = next(root.rglob("train_sent_emo.csv"))
    path.write_text(path.read_text(encoding="utf-8").replace("joy", "bored"), encoding="utf-8")
    with pytest.raises(
        EmoError, match=r"train_sent_emo\.csv: dia\d+_utt\d+ has an emotion that MELD doesn't have, 'bored'"
    ):
        _open("meld", root)


def test_meld_refuses_a_list_that_is_cut(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no train_sent_emo\.csv"):
        _open("meld", tmp_path)
    (_meld(tmp_path) / "train_sent_emo.csv").write_text(f"{MELD}1,Oh,Ross\n")
    with pytest.raises(EmoError, match="line 2 lacks"):
        _open("meld", tmp_path)
    (tmp_path / "train_sent_emo.csv").write_text(f'{MELD}1,"Oh{"!" * 200_000}\n')
    with pytest.raises(EmoError, match=r"train_sent_emo\.csv is no whole csv file .*restore the file"):
        _open("meld", tmp_path)
    for text in ("", MELD.replace(",", ";")):
        (tmp_path / "train_sent_emo.csv").write_text(text)
        with pytest.raises(EmoError, match=r"train_sent_emo\.csv lacks the columns Utterance, .* or is empty"):
            _open("meld", tmp_path)


def test_an_audio_folder_has_classes_parts_and_speakers(tmp_path: Path) -> None:
    files = [
        f"my/{part}/{label}/S{row}_x.wav" for part in ("train", "val") for row, label in enumerate(("joy", "calm"))
    ]
    opened = _open("audio-folder", _made(tmp_path, files), subject=r"(S\d)_")
    samples = all_of(opened)
    assert opened.labels == ("calm", "happy")
    assert [(s.split, s.y, s.group) for s in samples] == [
        *[("train", 0, "S1"), ("train", 1, "S0")],
        *[("validation", 0, "S1"), ("validation", 1, "S0")],
    ]
    (tmp_path / "one" / "sad").mkdir(parents=True)
    write(tmp_path / "one" / "sad" / "x.wav")
    with pytest.raises(EmoError, match="one class only, 'sad'; expected a folder of clips per class"):
        _open("audio-folder", tmp_path / "one")


def test_names_that_break_the_pattern_and_second_copies_are_counted(tmp_path: Path) -> None:
    files = ["03a01Fa", "copy/03a01Fa", "03a01Xa", "99a01Fa", "notes", ".hidden", ".Trash/03b01Fa"]
    opened = _open("emodb", _made(tmp_path, [f"{file}.wav" for file in files]))
    assert len(all_of(opened)) == 1
    assert opened.notes == {
        "clip whose name is not like 03a01Fa.wav skipped": 3,
        "second copy of a clip skipped": 1,
    }


@pytest.mark.parametrize(
    ("corpus", "files", "kept"),
    [
        ("crema-d", ("AudioMP3/1001_DFA_ANG_XX.mp3", "AudioWAV/1001_DFA_ANG_XX.wav"), "AudioWAV/1001_DFA_ANG_XX.wav"),
        ("crema-d", ("VideoFlash/1001_DFA_ANG_XX.flv", "wav/1001_DFA_ANG_XX.wav"), "wav/1001_DFA_ANG_XX.wav"),
        ("savee", ("AudioData/DC/a01.wav", "All/DC_a01.wav"), "All/DC_a01.wav"),
    ],
)
def test_of_copies_one_that_is_not_lossy_is_read(
    corpus: str, files: tuple[str, ...], kept: str, tmp_path: Path
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True)
        write(tmp_path / "any.wav").rename(tmp_path / file)
    opened = _open(corpus, tmp_path)
    assert [sample.id for sample in all_of(opened)] == [kept]
    assert opened.notes == {"second copy of a clip skipped": 1}


def test_a_folder_without_such_clips_is_an_error_that_says_what_was_skipped(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no clips of this corpus .*not like 03a01Fa"):
        _open("emodb", _made(tmp_path, ["x.wav"]))
    with pytest.raises(EmoError, match="read from one folder"):
        _open("emodb", tmp_path / "x.wav")


def _bad(root: Path) -> Path:
    _made(root, ["03a01Fa.wav"])
    write(root / "03a01Na.wav", np.empty(0, np.float32))
    write(root / "03a01Wa.wav", np.zeros(800, np.float32))
    write(root / "03a01Ta.wav", np.full(800, np.nan, np.float32), subtype="FLOAT")
    write(root / "03a02Fa.wav", (3 * tone()).clip(-1, 1))
    write(root / "03a02Na.wav", tone(rate_hz=4000), 4000)
    (root / "03a02Wa.wav").write_bytes(b"junk" * 999)
    return root


def test_bad_clips_are_left_out_or_noted_and_the_others_are_read(tmp_path: Path) -> None:
    opened = _open("emodb", _bad(tmp_path))
    assert [sample.id for sample in all_of(opened)] == ["03a01Fa.wav", "03a01Wa.wav", "03a02Fa.wav", "03a02Na.wav"]
    assert opened.notes == {
        "clip skipped: has no samples": 1,
        "clip skipped: has samples that are not numbers (NaN)": 1,
        "clip skipped: is no sound file": 1,
        "silent clip": 1,
        "clip that is clipped: louder than its recorder could hold": 1,
        "clip below 8 kHz, which lacks what is above 4 kHz": 1,
    }


def test_a_corpus_of_which_nothing_can_be_read_is_an_error_and_writes_nothing(emo: Run, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    for name in ("03a01Fa.wav", "08a01Na.wav"):
        write(root / name, np.empty(0, np.float32))
    done = emo("dataset", "emodb", root, "-o", tmp_path / "x.h5")
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1 and not (tmp_path / "x.h5").exists()
    assert lines[-1] == "emo: none of the 2 clips can be read (has no samples); are they whole sound files?"


@pytest.mark.parametrize(
    ("corpus", "files"), [("emodb", ["03a01Fa.wav", "03a01Na.wav"]), ("tess", ["OAF_a_ps.wav", "YAF_a_ps.wav"])]
)
def test_one_or_two_speakers_are_divided_only_when_that_is_asked_for(
    corpus: str, files: Files, emo: Run, tmp_path: Path
) -> None:
    root = _made(tmp_path / "corpus", files)
    done = emo("dataset", corpus, root, "-o", tmp_path / "x.h5")
    assert done.returncode == 1 and b"too few subjects or speakers" in done.stderr and b"--split random" in done.stderr
    assert not (tmp_path / "x.h5").exists()
    assert emo("dataset", corpus, root, "--split", "random", "-o", tmp_path / "x.h5").returncode == 0


def _written(corpus: Corpus, path: Path, note: Callable[[str], None] = lambda text: None) -> Path:
    step = {"command": "dataset", "name": "x", "params": {}}
    importing.write(corpus, path, step, {"split": "published", "validation": 0.1, "test": 0.1, "seed": 0}, note)
    return path


def test_the_same_corpus_is_the_same_artifact_wherever_it_lies(tmp_path: Path) -> None:
    files = _ravdess(range(1, 5))
    roots = [_made(tmp_path / name, files) for name in ("here", "there")]
    first, second = (_written(_open("ravdess", root), root / "x.h5").read_bytes() for root in roots)
    assert first == second


def _real(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"no {name} beside the project (../shared/data)")
    return SHARED / name


def test_the_real_emodb_is_read_whole(tmp_path: Path) -> None:
    path = _written(_open("emodb", _real("emodb")), tmp_path / "x.h5")
    with hdf5.open_data(path) as data:
        counts = dict(zip(data.labels, np.bincount(data.targets()).tolist(), strict=True))
        assert len(data) == 289 and sorted(set(data.group)) == ["03", "08", "09", "10", "11", "12", "13", "14"]
        assert {counts[label] for label in ("angry", "happy", "neutral", "sad")} == {100, 54, 63, 49}
        assert Counter(data.about["sex"])["male"] == sum(group in emodb.MEN for group in data.group)
        people = [{data.group[row] for row in data.rows(part)} for part in ("train", "validation", "test")]
        assert all(people) and sum(map(len, people)) == 8


def test_one_actor_of_the_real_ravdess_has_60_clips(tmp_path: Path) -> None:
    opened = _open("ravdess", _real("ravdess") / "Actor_07")
    counts = Counter(label for label, _ in _labelled(opened))
    assert counts == {"neutral": 4, **dict.fromkeys(ravdess.ORDER[1:], 8)} and not opened.notes


def test_the_sound_of_a_real_video_of_ravdess(tmp_path: Path) -> None:
    name = "01-01-01-01-01-01-01.mp4"
    shutil.copyfile(_real("video") / f"ravdess_{name}", tmp_path / name)
    sample = _only(_open("ravdess", tmp_path, modality="video"))
    assert (sample.y, sample.group) == (0, "01") and len(sample.x) == pytest.approx(3.3 * 16_000, rel=0.01)


def test_every_speech_corpus_states_its_licence_in_its_text() -> None:
    for name in ("ravdess", "emodb", "crema-d", "tess", "savee", "iemocap", "casia", "meld", "audio-folder"):
        module = Path(ravdess.__file__).with_name(f"{name.replace('-', '_')}.py").read_text()
        assert re.search(r'^LICENSE = "[^"]{10,}"$', module, re.MULTILINE), name

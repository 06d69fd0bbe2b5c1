"""Corpora of texts: published parts and classes kept, labels of several classes, own tables, damage that is named."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED, Run
from corpus_files import all_of

from emocli import labels, registry
from emocli.data import hdf5
from emocli.data.samples import Corpus, Sample
from emocli.datasets import goemotions
from emocli.errors import EmoError

COMMENTS = {
    "train": '"He said ""no"""\t2,3\tid1\nLovely\t0,17\tid2\nHm ’tis\t27\tid3\nNo idea\t27,6\tid4\n',
    "dev": "Ugh\t11\tid5\n",
    "test": "What?\t7,26\tid6\n",
}
MELD = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
SAID = (
    b'1,"Oh, I\x92m fine",Ross,joy,positive,0,0\n'
    b"2,Caf\xc3\xa9\xc2\x85,All,anger,negative,0,1\n"
    b"3, ,Joey,fear,negative,0,2\n"
)


def _comments(root: Path, *parts: str) -> Path:
    for part in parts or COMMENTS:
        (root / f"{part}.tsv").write_text(COMMENTS[part], encoding="utf-8")
    return root


def _go(root: Path, **options: object) -> Corpus:
    return registry.load("datasets", "goemotions")([root], **options)


def _meld(root: Path, **options: object) -> Corpus:
    (root / "train_sent_emo.csv").write_bytes(MELD.encode() + SAID)
    return registry.load("datasets", "meld")([root], **options)


def _own(path: Path, text: str | bytes, **options: object) -> Corpus:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return registry.load("datasets", "texts")([path], **options)


def _said(samples: list[Sample]) -> list[str]:
    return [bytes(sample.x).decode() for sample in samples]


def _labelled(corpus: Corpus) -> list[tuple[str, str]]:
    samples = all_of(corpus)
    return list(zip(_said(samples), [corpus.labels[int(sample.y)] for sample in samples], strict=True))  # type: ignore[arg-type]


def test_goemotions_keeps_its_parts_and_leaves_out_what_is_of_several_classes(tmp_path: Path) -> None:
    opened = _go(_comments(tmp_path))
    samples = all_of(opened)
    assert [(opened.labels[int(s.y)], s.split, s.id) for s in samples] == [  # type: ignore[arg-type]
        ("angry", "train", "id1"),
        ("happy", "train", "id2"),
        ("neutral", "train", "id3"),
        ("disgust", "validation", "id5"),
        ("surprise", "test", "id6"),
    ]
    assert _said(samples)[:3] == ['He said "no"', "Lovely", "Hm ’tis"] and not any(s.group for s in samples)
    assert opened.labels == labels.SEVEN and opened.modality == "text"
    assert opened.notes == {"comment of the train part with labels of several classes left out": 1}


@pytest.mark.parametrize(
    ("classes", "kept"),
    [
        (28, [("Hm ’tis", "neutral"), ("Ugh", "disgust")]),
        (7, [('He said "no"', "angry"), ("Lovely", "happy"), ("Hm ’tis", "neutral"), ("Ugh", "disgust")]),
        (4, [('He said "no"', "negative"), ("Lovely", "positive"), ("Hm ’tis", "neutral"), ("Ugh", "negative")]),
    ],
)
def test_the_classes_of_goemotions(classes: int, kept: list[tuple[str, str]], tmp_path: Path) -> None:
    opened = _go(_comments(tmp_path, "train", "dev"), classes=classes)
    assert _labelled(opened) == kept and len(opened.labels) == classes
    assert opened.notes["test.tsv is not there"] == 1


def test_several_classes_may_share_a_comment(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("a\t2,3,17\tx\nb\t27\ty\n")
    opened = _go(tmp_path, several="votes")
    assert opened.meaning == "probabilities"
    shares = [dict(zip(opened.labels, sample.y, strict=True)) for sample in all_of(opened)]  # type: ignore[arg-type]
    assert shares[0]["angry"] == pytest.approx(2 / 3) and shares[0]["happy"] == pytest.approx(1 / 3)
    assert [sum(each.values()) for each in shares] == [pytest.approx(1)] * 2 and shares[1]["neutral"] == 1


def test_every_emotion_of_goemotions_is_in_one_class_of_each_mapping() -> None:
    for mapping in (goemotions.EKMAN, goemotions.SENTIMENTS):
        assert sorted(emotion for group in mapping.values() for emotion in group) == sorted(goemotions.ORDER)
    assert (goemotions.ORDER[0], goemotions.ORDER[26:]) == ("admiration", ("surprise", "neutral"))


@pytest.mark.parametrize("name", ["labels.txt", "emotions.txt"])
def test_a_list_of_labels_says_what_their_numbers_are(name: str, tmp_path: Path) -> None:
    (_comments(tmp_path, "dev") / name).write_text("\n".join(reversed(goemotions.ORDER)) + "\n")
    assert _labelled(_go(tmp_path, classes=28)) == [("Ugh", goemotions.ORDER[27 - 11])]
    (tmp_path / name).write_text("joy\nanger\n")
    with pytest.raises(EmoError, match=rf"{name} is no list of GoEmotions' 27 emotions and neutral"):
        _go(tmp_path)


@pytest.mark.parametrize(
    "row",
    ["a\t1\n", "a\t1\tid\tmore\n", "a\t28\tid\n", "a\t-1\tid\n", "a\t\tid\n", "a\tjoy\tid\n", "a\t1;2\tid\n", "\n"],
)
def test_a_row_of_goemotions_that_cannot_be_is_named_by_its_line(row: str, tmp_path: Path) -> None:
    (tmp_path / "dev.tsv").write_text(f"fine\t1\tid\n{row}")
    with pytest.raises(EmoError, match=r"dev\.tsv line 2: expected a text, numbers of labels from 0 to 27 and an id"):
        all_of(_go(tmp_path))


def test_goemotions_that_is_not_there_or_damaged_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"has no train\.tsv, dev\.tsv or test\.tsv"):
        _go(tmp_path)
    with pytest.raises(EmoError, match="goemotions is read from one folder"):
        _go(tmp_path / "absent")
    for content, says in {
        b"": "is empty",
        bytes(range(256)) * 9: r"line \d+: expected",
        b'"open\t1\tid\n': "is no whole",
    }.items():
        (tmp_path / "train.tsv").write_bytes(content)
        with pytest.raises(EmoError, match=rf"train\.tsv {says}"):
            all_of(_go(tmp_path))


@pytest.mark.parametrize("options", [{"classes": 6}, {"several": "first"}])
def test_options_of_goemotions_that_cannot_be_are_refused(options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(EmoError, match="classes is 28, 7 or 4, several skip or votes"):
        _go(_comments(tmp_path), **options)


def test_what_meld_says_is_read_without_its_clips(tmp_path: Path) -> None:
    opened = _meld(tmp_path, modality="text")
    samples = all_of(opened)
    assert _said(samples) == ["Oh, I’m fine", "Café…"]  # Windows-1252, and the same taken for Latin-1
    assert [(opened.labels[int(s.y)], s.split, s.group, s.id) for s in samples] == [  # type: ignore[arg-type]
        ("happy", "train", "Ross", "train/dia0_utt0"),
        ("angry", "train", "All of train dialogue 0", "train/dia0_utt1"),
    ]
    assert samples[0].about == {"language": "English", "sentiment": "positive"} and opened.modality == "text"
    assert opened.notes == {"utterance of the train part without a text left out": 1}


def test_meld_without_clips_says_that_there_is_text(tmp_path: Path) -> None:
    with pytest.raises(EmoError, match=r"no clips of MELD are there \(3 × utterance.*-p modality=text"):
        _meld(tmp_path)
    with pytest.raises(EmoError, match="modality=smell can't be; modality is audio or text"):
        _meld(tmp_path, modality="smell")


TABLE = """Text,mood,LABEL,who,set
"Oh, ""no"",
not again",x,Sadness,ann,train
Yes,x,joy,ben,dev
Hm,x,,,test
,x,joy,ben,
"""


def test_own_texts_have_classes_subjects_and_parts(tmp_path: Path) -> None:
    opened = _own(tmp_path / "my.csv", TABLE, subject="Who", part="set")
    assert all_of(opened) == [
        Sample(b'Oh, "no",\nnot again', 1, "train", "ann", "my.csv:2"),
        Sample(b"Yes", 0, "validation", "ben", "my.csv:4"),
        Sample(b"Hm", -1, "test", "", "my.csv:5"),
    ]
    assert opened.labels == ("happy", "sad") and opened.modality == "text"
    assert opened.notes == {"text without a label": 1, "text without a subject": 1, "row without a text left out": 1}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "label,text\nsad,Oh no\njoy,Yes\n"),
        ("a.csv", "\ufefftext;label\r\nOh no;sad\r\n\r\nYes;joy\r\n"),
        ("a.CSV", "text\tlabel\nOh no\tsad\nYes\tjoy"),
        ("a.tsv", 'text\tlabel\n"Oh no"\tsad\nYes\tjoy\n'),
        ("a.jsonl", '{"text": "Oh no", "Label": "sad", "more": [1]}\n\n{"label": "joy", "text": "Yes"}\n'),
    ],
)
def test_own_texts_in_any_form_are_the_same(name: str, text: str, tmp_path: Path) -> None:
    assert _labelled(_own(tmp_path / name, text)) == [("Oh no", "sad"), ("Yes", "happy")]


def test_the_classes_of_several_files_are_those_of_all(tmp_path: Path) -> None:
    _own(tmp_path / "a.csv", "text,label\na,happy\nb,calm\n")
    (tmp_path / "b.jsonl").write_text('{"text": "c", "label": "joy"}\n{"text": "d", "label": 7}\n')
    opened = registry.load("datasets", "texts")([tmp_path / "a.csv", tmp_path / "b.jsonl"])
    assert opened.labels == ("7", "calm", "happy")
    assert _labelled(opened) == [("a", "happy"), ("b", "calm"), ("c", "happy"), ("d", "7")]
    assert opened.notes == {"labels happy, joy are one class, happy": 1}


def test_the_seven_emotions_come_in_their_usual_order(tmp_path: Path) -> None:
    rows = "".join(f"t,{name}\n" for name in sorted(labels.SEVEN))
    assert _own(tmp_path / "a.csv", f"text,label\n{rows}").labels == labels.SEVEN


def test_what_is_no_utf_8_is_read_as_windows_1252_and_counted(tmp_path: Path) -> None:
    opened = _own(tmp_path / "a.csv", b"text,label\nI\x92m,sad\nna\xc3\xafve,joy\n\x81,joy\n")
    assert [text for text, _ in _labelled(opened)] == ["I’m", "naïve", "\ufffd"]
    assert opened.notes == {"line that is no UTF-8 read as Windows-1252": 2}


def test_half_a_character_of_json_is_replaced(tmp_path: Path) -> None:
    lines = [{"text": "\ud800!", "label": "a"}, {"text": "😀", "label": "b"}]
    opened = _own(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert [text for text, _ in _labelled(opened)] == ["?!", "😀"]


@pytest.mark.parametrize(
    ("name", "text", "options", "says"),
    [
        ("a.csv", "", {}, r"a\.csv has no rows"),
        ("a.csv", "text,label\n", {}, r"a\.csv has no rows"),
        ("a.jsonl", "\n", {}, r"a\.jsonl has no rows"),
        ("a.txt", "text,label\n", {}, r"are read from files \.csv, \.tsv, \.jsonl, given was .*a\.txt"),
        ("a.csv", "words,Mood\na,joy\n", {}, r"a\.csv has no column 'text', but words, mood; choose with -p text="),
        ("a.csv", "text,mood\na,joy\n", {}, r"no column 'label', but text, mood; choose with -p label="),
        ("a.csv", "text,label\na,joy\n", {"subject": "who"}, "no column 'who', but text, label; .* -p subject="),
        ("a.csv", "text,label\na,joy\nOh, no,sad\n", {}, r"a\.csv line 3 has 3 columns and the first line 2"),
        ("a.csv", "text,label\na\n", {}, r"line 2 has 1 columns"),
        ("a.csv", 'text,label\na,joy\n"b,sad\nc,sad\n', {}, r"line 3: unexpected end of data; a text in quotation"),
        ("a.csv", f"text,label\na,joy\n{'b' * 200_000},sad\n", {}, r"line 3: field larger"),
        ("a.csv", "text,label\na,joy\n", {}, "the texts have one class only, 'happy'"),
        ("a.csv", "text,label\na,\n", {}, "the texts have no labels"),
        ("a.csv", "text,label,p\na,joy,x\n", {"part": "p"}, "line 2 is of part 'x'; say train, validation or test"),
        ("a.csv", f"text,label\na,{'b' * 201}\n", {}, "line 2 has a label of 201 characters; is it the right column"),
        ("a.csv", f"text,label,s\na,joy,{'b' * 201}\n", {"subject": "s"}, "has a subject of 201 characters"),
        ("a.csv", "text,label\n" + "".join(f"a,{i}\n" for i in range(1001)), {}, "more than 1,000 different labels"),
        ("a.csv", "text,label\na,joy\nb,sad\n".encode("utf-16"), {}, r"a\.csv is no text, or in UTF-16"),
        ("a.tsv", bytes(range(256)) * 99, {}, r"a\.tsv is no text, or in UTF-16"),
        ("a.jsonl", '{"text": "a", "label": "joy"}\n["a"]\n', {}, r"a\.jsonl line 2 is no JSON object"),
        ("a.jsonl", "[" * 100_000, {}, r"a\.jsonl line 1 is no JSON object"),
        ("a.jsonl", '{"text": "a", "label": ["joy"]}\n', {}, "line 1 has a list or an object where a text"),
    ],
)
def test_own_texts_that_cannot_be_read_are_one_error(
    name: str, text: str | bytes, options: dict[str, str], says: str, tmp_path: Path
) -> None:
    with pytest.raises(EmoError, match=says):
        _own(tmp_path / name, text, **options)


def test_a_file_without_line_ends_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emocli.datasets._csv.LONGEST", 1000)
    assert len(_labelled(_own(tmp_path / "a.csv", f"text,label\n{'a' * 900},joy\nb,sad\n"))) == 2
    with pytest.raises(EmoError, match=r"a\.csv line 2 has more than 1,000 characters; is it a text file"):
        _own(tmp_path / "a.csv", f"text,label\n{'a' * 1100},joy\nb,sad\n")


def test_other_labels_of_texts_are_another_source(tmp_path: Path) -> None:
    first, same, other = (
        _own(tmp_path / "a.csv", f"text,label\na,joy\nb,{label}\n").source.hexdigest()
        for label in ("sad", "sad", "fear")
    )
    assert first == same != other


def test_texts_become_an_artifact(emo: Run, tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(TABLE)
    words = ("dataset", "texts", tmp_path / "my.csv", "-p", "part=set", "-o", tmp_path / "x.h5")
    done = emo(*words)
    assert done.returncode == 0, done.stderr
    with hdf5.open_data(tmp_path / "x.h5") as data:
        assert data.labels == ("happy", "sad") and data.targets().tolist() == [1, 0, -1]
    assert emo("dataset", "texts", tmp_path / "absent.csv", "-o", tmp_path / "y.h5").returncode == 1


def _real(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"no {name} beside the project (../shared/data)")
    return SHARED / name


def _classes(corpus: Corpus) -> dict[tuple[str, str], int]:
    return Counter((sample.split, corpus.labels[int(sample.y)]) for sample in all_of(corpus))  # type: ignore[arg-type]


def test_the_real_goemotions_has_the_comments_of_one_class(tmp_path: Path) -> None:
    root, names = _real("goemotions"), {0: "happy", 14: "fear", 27: "neutral"}
    kept: Counter[tuple[str, str]] = Counter()
    several: Counter[str] = Counter()
    ekman = {emotion: label for label, group in goemotions.EKMAN.items() for emotion in group}
    order = (root / "labels.txt").read_text().split()
    assert {number: ekman[order[number]] for number in names} == names
    for part, split in (("train", "train"), ("dev", "validation")):
        for line in (root / f"{part}.tsv").read_text().splitlines():
            found = {ekman[order[int(number)]] for number in line.split("\t")[-2].split(",")}
            kept[split, min(found)] += len(found) == 1
            several[split] += len(found) > 1
    opened = _go(root)
    assert _classes(opened) == kept and several == {"train": 3855, "validation": 480}
    assert kept["train", "neutral"] == 12_823 and kept["train", "disgust"] == 498 and kept.total() == 44_501
    assert {
        part: opened.notes[f"comment of the {part} part with labels of several classes left out"] for part in several
    }
    votes = all_of(_go(root, several="votes"))
    assert len(votes) == 43_410 + 5_426 and not any(bytes(s.x).startswith(b'"""') for s in votes)
    assert np.allclose(np.sum([s.y for s in votes], 1), 1)


def test_the_real_meld_is_read_as_text() -> None:
    root, counted = _real("meld"), Counter[tuple[str, str]]()
    for part, split in (("train", "train"), ("dev", "validation")):
        with open(root / f"{part}_sent_emo.csv", newline="", encoding="utf-8") as file:
            counted.update((split, labels.canonical(row["Emotion"])) for row in csv.DictReader(file))
    opened = registry.load("datasets", "meld")([root], modality="text")
    assert _classes(opened) == counted and not opened.notes
    assert counted["train", "neutral"] == 4_710 and counted.total() == 9_989 + 1_109


def test_every_corpus_of_texts_states_its_licence_in_its_text() -> None:
    for name in ("goemotions", "texts"):
        module = Path(goemotions.__file__).with_name(f"{name}.py").read_text()
        assert re.search(r'^LICENSE = "[^"]{10,}"$', module, re.MULTILINE), name

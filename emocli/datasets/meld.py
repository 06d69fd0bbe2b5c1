"""MELD: 13,708 utterances of the series Friends, several speakers at once, 7 emotions; as sound or what is said.

Poria, Hazarika, Majumder, Naik, Cambria and Mihalcea, "MELD: A multimodal multi-party dataset for emotion recognition
in conversations", ACL 2019. Layout: ROOT with train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv anywhere in
it, and the clips dia0_utt0.mp4 in folders train_splits, dev_splits_complete and output_repeated_splits_test (of any
name that says train, dev or test). A list or clips that are missing are no fault. What is said is kept as `text`, or
is all that is read: that takes the lists alone.
Of test clips that its makers cut anew, final_videos_testdia0_utt0.mp4, these are taken and not the ones before.

The published parts are kept; they share the main speakers, so figures on them are not of unknown voices. What two say
together counts as the first one's; "All" or "Woman" is nobody in particular, somebody else in every dialogue.

Options:
    modality: audio (the sound of the clips) or text (what is said, as the lists have it, with or without clips)
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus, Sample
from emocli.datasets import _clips, _csv, _files
from emocli.datasets._clips import Clip
from emocli.errors import EmoError
from emocli.sound import sound_files

LICENSE = "GPL-3.0 for the labels; the clips belong to the makers of Friends (MELD, Poria et al. 2019)"
PARTS = {"train": "train", "dev": "validation", "test": "test"}
_NOBODY = {
    *("all", "both", "everyone", "everybody", "girls", "guys", "group", "people", "someone", "somebody", "voice"),
    *("boy", "girl", "guy", "kid", "lady", "man", "woman", "men", "women", "male", "female", "stranger", "student"),
    *("customer", "director", "doctor", "interviewer", "nurse", "officer", "receptionist", "waiter", "waitress"),
}
_ANEW = "final_videos_test"
_COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")


def read(sources: Sequence[Path], *, modality: str = "audio") -> Corpus:
    """Open MELD; raises EmoError without its lists or, for audio, its clips, and for a list that can't be read."""
    root = _files.only_folder(sources, "meld")
    if modality not in ("audio", "text"):
        raise EmoError(f"modality={modality} can't be; modality is audio or text")
    lists = {part: files[0] for part in PARTS if (files := _files.find(root, f"{part}_sent_emo.csv"))}
    if not lists:
        raise EmoError(f"{root} has no train_sent_emo.csv; give the folder of MELD's csv files and clips")
    notes: Counter[str] = Counter()
    source = _files.digest(lists.values())
    if modality == "text":
        return Corpus(labels.SEVEN, LICENSE, _texts(lists, notes), modality="text", notes=notes, source=source)
    clips = list(_heard(root, lists, notes))
    if not clips:
        raise EmoError(
            f"no clips of MELD are there{_files.skipped(notes)}; check the folder, or read what is said in them, "
            "which its lists have: -p modality=text"
        )
    return _clips.corpus(clips, labels.SEVEN, LICENSE, notes, source)


def _texts(lists: Mapping[str, Path], notes: Counter[str]) -> Iterator[Sample]:
    """Yield what is said in each utterance."""
    for part, name, label, row in _utterances(lists):
        if not row["Utterance"].strip():
            notes[f"utterance of the {PARTS[part]} part without a text left out"] += 1
            continue
        about = {"language": "English", "sentiment": row["Sentiment"]}
        said = row["Utterance"].encode()
        yield Sample(said, label, PARTS[part], _speaker(row, part), f"{part}/{name}", about=about)


def _heard(root: Path, lists: Mapping[str, Path], notes: Counter[str]) -> Iterator[Clip]:
    """Yield the clip of each utterance that has one."""
    there = _there(root, notes)
    for part, name, label, row in _utterances(lists):
        path = there.get((part, name))
        if path is None:
            notes[f"utterance of the {PARTS[part]} part without its clip left out"] += 1
            continue
        if path.stem.startswith(_ANEW):
            notes["clip that MELD's makers cut anew taken"] += 1
        about = {"language": "English", "sentiment": row["Sentiment"], "text": row["Utterance"]}
        yield Clip(path, _files.text(path.relative_to(root)), label, PARTS[part], _speaker(row, part), about)


def _utterances(lists: Mapping[str, Path]) -> Iterator[tuple[str, str, int, dict[str, str]]]:
    """Yield part, name, place among the labels and row of every utterance."""
    for part, path in lists.items():
        for row in _rows(path):
            name = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
            if labels.canonical(row["Emotion"]) not in labels.SEVEN:
                raise EmoError(f"{path}: {name} has an emotion that MELD doesn't have, {row['Emotion']!r}")
            yield part, name, labels.index(labels.SEVEN, row["Emotion"]), row


def _speaker(row: dict[str, str], part: str) -> str:
    """Return who speaks: one person, by a name that is this person's alone."""
    first = re.split(r",|/|&| and ", row["Speaker"])[0].strip()
    kind = re.sub(r"^(an?|the) |\W*\d+$", "", first.lower())
    return f"{first} of {part} dialogue {row['Dialogue_ID']}" if kind in _NOBODY else first


def _there(root: Path, notes: Counter[str]) -> dict[tuple[str, str], Path]:
    """Return the clips by part, train, dev or test, and name; of two the one that was cut anew, else the first."""
    found: dict[tuple[str, str], Path] = {}
    for name, path in _files.walk(root, sound_files.SUFFIXES, notes):
        folders = name.lower().split("/")[:-1]
        # the innermost folder that says so: test clips may lie in train's download
        part = next((part for folder in reversed(folders) for part in PARTS if part in folder), "")
        if path.stem.startswith(_ANEW):
            found[part, path.stem.removeprefix(_ANEW)] = path
        else:
            found.setdefault((part, path.stem), path)
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with _csv.opened(path) as file:
        reader = csv.DictReader(file)
        if not set(_COLUMNS) <= set(reader.fieldnames or ()):
            raise EmoError(f"{path} lacks the columns {', '.join(_COLUMNS)}, or is empty; restore the file")
        for number, row in enumerate(reader, 2):
            if any(row.get(column) is None for column in _COLUMNS):
                raise EmoError(f"{path} line {number} lacks one of {', '.join(_COLUMNS)}; restore the file")
            yield row

"""GoEmotions: 54,263 comments from Reddit in English, 27 emotions and neutral, some of several; or 7 or 4 classes.

Demszky, Movshovitz-Attias, Ko, Cowen, Nemade and Ravi, "GoEmotions: A dataset of fine-grained emotions", ACL 2020.
Layout: ROOT with train.tsv, dev.tsv and test.tsv, in it or in a folder of it: text, numbers of labels divided by
commas and id of the comment, divided by tabs, without a header; these are what two raters agreed on, of 58,009
comments. emotions.txt or labels.txt has the labels in the order of their numbers; without it that is as published. A
part that is missing is no fault. The published parts are kept; nobody is named, so parts may share who writes.

7 classes are the paper's mapping to Ekman's emotions, by emo's names: annoyance and disapproval are angry, nervousness
is fear, realization, confusion and curiosity are surprise, disappointment, embarrassment, grief and remorse are sad,
what else is positive is happy. 4 are its sentiments, surprise and its like ambiguous. A comment with labels of one
class is of that class.

Options:
    classes: 28 (as they are), 7 (Ekman's emotions and neutral) or 4 (positive, negative, ambiguous, neutral)
    several: skip leaves out comments whose labels are of several classes, votes makes y the share of labels per class
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus, Sample
from emocli.datasets import _csv, _files
from emocli.errors import EmoError

LICENSE = "CC BY 4.0 (GoEmotions, Demszky et al. 2020)"
PARTS = {"train": "train", "dev": "validation", "test": "test"}
EKMAN = {
    "angry": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "happy": (
        *("admiration", "amusement", "approval", "caring", "desire", "excitement"),
        *("gratitude", "joy", "love", "optimism", "pride", "relief"),
    ),
    "sad": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprise": ("confusion", "curiosity", "realization", "surprise"),
    "neutral": ("neutral",),
}
SENTIMENTS = {
    "positive": EKMAN["happy"],
    "negative": (*EKMAN["angry"], *EKMAN["disgust"], *EKMAN["fear"], *EKMAN["sad"]),
    "ambiguous": EKMAN["surprise"],
    "neutral": EKMAN["neutral"],
}
_EMOTIONS = sorted(emotion for emotions in EKMAN.values() for emotion in emotions if emotion != "neutral")
ORDER = (*_EMOTIONS, "neutral")
"""As emotions.txt has it."""
_CLASSES: Mapping[int, Mapping[str, Sequence[str]]] = {
    28: {emotion: (emotion,) for emotion in ORDER},
    7: {label: EKMAN[label] for label in labels.SEVEN},
    4: SENTIMENTS,
}
MEANINGS = {"skip": "label", "votes": "probabilities"}
_ABOUT = {"language": "English"}


def read(sources: Sequence[Path], *, classes: int = 7, several: str = "skip") -> Corpus:
    """Open GoEmotions; raises EmoError without any of its parts, and while it is read for a row that can't be."""
    root = _files.only_folder(sources, "goemotions")
    if classes not in _CLASSES or several not in MEANINGS:
        raise EmoError(f"classes={classes}, several={several} can't be; classes is 28, 7 or 4, several skip or votes")
    paths = _paths(root)
    notes = Counter(f"{part}.tsv is not there" for part in PARTS if part not in paths)
    folder = next(iter(paths.values())).parent
    listed = [path for name in ("emotions.txt", "labels.txt") if (path := folder / name).exists()][:1]
    order = _order(listed[0]) if listed else ORDER
    groups = _CLASSES[classes]
    places = [next(i for i, group in enumerate(groups.values()) if emotion in group) for emotion in order]
    samples = _samples(paths, places, len(groups), several, notes)
    source = _files.digest([*paths.values(), *listed])
    return Corpus(tuple(groups), LICENSE, samples, MEANINGS[several], modality="text", notes=notes, source=source)


def _paths(root: Path) -> dict[str, Path]:
    """Return the file of each part, those of one folder."""
    found = [path for part in PARTS for path in _files.find(root, f"{part}.tsv")]
    if not found:
        raise EmoError(f"{root} has no train.tsv, dev.tsv or test.tsv{_files.linked(root)}; give GoEmotions' folder")
    return {part: path for part in PARTS if (path := found[0].parent / f"{part}.tsv").exists()}


def _order(path: Path) -> tuple[str, ...]:
    """Return the labels in the order of their numbers; raises EmoError for others than GoEmotions'."""
    order = tuple(_files.contents(path).split())
    if sorted(order) != sorted(ORDER):
        raise EmoError(f"{path} is no list of GoEmotions' 27 emotions and neutral, one a line; restore the file")
    return order


def _samples(
    paths: Mapping[str, Path], places: Sequence[int], classes: int, several: str, notes: Counter[str]
) -> Iterator[Sample]:
    """Yield the comments; `places` has the class of each label's number."""
    for part, path in paths.items():
        for text, numbers, name in _rows(path):
            held = Counter(places[number] for number in numbers)
            if not text.strip():
                notes["comment without a text left out"] += 1
            elif several == "votes":
                shares = tuple(held[i] / held.total() for i in range(classes))
                yield Sample(text.encode(), shares, PARTS[part], id=name, about=_ABOUT)
            elif len(held) > 1:
                notes[f"comment of the {PARTS[part]} part with labels of several classes left out"] += 1
            else:
                yield Sample(text.encode(), next(iter(held)), PARTS[part], id=name, about=_ABOUT)


def _rows(path: Path) -> Iterator[tuple[str, list[int], str]]:
    """Yield text, numbers of labels and id; raises EmoError for an empty file and with the line of a bad row."""
    known = {f"{number}": number for number in range(len(ORDER))}
    with _csv.opened(path) as lines:
        reader = csv.reader(lines, delimiter="\t", strict=True)
        for row in reader:
            words = row[1].split(",") if len(row) == 3 else []
            if not words or not set(words) <= known.keys():
                raise EmoError(
                    f"{path} line {reader.line_num}: expected a text, numbers of labels from 0 to {len(ORDER) - 1} and "
                    "an id, divided by tabs; restore the file"
                )
            yield row[0], [known[word] for word in words], row[2]
        if not reader.line_num:
            raise EmoError(f"{path} is empty; download it again")

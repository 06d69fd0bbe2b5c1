"""Emotion names: the order each corpus publishes and the spellings that mean the same."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeVar

from emocli.errors import EmoError

Value = TypeVar("Value")

SEVEN = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's order."""
EIGHT = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
"""FER+'s order."""

_SPELLINGS = {
    "anger": "angry", "an": "angry", "ang": "angry",
    "disgusted": "disgust", "di": "disgust", "dis": "disgust",
    "fearful": "fear", "afraid": "fear", "fe": "fear", "fea": "fear", "scared": "fear",
    "happiness": "happy", "ha": "happy", "hap": "happy", "joy": "happy",
    "sadness": "sad", "sa": "sad",
    "surprised": "surprise", "su": "surprise", "sur": "surprise", "suprise": "surprise",
    "pleasant_surprise": "surprise", "pleasant_surprised": "surprise",
    "ne": "neutral", "neu": "neutral", "neutrality": "neutral",
    "contemptuous": "contempt",
    "bored": "boredom", "calmness": "calm",
    "excitement": "excited", "exc": "excited", "frustration": "frustrated", "fru": "frustrated",
}  # fmt: skip

_NEIGHBOURS = {"calm": "neutral", "neutral": "calm", "excited": "happy"}
"""Not the same emotion, but the one it is usually counted as where a corpus lacks it."""

_NUMBER = re.compile(r"^\d+[ _.-]+")
_USUAL = frozenset({*EIGHT, "calm", "boredom", "excited", "frustrated"})
"""What the corpora of faces and speech have names for."""


def usual(name: str) -> bool:
    """Tell whether a name, in any spelling, is that of an emotion which some corpora have and others lack."""
    return canonical(name) in _USUAL


def plain(name: str) -> str:
    """Return a name in lower case, without blanks around it, composed: some systems take letters with accents apart."""
    return unicodedata.normalize("NFC", name.strip().lower())


def canonical(name: str) -> str:
    """Return the usual spelling of an emotion's name, without a number before it: surprise for 6_Surprised.

    A name that is not known comes back in lower case.
    """
    word = plain(name)
    bare = _NUMBER.sub("", word)
    found = _SPELLINGS.get(bare, bare)
    return found if found in _USUAL else _SPELLINGS.get(word, word)


def named(name: str, among: Sequence[str]) -> str:
    """Return the label among `among` that a user's word stands for, in any spelling; the word where there is none."""
    if name in among:
        return name
    return next((label for label in among if canonical(label) == canonical(name)), name)


def all_named(words: Mapping[str, Value], among: Sequence[str], flag: str) -> dict[str, Value]:
    """Return what `words` say by the labels that they stand for; raises EmoError, naming `flag`, for one said twice."""
    found: dict[str, Value] = {}
    for word, value in words.items():
        label = named(word, among)
        if label in found:
            raise EmoError(f"{flag} says {label} twice, once as {word}; say it once")
        found[label] = value
    return found


def near(name: str, among: tuple[str, ...]) -> str:
    """Return the label among `among` that means the same as `name`, or nearly so; empty where there is none."""
    word = canonical(name)
    alike = {word: 0, _NEIGHBOURS.get(word, word): 1}
    close = [label for label in among if canonical(label) in alike]
    return min(close, key=lambda label: alike[canonical(label)], default="")


def index(labels: tuple[str, ...], name: str) -> int:
    """Return the place of `name`, in any spelling, among `labels`; raises EmoError when it isn't there."""
    word = canonical(name)
    if word not in labels:
        raise EmoError(f"label {name!r} is none of {', '.join(labels)}; rename it or use `emo dataset folder`")
    return labels.index(word)

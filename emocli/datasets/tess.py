"""TESS (Toronto): 2,800 clips of two actresses saying "Say the word …" in English, 7 emotions.

Pichora-Fuller and Dupuis, "Toronto emotional speech set (TESS)", 2020 (recorded 2010). Layout: ROOT/…/
OAF_back_angry.wav, whatever the folders: speaker (OAF 64 years old, YAF 26), word, emotion (ps is pleasant surprise).

With two speakers no split into three parts leaves one out: it has to be asked for with --split random, and what it
gives says little of other voices. Better use TESS to train on, or to test on, beside another corpus.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files
from emocli.datasets._clips import Clip

LICENSE = "CC BY-NC-ND 4.0 (TESS, Pichora-Fuller and Dupuis 2020)"
ORDER = labels.SEVEN
# one file is published as OA_bite_neutral.wav
_NAME = r"(OA|YA)F?_([a-z]+)_(angry|disgust|fear|happy|neutral|ps|sad)"


def read(sources: Sequence[Path]) -> Corpus:
    """Open TESS; raises EmoError for another folder."""
    root = _files.only_folder(sources, "tess")
    notes: Counter[str] = Counter()
    clips = []
    for name, path, found in _clips.named(root, _NAME, "OAF_back_angry.wav", notes):
        emotion = "surprise" if found[3].lower() == "ps" else found[3].lower()
        about = {"sex": "female", "language": "English", "word": found[2].lower()}
        clips.append(Clip(path, name, ORDER.index(emotion), group=f"{found[1].upper()}F", about=about))
    return _clips.corpus(clips, ORDER, LICENSE, notes)

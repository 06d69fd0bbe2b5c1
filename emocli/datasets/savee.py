"""SAVEE (Surrey): 480 clips of four men speaking British English, 7 emotions.

Haq and Jackson, "Speaker-dependent audio-visual emotion recognition", AVSP 2009; on registration, for research. Layout:
ROOT/…/DC/a01.wav as published, or ROOT/…/DC_a01.wav: speaker (DC, JE, JK, KL), emotion (a anger, d disgust, f fear,
h happiness, n neutral, sa sadness, su surprise), sentence. No parts are published: splits share no speaker.

Options:
    fold: which speaker, in the order above, is the test part, 1 to 4, others are for training; 0 is a split by speaker
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files, _folds
from emocli.datasets._clips import Clip

LICENSE = "research use, on registration (SAVEE, Haq and Jackson 2009)"
ORDER = labels.SEVEN
CODES = {"a": "angry", "d": "disgust", "f": "fear", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprise"}
FOLDS = (("DC",), ("JE",), ("JK",), ("KL",))


def read(sources: Sequence[Path], *, fold: int = 0) -> Corpus:
    """Open SAVEE; raises EmoError for another folder or a speaker who is not there."""
    root = _files.only_folder(sources, "savee")
    notes: Counter[str] = Counter()
    clips = []
    for name, path, found in _clips.named(root, r"(DC|JE|JK|KL)[/_](sa|su|[adfhn])(\d\d)", "DC/a01.wav", notes):
        about = {"sex": "male", "language": "English", "sentence": found[3]}
        label = ORDER.index(CODES[found[2].lower()])
        clips.append(Clip(path, name, label, group=found[1].upper(), about=about))
    return _clips.corpus(_folds.folded(clips, fold, FOLDS, "savee", notes), ORDER, LICENSE, notes)

"""EmoDB (Berlin): 535 clips of ten actors speaking German, 7 emotions.

Burkhardt, Paeschke, Rolfes, Sendlmeier and Weiss, "A database of German emotional speech", Interspeech 2005. Layout:
ROOT/…/03a01Fa.wav (wav/ as published): speaker, sentence, emotion, version. W anger (Wut), L boredom (Langeweile),
E disgust (Ekel), A fear (Angst), F happiness (Freude), T sadness (Trauer), N neutral. Speakers 03 male 31 years, 08
female 34, 09 female 21, 10 male 32, 11 male 26, 12 male 30, 13 female 32, 14 female 35, 15 male 25, 16 female 31.

No parts are published: splits share no speaker, and what is usual is to leave one speaker out: `fold`.

Options:
    classes: 7, or 4: angry, happy, neutral and sad
    fold: which speaker, in the order above, is the test part, 1 to 10, others are for training; 0 is a split by speaker
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files, _folds
from emocli.datasets._clips import Clip
from emocli.errors import EmoError

LICENSE = "free to use (EmoDB, Burkhardt et al. 2005)"
LETTERS = {
    "W": "angry",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
CLASSES = {7: tuple(LETTERS.values()), 4: ("angry", "happy", "sad", "neutral")}
MEN, WOMEN = ("03", "10", "11", "12", "15"), ("08", "09", "13", "14", "16")
FOLDS = tuple((speaker,) for speaker in sorted((*MEN, *WOMEN)))
_NAME = rf"({'|'.join(MEN + WOMEN)})([ab]\d\d)([WLEAFTN])\w"


def read(sources: Sequence[Path], *, classes: int = 7, fold: int = 0) -> Corpus:
    """Open EmoDB; raises EmoError for another folder or a speaker who is not there."""
    root = _files.only_folder(sources, "emodb")
    if classes not in CLASSES:
        raise EmoError(f"classes is {classes}; choose 7, or 4 (angry, happy, sad, neutral)")
    order = CLASSES[classes]
    notes: Counter[str] = Counter()
    clips = []
    for name, path, found in _clips.named(root, _NAME, "03a01Fa.wav", notes):
        label = LETTERS[found[3].upper()]
        if label in order:
            about = {"sex": "male" if found[1] in MEN else "female", "language": "German", "sentence": found[2]}
            clips.append(Clip(path, name, order.index(label), group=found[1], about=about))
    return _clips.corpus(_folds.folded(clips, fold, FOLDS, "emodb", notes), order, LICENSE, notes)

"""IEMOCAP: ten actors talking in pairs in English, improvised and scripted; 4 or 6 emotions of 10,039 utterances.

Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee and Narayanan, "IEMOCAP: Interactive emotional dyadic motion
capture database", Language Resources and Evaluation 42, 2008; on request, for research. Layout: ROOT/Session1 to
Session5, each with sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav and dialog/EmoEvaluation/Ses01F_impro01.txt,
whose lines "[6.29 - 8.24] Ses01F_impro01_F000 neu [2.5, 2.5, 2.5]" have the label most raters gave.

Two protocols: 4 classes, excited counted as happy (5,531 utterances), and 6, with excited and frustrated (7,380). No
parts are published; what is usual is to leave one session out, two speakers who talk to each other: `fold`. Splits
share no session, as what one of the two says is an answer to the other, in his microphone too.

Options:
    classes: 4 (angry, happy with excited, sad, neutral) or 6 (and excited, frustrated)
    fold: which session is the test part, 1 to 5, others are for training; 0 is a split by session
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files, _folds
from emocli.datasets._clips import Clip
from emocli.errors import EmoError

LICENSE = "research use, on request (IEMOCAP, Busso et al. 2008)"
FOUR = {"ang": "angry", "hap": "happy", "exc": "happy", "sad": "sad", "neu": "neutral"}
SIX = {**FOUR, "exc": "excited", "fru": "frustrated"}
FOLDS = tuple((f"Ses0{session}",) for session in range(1, 6))
_NAME = r"(Ses0[1-5])[FM]_((?:impro|script)\w+)_([FM])[^_/]+"
_LINE = re.compile(r"^\[[\d.]+ - [\d.]+\]\s+(Ses0\w+)\s+([a-z]{3})\s", re.MULTILINE)


def read(sources: Sequence[Path], *, classes: int = 4, fold: int = 0) -> Corpus:
    """Open IEMOCAP; raises EmoError for another folder, without its labels, or where the fold is not there."""
    root = _files.only_folder(sources, "iemocap")
    if classes not in (4, 6):
        raise EmoError(f"classes is {classes}; choose 4 (excited counts as happy) or 6")
    wanted = FOUR if classes == 4 else SIX
    order = tuple(dict.fromkeys(wanted.values()))
    notes: Counter[str] = Counter()
    files = _evaluations(root)
    codes = {name: code for path in files for name, code in _LINE.findall(_files.contents(path))}
    clips = []
    for name, path, found in _clips.named(root, _NAME, "Ses01F_impro01_F000.wav", notes):
        code = codes.get(path.stem, "")
        if code not in wanted:
            notes["utterance of another emotion, or that raters did not agree on, left out"] += 1
            continue
        about = {
            "speaker": found[1] + found[3].upper(),
            "sex": {"F": "female", "M": "male"}[found[3].upper()],
            "language": "English",
        }
        about |= {"scenario": "scripted" if found[2].startswith("script") else "improvised"}
        clips.append(Clip(path, name, order.index(wanted[code]), group=found[1], about=about))
    clips = _folds.folded(clips, fold, FOLDS, "iemocap", notes)
    return _clips.corpus(clips, order, LICENSE, notes, _files.digest(files))


def _evaluations(root: Path) -> list[Path]:
    """Return the files that have the label of each utterance; the folders below hold single raters'."""
    files = _files.find(root, "EmoEvaluation/*.txt")
    if not files:
        raise EmoError(
            f"{root} has no Session1/dialog/EmoEvaluation/*.txt{_files.linked(root)}; "
            "give the folder of IEMOCAP's release"
        )
    return files

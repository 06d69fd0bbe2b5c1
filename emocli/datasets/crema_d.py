"""CREMA-D: 7,442 clips of 91 actors speaking 12 sentences in English, 6 emotions, four intensities.

Cao, Cooper, Keutmann, Gur, Nenkova and Verma, "CREMA-D: Crowd-sourced emotional multimodal actors dataset", IEEE
Transactions on Affective Computing 5(4), 2014. Layout: ROOT/…/1001_DFA_ANG_XX.wav (AudioWAV/ as published; AudioMP3
and VideoFlash hold the same clips, which count as copies): actor, sentence, emotion, intensity (LO, MD, HI, XX not
told). The actors' sex is taken from VideoDemographics.csv where that is in ROOT or beside it. The label is the emotion
that was acted, not what raters heard. No parts are published: splits share no actor.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _csv, _files
from emocli.datasets._clips import Clip
from emocli.errors import EmoError

LICENSE = "Open Database License (CREMA-D, Cao et al. 2014)"
CODES = {"ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
ORDER = tuple(CODES.values())
LEVELS = {"LO": "low", "MD": "medium", "HI": "high"}
_NAME = r"(1\d{3})_([A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX|X)"


def read(sources: Sequence[Path]) -> Corpus:
    """Open CREMA-D; raises EmoError for another folder or a list of actors that can't be read."""
    root = _files.only_folder(sources, "crema-d")
    notes: Counter[str] = Counter()
    sexes = _sexes(root)
    clips = []
    for name, path, found in _clips.named(root, _NAME, "1001_DFA_ANG_XX.wav", notes):
        actor, sentence, emotion, level = (text.upper() for text in found.groups())
        about = {"sex": sexes.get(actor, ""), "language": "English"}
        about |= {"intensity": LEVELS.get(level, ""), "sentence": sentence}
        clips.append(Clip(path, name, ORDER.index(CODES[emotion]), group=actor, about=about))
    return _clips.corpus(clips, ORDER, LICENSE, notes)


def _sexes(root: Path) -> dict[str, str]:
    """Return the sex of each actor; nothing where the list is absent."""
    lists = [folder / "VideoDemographics.csv" for folder in (root, root.absolute().parent)]
    for path in lists:
        if path.is_file():
            with _csv.opened(path) as file:
                rows = list(csv.DictReader(file))
            if not rows or not {"ActorID", "Sex"} <= set(rows[0]):
                raise EmoError(f"{path} has no columns ActorID and Sex; restore the file")
            return {row["ActorID"] or "": (row["Sex"] or "").lower() for row in rows}
    return {}

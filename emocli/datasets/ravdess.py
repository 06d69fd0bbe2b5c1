"""RAVDESS: 24 actors speak and sing two sentences in English, 8 emotions, two intensities; sound or video files.

Livingstone and Russo, "The Ryerson Audio-Visual Database of Emotional Speech and Song", PLoS ONE 13(5), 2018; 1,440
spoken and 1,012 sung clips. Layout: ROOT/…/03-01-06-01-02-01-12.wav, whatever the folders (Actor_12 as published) and
the format. The numbers: 1 sound and picture, 2 picture, 3 sound; 1 speech, 2 song; 1 neutral, 2 calm, 3 happy, 4 sad,
5 angry, 6 fearful, 7 disgust, 8 surprised; 1 normal, 2 strong; sentence ("Kids …", "Dogs …"); repetition; actor, odd
numbers are men. Actors and clips that are missing are no fault.

No parts are published: splits share no actor. The folds are those of Luna-Jiménez et al. (Sensors 2021): actors 2, 5,
14, 15, 16; 3, 6, 7, 13, 18; 10, 11, 12, 19, 20; 8, 17, 21, 23, 24; 1, 4, 9, 22.

Options:
    modality: audio (sound files), video (the sound of the files with sound and picture)
    channel: speech, song or both
    fold: which of the five folds is the test part, 1 to 5, others are for training; 0 is a split by actor
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files, _folds
from emocli.datasets._clips import Clip
from emocli.errors import EmoError

LICENSE = "CC BY-NC-SA 4.0 (RAVDESS, Livingstone and Russo 2018)"
ORDER = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise")
FOLDS = (
    ("02", "05", "14", "15", "16"),
    ("03", "06", "07", "13", "18"),
    ("10", "11", "12", "19", "20"),
    ("08", "17", "21", "23", "24"),
    ("01", "04", "09", "22"),
)
_NAME = r"0([123])-0([12])-0([1-8])-0([12])-0([12])-0([12])-([01]\d|2[0-4])"
_MODALITIES, _CHANNELS = {"audio": "3", "video": "1"}, {"speech": "1", "song": "2", "both": "12"}


def read(sources: Sequence[Path], *, modality: str = "audio", channel: str = "speech", fold: int = 0) -> Corpus:
    """Open RAVDESS; raises EmoError for another folder, or where the modality or the fold are not there."""
    root = _files.only_folder(sources, "ravdess")
    if modality not in _MODALITIES or channel not in _CHANNELS:
        raise EmoError(
            f"modality={modality}, channel={channel} can't be; modality is audio or video, channel speech, song or both"
        )
    notes: Counter[str] = Counter()
    clips, others = [], 0
    for name, path, found in _clips.named(root, _NAME, "03-01-06-01-02-01-12.wav", notes):
        if found[1] != _MODALITIES[modality] or found[2] not in _CHANNELS[channel]:
            others += 1
            continue
        clips.append(Clip(path, name, int(found[3]) - 1, group=found[7], about=_about(*found.groups())))
    if others and not clips:
        raise EmoError(
            f"{root} has {others} clips but none of {modality} {channel}; choose with -p modality=, -p channel="
        )
    return _clips.corpus(_folds.folded(clips, fold, FOLDS, "ravdess", notes), ORDER, LICENSE, notes)


def _about(*codes: str) -> dict[str, str]:
    _, channel, _, intensity, sentence, repetition, actor = codes
    return {
        "sex": "male" if int(actor) % 2 else "female",
        "language": "English",
        "channel": {"1": "speech", "2": "song"}[channel],
        "intensity": {"1": "normal", "2": "strong"}[intensity],
        "sentence": {"1": "kids", "2": "dogs"}[sentence],
        "repetition": repetition,
    }

"""Sound files as they are, a clip each and without labels: for features of a recording, not for training.

What `emo features clip.wav` reads. wav, flac, ogg, mp3, m4a and others, or the sound of mp4, mkv and mpg.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files
from emocli.datasets._clips import Clip
from emocli.errors import EmoError

LICENSE = "not stated: yours to know"


def read(sources: Sequence[Path]) -> Corpus:
    """Open sound files; raises EmoError for anything else."""
    if not sources or not all(source.is_file() for source in sources):
        given = ", ".join(map(str, sources)) or "nothing"
        raise EmoError(f"clips are read from sound files, given was {given}; a folder is read by audio-folder")
    clips = [Clip(source, _files.text(Path(source.name)), -1, "test") for source in sources]
    corpus = _clips.corpus(clips, (), LICENSE, Counter())
    # of several, some may turn out unreadable
    return replace(corpus, count=1) if len(clips) == 1 else corpus

"""CASIA: four actors speaking Mandarin, 6 emotions; 1,200 clips of 50 sentences are free for research.

Institute of Automation, Chinese Academy of Sciences, "CASIA Chinese emotion corpus", 2008; the whole of 9,600 clips by
agreement. Layout: ROOT/SPEAKER/EMOTION/201.wav (liuchanhg, wangzhe, zhaoquanyin, ZhaoZuoxiang; angry, fear, happy,
neutral, sad, surprise). Who is a man and who a woman is not said in the files. No parts are published: splits share no
speaker.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _clips, _files
from emocli.datasets._clips import Clip

LICENSE = "research use, by agreement (CASIA, Chinese Academy of Sciences 2008)"
ORDER = ("angry", "fear", "happy", "neutral", "sad", "surprise")
_NAME = rf"([^/]+)/({'|'.join(ORDER)})/([^/]+)"


def read(sources: Sequence[Path]) -> Corpus:
    """Open CASIA; raises EmoError for another folder."""
    root = _files.only_folder(sources, "casia")
    notes: Counter[str] = Counter()
    clips = []
    for name, path, found in _clips.named(root, _NAME, "liuchanhg/angry/201.wav", notes):
        about = {"language": "Mandarin", "sentence": found[3]}
        clips.append(Clip(path, name, ORDER.index(found[2].lower()), group=found[1], about=about))
    return _clips.corpus(clips, ORDER, LICENSE, notes)

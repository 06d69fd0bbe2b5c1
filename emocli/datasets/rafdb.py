"""RAF-DB, basic set: 15,339 faces from the internet labelled by some 40 people each, 7 emotions.

Li, Deng and Du, "Reliable crowdsourcing and deep locality-preserving learning for expression recognition in the wild",
CVPR 2017; on request, for non-commercial research. Parts: train 12,271, test 3,068.

Layout: ROOT/EmoLabel/list_patition_label.txt (spelled so by its authors; the right spelling does too) with lines
"train_00001.jpg 5", and ROOT/Image/aligned/train_00001_aligned.jpg (100x100) or ROOT/Image/original/train_00001.jpg.
Labels: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.

Options:
    image: aligned or original
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus
from emocli.datasets import _files, _images
from emocli.datasets._images import Picture
from emocli.errors import EmoError

LICENSE = "non-commercial research, on request; images never shipped"
ORDER = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
_LISTS = ("list_patition_label.txt", "list_partition_label.txt")


def read(sources: Sequence[Path], *, image: str = "aligned") -> Corpus:
    """Open RAF-DB's basic set; raises EmoError without its list or for a line that can't be read."""
    if image not in ("aligned", "original"):
        raise EmoError(f"image is {image!r}; choose aligned or original")
    root = _files.only_folder(sources, "rafdb")
    listed = _list(root)
    folders = [path for path in _files.find(root, image) if path.is_dir()]
    if not folders:
        raise EmoError(f"{root} has no folder Image/{image}; unpack RAF-DB's {image} images there")
    suffix = "_aligned.jpg" if image == "aligned" else ".jpg"
    notes: Counter[str] = Counter()
    pictures = []
    for number, line in enumerate(_files.contents(listed).splitlines(), 1):
        if not line.strip():
            continue
        name, y, split = _entry(line, f"{listed.name} line {number}")
        path = folders[0] / f"{name}{suffix}"
        if path.exists() and _files.inside(root, path.relative_to(root)):
            pictures.append(Picture(path, _files.text(path.relative_to(root)), y, split))
        else:
            notes["listed image that is not there skipped"] += 1
    return _images.corpus(sorted(pictures, key=lambda each: each.id), labels.SEVEN, LICENSE, notes)


def _list(root: Path) -> Path:
    found = sorted(path for name in _LISTS for path in _files.find(root, name))
    if not found:
        raise EmoError(f"{root} has no {_LISTS[0]}; give the folder of RAF-DB's basic set")
    return found[0]


def _entry(line: str, place: str) -> tuple[str, int, str]:
    """Return the image's name without .jpg, its label and its part."""
    words = line.split()
    split = words[0].split("_")[0]
    if len(words) != 2 or words[1] not in set("1234567") or split not in ("train", "test") or "/" in words[0]:
        raise EmoError(f"{place} is {line[:40]!r}, expected an image and a label from 1 to 7: train_00001.jpg 5")
    return words[0].removesuffix(".jpg"), labels.SEVEN.index(ORDER[int(words[1]) - 1]), split

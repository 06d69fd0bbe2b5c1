"""RAF-DB, basic set: 15,339 faces from the internet labelled by some 40 people each, 7 emotions.

Li, Deng and Du, "Reliable crowdsourcing and deep locality-preserving learning for expression recognition in the wild",
CVPR 2017; on request, for non-commercial research. Parts: train 12,271, test 3,068.

Layout: ROOT/EmoLabel/list_patition_label.txt (spelled so by its authors; the right spelling does too) with lines
"train_00001.jpg 5", and ROOT/Image/aligned/train_00001_aligned.jpg (100x100) or ROOT/Image/original/train_00001.jpg.
Without a list, the form on Kaggle is read: train/5/train_00001_aligned.jpg and test/5/test_0001_aligned.jpg below ROOT.
Labels: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral.

Options:
    image: aligned or original
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from emocli import labels
from emocli.data.samples import Corpus
from emocli.datasets import _files, _images
from emocli.datasets._images import Picture
from emocli.errors import EmoError

LICENSE = "non-commercial research, on request; images never shipped"
ORDER = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
_LISTED = re.compile(r"((train|test)_\w+)\.jpg\s+([1-7])")
_SORTED = re.compile(r"(?:^|/)(train|test)/([1-7])/\1_[^/]+$")
_ENDINGS = {"aligned": "_aligned.jpg", "original": ".jpg"}
_LISTS = ("list_patition_label.txt", "list_partition_label.txt")


def read(sources: Sequence[Path], *, image: str = "aligned") -> Corpus:
    """Open RAF-DB's basic set; raises EmoError without its list or for a line that can't be read."""
    if image not in _ENDINGS:
        raise EmoError(f"image is {image!r}; choose aligned or original")
    root = _files.only_folder(sources, "rafdb")
    notes: Counter[str] = Counter()
    lists = [path for name in _LISTS for path in _files.find(root, name)][:1]
    pictures = _listed(root, lists[0], image, notes) if lists else _sorted(root, image, notes)
    if not lists and not pictures:
        what = (
            f"{root} has no {_LISTS[0]}{_files.linked(root)}, and no {image} images in folders{_files.skipped(notes)}"
        )
        raise EmoError(f"{what}; give the folder of RAF-DB's basic set")
    pictures.sort(key=lambda each: each.id)
    return _images.corpus(pictures, labels.SEVEN, LICENSE, notes, _files.digest(lists))


def _listed(root: Path, listed: Path, image: str, notes: Counter[str]) -> list[Picture]:
    """Return the images of a list that are there."""
    entries = [(f"{name}{_ENDINGS[image]}", y, split) for name, y, split in _entries(listed)]
    folders = [path for path in _files.find(root, image) if path.is_dir()]
    if not folders:
        raise EmoError(f"{root} has no folder Image/{image}{_files.linked(root)}; unpack RAF-DB's {image} images there")
    # unpacked by some, a folder lies in another of its name
    held = [folder for folder in folders if any((folder / name).exists() for name, _, _ in entries)]
    folder = (held or folders)[0]
    pictures = []
    for name, y, split in entries:
        path = folder / name
        if path.exists() and _files.inside(root, path.relative_to(root)):
            pictures.append(Picture(path, _files.text(path.relative_to(root)), y, split))
        else:
            notes["listed image that is not there skipped"] += 1
    return pictures


def _sorted(root: Path, image: str, notes: Counter[str]) -> list[Picture]:
    """Return the images that lie in folders of their part and label."""
    pictures = []
    for name, path in _files.walk(root, (".jpg",), notes):
        found = _SORTED.search(name)
        if not found or name.endswith(_ENDINGS["aligned"]) != (image == "aligned"):
            notes["image of another kind skipped"] += 1
        else:
            pictures.append(Picture(path, name, _label(found[2]), found[1]))
    return pictures


def _entries(listed: Path) -> Iterator[tuple[str, int, str]]:
    """Yield each image's name without .jpg, its label and its part."""
    for number, line in enumerate(_files.contents(listed).splitlines(), 1):
        if found := _LISTED.fullmatch(line.strip()):
            yield found[1], _label(found[3]), found[2]
        elif line.strip():
            place = f"{listed.name} line {number}"
            raise EmoError(f"{place} is {line[:40]!r}, expected an image and a label from 1 to 7: train_00001.jpg 5")


def _label(number: str) -> int:
    return labels.SEVEN.index(ORDER[int(number) - 1])

"""Several extractors as one, named with + between them: which option is whose, and their features side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from emocli import registry
from emocli.errors import EmoError

if TYPE_CHECKING:
    # not at run time: faces do without it
    from emocli.sound.framewise import Framewise

Features = NDArray[Any] | list[NDArray[np.float32]]
"""(n, channels, size, size) uint8, (n, d) float32, or n sequences (frames, d) float32."""
Extractor = Callable[[Sequence[Any]], Features]
"""n faces, sounds, signals or texts, at least one, to their features."""


def modality(parts: Sequence[str]) -> str:
    """Return what the extractors work on, face, speech, physio or text; raises EmoError where they differ."""
    kinds = {part: registry.describe("features", part).modality for part in parts}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{part} is for {kind}" for part, kind in kinds.items())
        raise EmoError(f"{'+'.join(parts)} can't be joined ({told}); join extractors of one kind")
    return kinds[parts[0]]


def joined(extractors: Mapping[str, Extractor]) -> Extractor:
    """Return the extractor that puts vectors in a row, and joins the frames of sequences that have the same steps."""
    first, *others = extractors.values()
    hops = {name: each.framing.hop for name, each in extractors.items() if hasattr(each, "framing")}
    if len(set(hops.values())) > 1:
        told = ", ".join(f"{name} every {hop} samples" for name, hop in hops.items())
        raise EmoError(f"frames of different steps can't be joined ({told}); give all the same hop")
    if all(getattr(other, "framing", None) == getattr(first, "framing", "") for other in others):
        return cast("Framewise", first).beside(cast("list[Framewise]", others))

    def extract(items: Sequence[Any]) -> Features:
        found = {name: extractor(items) for name, extractor in extractors.items()}
        sequences = [each for each in found.values() if isinstance(each, list)]
        if len(sequences) == len(found):
            return [_beside(list(found), frames) for frames in zip(*sequences, strict=True)]
        for name, each in found.items():
            if isinstance(each, list):
                raise EmoError(f"{name} gives frames, which can't be joined with vectors of a whole clip; extract one")
            if each.ndim != 2:
                raise EmoError(f"{name} gives images, which can't be joined; join vectors (lbp, hog, geometry, deep)")
        return np.concatenate(list(found.values()), axis=1)

    return extract


def _beside(names: Sequence[str], frames: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    counts = {len(each) for each in frames}
    if len(counts) > 1:
        told = ", ".join(f"{name} {len(each)}" for name, each in zip(names, frames, strict=True))
        raise EmoError(
            f"these can't be joined, as they cut a clip into frames in other ways ({told} of one); extract one"
        )
    return np.concatenate(frames, axis=1)

"""Which samples are for training, validation and test: as published, else without a shared subject."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

HOW = ("published", "subject", "random")


def assign(
    published: Sequence[str],
    groups: Sequence[str],
    y: NDArray[np.int64],
    *,
    split: str = "published",
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> NDArray[np.str_]:
    """Return the part of each of n samples: train, validation or test.

    "published" keeps the corpus's own parts; a part that is missing is taken from train, without sharing a subject
    where the corpus names them. "subject" divides anew by subject, "random" by sample, whoever is on it. Raises
    EmoError for a corpus that names too few subjects to divide without sharing any: that has to be asked for by name.
    """
    if split not in HOW:
        raise EmoError(f"no way {split!r} to split; choose {', '.join(HOW)}")
    if split == "subject" and len(set(groups)) < 3:
        raise EmoError("a split by subject needs at least 3 named subjects; this corpus has fewer: --split random")
    names = np.array(groups, dtype=str)
    parts = np.array(list(published) if split == "published" else ["train"] * len(y), dtype="U10")
    parts[parts == ""] = "train"
    by_subject = split != "random" and len(set(groups)) >= 3
    # a corpus that publishes a test part keeps it as it is
    for name, fraction in (("test", test), ("validation", validation)):
        if (split == "published" and (parts == name).any()) or fraction == 0:
            continue
        if name == "test" and split == "published" and (parts == "validation").any():
            continue
        if split == "published" and 0 < len(set(groups) - {""}) < 3:
            raise EmoError(
                f"too few subjects or speakers ({len(set(groups) - {''})}) for parts that share none; if they may, "
                "say so: --split random, or make no parts: --validation 0 --test 0"
            )
        rows = np.flatnonzero(parts == "train")
        if not len(rows):
            continue
        share = fraction * len(y) / max(1, len(rows)) if split != "published" else fraction
        choose = _whole_groups if by_subject else _stratified
        parts[rows[choose(names[rows], y[rows], share, seed)]] = name
    return parts


def _whole_groups(groups: NDArray[np.str_], y: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Return the rows of randomly drawn groups that together stay within the share, one at least."""
    names, member = np.unique(groups, return_inverse=True)
    wanted, chosen = share * len(y), np.zeros(len(y), bool)
    for group in np.random.default_rng(seed).permutation(len(names)):
        rows = member == group
        if not chosen.any() or chosen.sum() + rows.sum() <= wanted:
            chosen |= rows
    return np.flatnonzero(chosen)


def _stratified(groups: NDArray[np.str_], y: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int64]:
    """Return the share of every class's rows, drawn at random."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    return np.sort(np.concatenate([part[: round(share * len(part))] for part in rows]))

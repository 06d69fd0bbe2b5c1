"""Which samples are for training, validation and test: as published, else without a shared subject."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

HOW = ("published", "subject", "random")


def assign(
    published: Sequence[str],
    groups: Sequence[str],
    ids: Sequence[str],
    y: NDArray[np.int64],
    *,
    split: str = "published",
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> NDArray[np.str_]:
    """Return the part of each of n samples: train, validation or test.

    "published" keeps the corpus's own parts; a part that is missing is taken from train, without sharing a subject
    where the corpus names them. "subject" divides anew by subject, "random" by sample, whoever is on it. What is drawn
    by sample is drawn by its id, so that two corpora of the same samples agree: FER2013 and FER+. Raises EmoError for a
    corpus that names too few subjects to divide without sharing any: that has to be asked for by name.
    """
    if split not in HOW:
        raise EmoError(f"no way {split!r} to split; choose {', '.join(HOW)}")
    if split == "subject" and len(set(groups)) < 3:
        raise EmoError("a split by subject needs at least 3 named subjects; this corpus has fewer: --split random")
    names = np.array(groups, dtype=str)
    parts = np.array(list(published) if split == "published" else ["train"] * len(y), dtype="U10")
    parts[parts == ""] = "train"
    by_subject = split != "random" and len(set(groups)) >= 3
    drawn = 0.0
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
        if by_subject:
            share = fraction * len(y) / len(rows) if split != "published" else fraction
            chosen = _whole_groups(names[rows], y[rows], share, seed)
        else:
            chosen = _by_lot(_lots(ids, rows, seed), y[rows], drawn, drawn + fraction)
            drawn += fraction
        parts[rows[chosen]] = name
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


def _lots(ids: Sequence[str], rows: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Return a number from 0 to 1 for each of the rows, which depends on nothing but its id and the seed."""
    keys = (f"{seed} {ids[row] or row}".encode() for row in rows.tolist())
    digests = b"".join(hashlib.blake2b(key, digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, "<u8") / 2.0**64


def _by_lot(lots: NDArray[np.float64], y: NDArray[np.int64], low: float, high: float) -> NDArray[np.int64]:
    """Return the rows whose lot is from low to high, and of a class too small to have one its lowest."""
    chosen = (low <= lots) & (lots < high)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        if not chosen[rows].any() and round((high - low) / (1 - low) * len(rows)):
            chosen[rows[lots[rows].argmin()]] = True
    return np.flatnonzero(chosen)

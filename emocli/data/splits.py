"""Which samples are for training, validation and test: as published, else without a shared subject."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError

HOW = ("published", "subject", "random")


def check(*, split: str, validation: float, test: float, seed: int) -> None:
    """Raise EmoError for a way to split, shares or a seed that can't be."""
    if split not in HOW:
        raise EmoError(f"no way {split!r} to split; choose {', '.join(HOW)}")
    # written so that NaN is refused too
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise EmoError(
            f"--validation {validation:g} --test {test:g} leave nothing to train on or are no shares of the whole; "
            "take numbers from 0 to below 1, below 1 together"
        )
    if seed < 0:
        raise EmoError(f"--seed {seed} is below 0; take a whole number from 0 on")


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
    by sample is drawn by its id, so that two corpora of the same samples agree: FER2013 and FER+. Raises EmoError as
    `check` does, where nothing would be left to train on, and for a corpus that names too few subjects to divide
    without sharing any: that has to be asked for by name.
    """
    check(split=split, validation=validation, test=test, seed=seed)
    named = len(set(groups) - {""})
    if split == "subject" and named < 3:
        raise EmoError("a split by subject needs at least 3 named subjects; this corpus has fewer: --split random")
    parts = np.array(list(published) if split == "published" else ["train"] * len(y), dtype="U10")
    parts[parts == ""] = "train"
    missing = _missing(set(parts) if split == "published" else set(), test, validation)
    if missing and split == "published" and 0 < named < 3:
        raise EmoError(
            f"too few subjects or speakers ({named}) for parts that share none; if they may, "
            "say so: --split random, or make no parts: --validation 0 --test 0"
        )
    taught = (parts == "train").any()
    if missing and split != "random" and named >= 3:
        _draw_subjects(parts, groups, y, missing, seed, of_all=split == "subject" or not any(published))
    elif missing:
        _draw_samples(parts, ids, y, missing, seed)
    if taught and not (parts == "train").any():
        drawn = " and ".join(name for name, _ in missing)
        raise EmoError(
            f"nothing is left to train on once {drawn} is drawn; take smaller shares, or none: --validation 0"
        )
    return parts


def _missing(present: set[str], test: float, validation: float) -> list[tuple[str, float]]:
    """Return each part that has to be drawn, with its share; a corpus that publishes one for scoring keeps it so."""
    wanted = (("test", test, {"test", "validation"}), ("validation", validation, {"validation"}))
    return [(name, share) for name, share, instead in wanted if share and not present & instead]


def _draw_subjects(
    parts: NDArray[np.str_],
    groups: Sequence[str],
    y: NDArray[np.int64],
    missing: list[tuple[str, float]],
    seed: int,
    *,
    of_all: bool,
) -> None:
    """Move whole subjects from train to each missing part; shares are `of_all` samples, or of what train still has.

    A sample without a name is a subject by itself, as in cross-validation. Samples without a label count for nothing,
    as they tell nothing where they are scored: they go with their subject, or stay.
    """
    names = np.array([name or f"\0{row}" for row, name in enumerate(groups)])
    known = y >= 0
    for name, fraction in missing:
        rows = np.flatnonzero((parts == "train") & known)
        share = fraction * known.sum() / max(1, len(rows)) if of_all else fraction
        drawn = np.unique(names[rows[_whole_groups(names[rows], share, seed)]])
        parts[(parts == "train") & np.isin(names, drawn)] = name


def _draw_samples(
    parts: NDArray[np.str_], ids: Sequence[str], y: NDArray[np.int64], missing: list[tuple[str, float]], seed: int
) -> None:
    """Move samples from train to each missing part: each part takes the lots that follow those of the one before."""
    lots, low = _lots(ids, seed), 0.0
    for name, fraction in missing:
        # what has no label tells nothing where it is scored
        rows = np.flatnonzero((parts == "train") & (y >= 0))
        parts[rows[_by_lot(lots[rows], y[rows], low, low + fraction)]] = name
        low += fraction


def _whole_groups(groups: NDArray[np.str_], share: float, seed: int) -> NDArray[np.int64]:
    """Return the rows of randomly drawn groups that together stay within the share; where none does, the smallest."""
    names, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    wanted, held = share * len(groups), 0
    chosen = []
    for group in order.tolist():
        if held + sizes[group] <= wanted:
            held += sizes[group]
            chosen.append(group)
    # of several smallest ones the first that was drawn
    return np.flatnonzero(np.isin(member, chosen or order[np.argsort(sizes[order], kind="stable")[:1]]))


def _lots(ids: Sequence[str], seed: int) -> NDArray[np.float64]:
    """Return a number from 0 to 1 for each id, from it and the seed alone; where it is empty, from its row."""
    keys = (f"{seed} {name or row}".encode() for row, name in enumerate(ids))
    digests = b"".join(hashlib.blake2b(key, digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, "<u8") / 2.0**64


def _by_lot(lots: NDArray[np.float64], y: NDArray[np.int64], low: float, high: float) -> NDArray[np.int64]:
    """Return the rows whose lot is from low to high, and of a class too small to have one its lowest.

    No lot is below low: those rows are in the part before.
    """
    chosen = (low <= lots) & (lots < high)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        if round((high - low) / (1 - low) * len(rows)):
            chosen[rows[lots[rows].argmin()]] = True
    return np.flatnonzero(chosen)

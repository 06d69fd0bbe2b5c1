"""Published folds: whose samples are the test part, and what to say where these are missing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, replace
from typing import Any, ClassVar, Protocol, TypeVar

from emocli.datasets import _files
from emocli.errors import EmoError


class _Grouped(Protocol):
    """A record with a field `split` too."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def group(self) -> str: ...


_Record = TypeVar("_Record", bound=_Grouped)


def folded(
    records: Sequence[_Record], fold: int, folds: Sequence[Collection[str]], corpus: str, notes: Mapping[str, int]
) -> list[_Record]:
    """Return the records with a published fold of subjects, 1 and on, as the test part; as they are for fold 0.

    What is for validation is drawn from the other subjects, whole ones, as --validation asks. Subjects that are missed
    may be behind what `notes` say was skipped.
    Raises EmoError for a fold that is not published, none of whose subjects is there, or that leaves too few others.
    """
    if fold == 0:
        return list(records)
    if not 0 < fold <= len(folds):
        raise EmoError(f"{corpus} has no fold {fold}; choose 1 to {len(folds)}, or 0 for a split by subject")
    there, test = {record.group for record in records}, set(folds[fold - 1])
    if not there & test:
        missing = ", ".join(folds[fold - 1])
        raise EmoError(
            f"those of {corpus} who are fold {fold} are missing ({missing}){_files.skipped(notes)}; "
            "choose another one, or 0"
        )
    if (others := len(there - test)) < 2:
        raise EmoError(
            f"fold {fold} of {corpus} leaves {others} subjects to train with, and 2 are needed{_files.skipped(notes)}; "
            "use all of it"
        )
    return [replace(record, split="test" if record.group in test else "train") for record in records]

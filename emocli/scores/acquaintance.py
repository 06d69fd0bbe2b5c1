"""What a model knows already of the part it is scored on, rows and people that it learned from: said and counted."""

from collections.abc import Mapping

from emocli.artifact import Header
from emocli.data import people
from emocli.data.hdf5 import Data
from emocli.scores import met_rows
from emocli.scores.evaluation import Answers
from emocli.scores.pairing import Options, Pair
from emocli.telling import Note


def tell_of_rows(pair: Pair, options: Options, note: Note) -> bool:
    """Say whether a part holds rows which a model learned from: those of its train part, or of a cross-validation."""
    used = options.split == "validation" or options.temperature == "fit"
    if options.split in ("train", "all") and _are_its_own(pair.model.header, pair.data.digest):
        note(f"{pair.model.source} learned from rows of this part; what it has not seen is in the test part")
    elif used and knows_validation(pair.model.header, pair.data.digest):
        note(
            f"{pair.model.source} learned from rows of this validation part (--folds, choose=subjects); use the test's"
        )
    else:
        return False
    return True


def knows_validation(model: Header, data: str) -> bool:
    """Tell whether a model learned from the validation part of data with this hash, in other folds for example."""
    step = model.step("train", "distill") or {}
    used = bool(step.get("options", {}).get("folds")) or step.get("params", {}).get("choose") == "subjects"
    return used and _are_its_own(model, data)


def of_validation(model: Header, data: Data) -> str:
    """Return what of the validation rows of some data a model learned from: them, or so many of their people."""
    if knows_validation(model, data.digest):
        return "them (--folds, choose=subjects)"
    known = people.heard(model, data)
    return f"{known} of their people" if known else ""


def _are_its_own(model: Header, data: str) -> bool:
    """Tell whether a model was trained on data with this hash, features or the dataset that they were made from."""
    return data in (model.features_digest, (model.step("features") or {}).get("input"))


def counted(found: Answers, pair: Pair, options: Options, note: Note, *, told: bool) -> dict[str, object]:
    """Return `shared_groups` and `shared_rows` of a record, as far as there are any, and say so.

    Rows are not counted where all was `told` of them.
    """
    met = people.among(found.groups, found.known)
    if met:
        _tell_of_groups(met["shared_groups"], found, pair, options, note)
    shared = 0 if told else _shared_rows(found, pair, options, note)
    return {**met, **({"shared_rows": shared} if shared else {})}


def _tell_of_groups(met: Mapping[str, int], found: Answers, pair: Pair, options: Options, note: Note) -> None:
    """Say how many people of the part are known from training, and how many rows are theirs."""
    named = len(set(found.groups) - {""})
    part = "all parts" if options.split == "all" else f"the {options.split} part"
    known, rows = met["groups"], met["rows"]
    # which of the two can't be told: a teacher may have learned from who chose its student
    own = options.split == "validation" and _are_its_own(pair.model.header, pair.data.digest)
    how = "has learned from, or was chosen by," if own else "has learned from"
    note(
        f"{pair.model.source} {how} {known} of the {named} subjects or speakers in {part} of "
        f"{pair.data.source} ({rows} of {len(found.groups)} rows); these figures are not of people it has never met"
    )


def _shared_rows(found: Answers, pair: Pair, options: Options, note: Note) -> int:
    """Return how many rows are known from training, as the corpus was divided otherwise for it, and say so.

    Where everybody is named on both sides, people are asked for: see `shared_groups`.
    """
    if people.of(pair.model.header) and all(found.groups):
        return 0
    taught = met_rows.divided_otherwise(pair.model.header, pair.data)
    if not taught:
        return 0
    shared = met_rows.count(taught, pair.data, found.rows)
    differing = met_rows.differences([*taught.values()][-1], pair.data.header.step("dataset") or {})
    why = f"{pair.model.source} learned from the corpus of {pair.data.source} with other options ({differing})"
    if shared is None:
        note(f"{why}: whether it knows rows of this {options.split} part can't be told without the features it had")
    elif shared:
        note(f"{why}: it knows {shared} of the {len(found.rows)} rows of this part; divide as for the model")
    return shared or 0

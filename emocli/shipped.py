"""The models that ship with emo: a folder in which a file's name is the model's name.

`NAME.onnx` is a model in FP32 and `NAME-int8.onnx` its INT8 form; `NAME.md` is the card of both and `NAME.json` their
figures, from which they are listed without opening a model. All four are written by `make weights`.
"""

import json
from pathlib import Path
from typing import Any

from emocli import registry, store
from emocli.errors import EmoError

FOLDER = Path(__file__).parent / "weights"
DEFAULTS = {"face": "ferplus-int8", "speech": "ravdess-int8", "text": "goemotions-int8"}
"""What predict and live use when no model is named, by what they are given."""

_SHOWN = ("labels", "precision", "parameters", "bytes", "accuracy", "license")


def names() -> list[str]:
    """Return the names of the models that are here, FP32 and INT8."""
    return sorted(file.stem for file in FOLDER.glob("*.onnx"))


def named(argument: str | None) -> str | None:
    """Return the file of the shipped model that `argument` names, else `argument`: a file of that name comes first."""
    if argument is None or Path(argument).is_file() or argument not in names():
        return argument
    return str(FOLDER / f"{argument}.onnx")


def default(modality: str = "face") -> str:
    """Return the file of the default model of faces, speech or texts; raises EmoError where it isn't shipped."""
    name = DEFAULTS[modality]
    if not has(modality):
        raise EmoError(f"no model is named and none of {modality} ships with this copy of emo; name one: --model FILE")
    return str(FOLDER / f"{name}.onnx")


def has(modality: str) -> bool:
    """Tell whether there is a default model of faces, of speech or of texts."""
    return DEFAULTS[modality] in names()


def find(digest: str) -> Path | None:
    """Return the shipped model whose bytes have this sha256 ("sha256:…"), or None."""
    return next((file for file in FOLDER.glob("*.onnx") if store.file_digest(file) == digest), None)


def figures() -> dict[str, dict[str, Any]]:
    """Return what is known about each model, by its name: what the cards' figures hold, one dict a model."""
    cards = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))]
    return {
        name: {**{key: value for key, value in card.items() if key != "models"}, "name": name, **model}
        for card in cards
        for name, model in card["models"].items()
    }


def rows() -> list[dict[str, Any]]:
    """Return a row per model: name, labels, precision, parameters, bytes, test accuracy, licence of its data.

    For a model of one fold of speakers there is the accuracy of the same recipe over all folds, which says more.
    """
    default = set(DEFAULTS.values())
    return [
        {"name": name, **{key: row[key] for key in _SHOWN}, "all_folds": _of_folds(row), "default": name in default}
        for name, row in figures().items()
    ]


def _of_folds(row: dict[str, Any]) -> dict[str, Any] | None:
    folds = row.get("folds")
    return {**folds["accuracy"], "n": folds["n"]} if folds else None


def details(name: str) -> dict[str, Any]:
    """Return all figures of a model and, as `text`, its card; raises EmoError for a name that is not there."""
    known = figures()
    if name not in known:
        raise EmoError(f"no {name!r} among the weights{registry.nearest(name, known)}; see: emo list weights")
    card = FOLDER / f"{name.removesuffix('-int8')}.md"
    return {**known[name], "text": card.read_text(encoding="utf-8")}

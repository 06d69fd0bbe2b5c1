"""The header that makes a file an artifact: what it holds and the steps that made it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emocli import telling
from emocli.errors import EmoError

SCHEMA = 1
KINDS = ("dataset", "features", "model")
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
MAKES = {
    "dataset": "emo dataset fer2013 fer2013.csv",
    "features": "emo features DATASET",
    "model": "emo train FEATURES",
}
"""The command that makes an artifact of each kind, for error messages."""

Step = dict[str, Any]
_FIELDS: tuple[tuple[str, type], ...] = (
    *((name, str) for name in ("command", "name", "input", "data", "detector", "license")),
    *((name, dict) for name in ("params", "options", "detector_params", "people", "heard")),
    ("class_logits", list),
)
"""Fields of steps whose kind is relied on wherever they are read."""
_NEEDED = {**dict.fromkeys(("dataset", "features", "train", "distill"), "name"), "quantize": "input"}
"""The field that a step by each of these commands has."""


@dataclass(frozen=True, slots=True)
class Header:
    """An artifact's header. `steps` hold names, options and content hashes; never paths, times or host names."""

    kind: str
    labels: tuple[str, ...]
    steps: tuple[Step, ...]
    precision: str = ""
    """fp32, fp16 or int8, for a model."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a header that this version has no name for; they are kept."""

    def to_json(self) -> str:
        """Return the header as one line of JSON, keys in a fixed order: the same header is the same text."""
        fields: dict[str, Any] = {"schema": SCHEMA, "kind": self.kind, "labels": list(self.labels)}
        if self.precision:
            fields["precision"] = self.precision
        return json.dumps({**fields, "steps": list(self.steps), **self.extra}, ensure_ascii=False)

    def then(self, step: Step, **changes: Any) -> "Header":
        """Return the header of what `step` makes from this artifact."""
        return replace(self, steps=(*self.steps, step), **changes)

    def step(self, *commands: str) -> Step | None:
        """Return the last step made by one of `commands`, or None."""
        return next((step for step in reversed(self.steps) if step["command"] in commands), None)

    def own_step(self, command: str) -> Step | None:
        """Return the last step made by `command` after the model was trained last; those before are its teacher's."""
        last = self.step(command, "train", "distill")
        return last if last and last["command"] == command else None

    @property
    def training(self) -> Mapping[str, Any]:
        """The options of the step that taught a model last; empty for what was not trained."""
        options: Mapping[str, Any] = (self.step("train", "distill") or {}).get("options", {})
        return options

    @property
    def features_digest(self) -> str | None:
        """The content hash of the features that taught a model last, "sha256:…"; others may have calibrated it."""
        digest = (self.step("train", "distill") or {}).get("data")
        return str(digest) if digest else None

    @property
    def license(self) -> str:
        """The terms of the corpora behind this artifact, each once; empty where none were stated."""
        # several teachers or beginnings may each bring the same ones, joined already
        terms = (term for step in self.steps for term in step.get("license", "").split("; "))
        return "; ".join(dict.fromkeys(filter(None, terms)))


def terms(sources: Iterable[Header]) -> dict[str, str]:
    """Return the field of a step that has the terms of what it names by hash, each once; none where none are stated."""
    stated = dict.fromkeys(source.license for source in sources if source.license)
    return {"license": "; ".join(stated)} if stated else {}


def parse(text: str, source: str) -> Header:
    """Return the header in `text`; raises EmoError, naming `source`, for anything that is not one."""
    try:
        fields = json.loads(text)
        schema, kind = fields.pop("schema"), fields.pop("kind")
        labels, steps = (tuple(_list(fields.pop(name))) for name in ("labels", "steps"))
        # half of a character, which JSON can escape, could be read and never written again
        json.dumps([steps, fields], ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise EmoError(f"{source} has a damaged emo header; make it again") from fault
    if not isinstance(schema, int) or schema > SCHEMA:
        raise EmoError(
            f"{source} was written by a newer emo (schema {schema}, this one reads {SCHEMA}); upgrade emocli"
        )
    if kind not in KINDS or not _are_steps(steps) or not all(map(_is_label, labels)) or _is_deep([*steps, fields]):
        raise EmoError(f"{source} has a damaged emo header; make it again")
    return Header(kind, labels, steps, str(fields.pop("precision", "")), fields)


def expect(header: Header, kinds: tuple[str, ...], source: str) -> Header:
    """Return `header` if it is one of `kinds`; raises EmoError that says what to run otherwise."""
    if header.kind in kinds:
        return header
    wanted = " or ".join(kinds)
    makes = f"run: emo features {source}" if (header.kind, kinds[-1]) == ("dataset", "features") else ""
    raise EmoError(
        f"{source} holds a {header.kind}, expected {wanted}; {makes or f'make one with: {MAKES[kinds[-1]]}'}"
    )


def sniff(path: Path, source: str) -> str:
    """Return "hdf5" or "onnx" by what the file begins with; raises EmoError for empty and foreign files."""
    with open(path, "rb") as file:
        start = file.read(8)
    if not start:
        raise EmoError(f"{source} is empty; did the previous command fail?")
    # ONNX has no magic number: its first field is ir_version, tag 0x08; the header decides later
    if start == HDF5_MAGIC:
        return "hdf5"
    if start[0] == 0x08:
        return "onnx"
    raise EmoError(f"{source} is not an emo artifact (neither HDF5 nor ONNX); {_guess(start)}")


def _guess(start: bytes) -> str:
    if start[:1] in b"{[" or (start[:5].isascii() and start[:5].isalpha()):
        return "it looks like text; a corpus is read with: emo dataset NAME FILE"
    return "emo artifacts come from emo dataset, features, train, distill and quantize"


def _is_deep(value: object, levels: int = 32) -> bool:
    """Tell whether something is nested deeper than anybody writes it, and whoever shows it could go."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)


def _list(value: object) -> list[Any]:
    """Return a list as it is; raises TypeError for what can be gone through too, as a text letter by letter."""
    if not isinstance(value, list):
        raise TypeError
    return value


def _is_label(label: object) -> bool:
    return isinstance(label, str) and telling.harmless(label) == label


def _are_steps(steps: tuple[object, ...]) -> bool:
    return all(isinstance(step, dict) and "command" in step and _fits(step) for step in steps)


def _fits(step: Step) -> bool:
    if not all(isinstance(step.get(name, kind()), kind) for name, kind in _FIELDS):
        return False
    texts = [step.get("options", {}).get("teacher", []), *step.get("people", {}).values()]
    return all(map(_are_texts, texts)) and _NEEDED.get(str(step["command"]), "command") in step


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)

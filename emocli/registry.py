"""Registries are folders: every module in one is an entry, described by reading it, loaded only when used."""

import ast
import difflib
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from emocli.errors import EmoError

FUNCTIONS = {
    "datasets": "read",
    "features": "extractor",
    "detectors": "detector",
    "effects": "effect",
    "models": "build",
    "engines": "load",
    "devices": "device",
}
"""Each registry folder and the one function that its modules have."""

UNRECORDED = ("jobs",)
"""Options that change how fast a result comes and not what it is: they stay out of headers."""

ALIASES = {"extractors": "features", "architectures": "models"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One module of a registry folder, known without importing it."""

    name: str
    summary: str
    """First line of its docstring."""
    text: str
    """The whole docstring."""
    options: Mapping[str, Any]
    """Keyword options and their defaults, in the order of the signature."""
    modality: str
    """What it works on: its module's constant MODALITY, face where there is none; any for what takes vectors."""


def names(folder: str) -> list[str]:
    """Return the entries of a registry folder, as they are written on the command line."""
    files = (Path(__file__).parent / folder).glob("[!_]*.py")
    return sorted(file.stem.replace("_", "-") for file in files)


@cache
def describe(folder: str, name: str) -> Entry:
    """Read an entry's docstring and options without importing it; raises EmoError for a name that is not there."""
    file = Path(__file__).parent / folder / f"{name.replace('-', '_')}.py"
    if name not in names(folder):
        raise EmoError(f"no {name!r} among the {folder}{nearest(name, names(folder))}; see: emo list {folder}")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == FUNCTIONS[folder])
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    options = {argument.arg: ast.literal_eval(default) for argument, default in keywords if default is not None}
    return Entry(name, text.split("\n", 1)[0], text, options, _modality(tree))


def _modality(tree: ast.Module) -> str:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MODALITY":
            return str(ast.literal_eval(node.value))
    return "face"


def options(folder: str, name: str) -> dict[str, Any]:
    """Return an entry's options and their defaults."""
    return dict(describe(folder, name).options)


def load(folder: str, name: str) -> Callable[..., Any]:
    """Import an entry and return its function."""
    describe(folder, name)
    module = importlib.import_module(f"emocli.{folder}.{name.replace('-', '_')}")
    function: Callable[..., Any] = getattr(module, FUNCTIONS[folder])
    return function


def resolve(folder: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of an entry, `given` ones converted to their default's type; raises EmoError for others."""
    defaults = options(folder, name)
    for key in given:
        if key not in defaults:
            known = f"it takes {', '.join(defaults)}" if defaults else "it takes none"
            raise EmoError(f"{name} has no option {key!r}{nearest(key, defaults)}; {known}")
    return {key: convert(key, given.get(key, default), default) for key, default in defaults.items()}


def shares(folder: str, names: Sequence[str], given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return which entry gets which of the options given for all of them, or as NAME.option for one, which wins.

    Raises EmoError for an option that none of them has.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in sorted(given.items(), key=lambda item: "." in item[0]):
        owner, dot, option = key.rpartition(".")
        takers = [owner] if dot else [name for name in names if key in options(folder, name)]
        if not takers or not set(takers) <= set(names):
            raise EmoError(f"none of {', '.join(names)} has an option {key!r}; see: emo list {folder} {names[0]}")
        for name in takers:
            found[name][option] = value
    return found


def recorded(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that belong in a header: those that change what the result is."""
    return {key: value for key, value in options.items() if key not in UNRECORDED}


def convert(key: str, value: Any, default: Any) -> Any:
    """Return `value` as the type of `default`; raises EmoError when it can't be."""
    kind = type(default)
    try:
        converted = _TRUTH[value.lower()] if kind is bool and isinstance(value, str) else kind(value)
    except (KeyError, ValueError, TypeError, OverflowError):
        converted = math.nan
    if not isinstance(converted, str) and not abs(converted) < _LARGEST.get(kind, math.inf):  # NaN is not either
        raise EmoError(f"option {key}={value!r} is not {_KINDS[kind]}; its default is {default}")
    return converted


def parse(pairs: list[str], flag: str = "-p") -> dict[str, str]:
    """Return the options of `flag` key=value, given several times."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise EmoError(f"{flag} {pair} is not key=value; for example: {flag} size=64")
        options[key.replace("-", "_")] = value
    return options


def nearest(word: str, known: Any) -> str:
    """Return " (did you mean …?)" when one of the `known` words is close, else nothing."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]}?)" if close else ""


_LARGEST = {int: 1 << 63}
"""What C and NumPy take for a whole number."""
_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}
_TRUTH = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}

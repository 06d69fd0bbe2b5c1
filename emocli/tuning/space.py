"""What emo tune searches: NAME=LOW..HIGH, with :log or :STEP behind it, or the values NAME=A,B,C.

Values that have commas themselves are parted by semicolons. NAME is an option of emo train, or p. and one of the
architecture; its default says whether numbers are whole.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emocli import registry
from emocli.errors import EmoError

FORMS = "lr=1e-4..1e-2:log, p.width=16..48:16 or mixup=0,0.2,0.4"


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from low to high, both included: whole ones if both are int."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    """None is 1 for whole numbers, and for others any value."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values."""

    values: tuple[Any, ...]


Space = dict[str, Range | Choice]


def parse(texts: Sequence[str], known: Mapping[str, Any]) -> Space:
    """Return what the flags of --search say; `known` are the options and their defaults.

    Raises EmoError for an option that is not there, or twice, and for values that don't fit its type.
    """
    if not texts:
        raise EmoError(f"nothing to search; say what with --search, for example {FORMS}")
    space: Space = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.replace("-", "_")
        if not equals or not values:
            raise EmoError(f"--search {text} is not NAME=VALUES; for example {FORMS}")
        if name not in known:
            raise EmoError(f"no option {name!r} to search{registry.nearest(name, known)}; see: emo train --help")
        if name in space:
            raise EmoError(f"--search has {name} twice; give all of its values at once")
        space[name] = _values(name, values, known[name])
    return space


def ends(values: Range | Choice) -> tuple[Any, ...]:
    """Return the values of a choice, or the least and the most of a range."""
    return values.values if isinstance(values, Choice) else (values.low, values.high)


def _values(name: str, text: str, default: Any) -> Range | Choice:
    low, dots, rest = text.partition("..")
    listed = isinstance(default, bool | str)
    # a path may have dots too
    if not dots or (listed and ("," in text or ";" in text)):
        return _choice(name, text, default)
    if listed:
        raise EmoError(f"{name} is no number, so it has no range; list its values: {name}=A,B")
    high, _, how = rest.partition(":")
    ends = _number(name, low, default), _number(name, high, default)
    if not ends[0] < ends[1]:
        raise EmoError(f"--search {name}={text} goes from {low} to {high}; the first must be the smaller")
    if how == "log":
        if ends[0] <= 0:
            raise EmoError(f"--search {name}={text} can't be logarithmic from {low}; begin above 0")
        return Range(*ends, log=True)
    return _stepped(name, *ends, _number(name, how, default)) if how else Range(*ends)


def _stepped(name: str, low: float, high: float, step: float) -> Range:
    if not 0 < step <= high - low:
        raise EmoError(f"--search {name}: a step of {step} does not fit between {low} and {high}")
    first, last, stride = (Decimal(str(number)) for number in (low, high, step))
    # the highest value that steps reach; in decimals, as 0.1 + 0.2 is more than 0.3
    reached = first + (last - first) // stride * stride
    return Range(low, type(high)(reached), step=step)


def _choice(name: str, text: str, default: Any) -> Choice:
    words = [word.strip() for word in text.split(";" if ";" in text else ",")]
    values = tuple(dict.fromkeys(_number(name, word, default) for word in words))
    if len(values) < 2:
        raise EmoError(
            f"--search {name}={text} leaves nothing to choose; give several values, or {_flag(name, text)} alone"
        )
    return Choice(values)


def _flag(name: str, value: str) -> str:
    """Return how emo tune is given one value of what it might search."""
    inner = name.removeprefix("p.")
    return f"-p {inner}={value}" if inner != name else f"--{name.replace('_', '-')} {value}"


def _number(name: str, word: str, default: Any) -> Any:
    value = registry.convert(name, word, default)
    if isinstance(value, float) and not math.isfinite(value):
        raise EmoError(f"--search {name}: {word} is no finite number")
    return value

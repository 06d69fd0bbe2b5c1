"""Which models teach a student, and on which features: what distill reads."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence

from emocli import pipes
from emocli.artifact import Header
from emocli.errors import EmoError
from emocli.telling import Note

_OPTIONS = {"length": "whole", "by_person": False}
"""Of a step of features what makes them others, and what is meant where it is not said."""


def gather(
    argument: str | None, named: Sequence[str], data: str | None, note: Note = lambda text: None
) -> tuple[list[pipes.Input], pipes.Input]:
    """Return the teachers and the features, from the main input of a command, its --teacher and its --data.

    The main input is the first teacher, or the features where teachers are named; what it holds decides. Where both are
    named it is left alone unless it is asked for: whether an inherited pipe will ever hold something can't be known.
    Raises EmoError unless all teachers have the labels of the features and learned from features made alike.
    """
    others = [pipes.kept(name) for name in named]
    if others and data and argument is None:
        if _is_piped():
            note("--teacher and --data are given: stdin is not read; with - it is the first teacher")
        return _agreeing(others, pipes.read(data, "features"))
    main = pipes.read(argument, *(("model", "features") if others and not data else ("model",)))
    if main.header.kind == "features":
        return _agreeing(others, main)
    return _agreeing([main, *others], pipes.features_of(main.header, data))


def _is_piped() -> bool:
    with contextlib.suppress(OSError, ValueError):
        return sys.stdin is not None and stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode)
    return False


def _agreeing(teachers: list[pipes.Input], features: pipes.Input) -> tuple[list[pipes.Input], pipes.Input]:
    for teacher in teachers:
        _expect(teacher, features)
    return teachers, features


def _expect(teacher: pipes.Input, features: pipes.Input) -> None:
    if teacher.header.labels != features.header.labels:
        raise EmoError(
            f"the teacher {teacher.source} and {features.source} have different labels; "
            "use the features it was made with"
        )
    if differing := ", ".join(_differing(teacher.header, features.header)):
        raise EmoError(
            f"the teacher {teacher.source} learned from other features than {features.source} ({differing}); "
            "use a teacher of such features"
        )


def _differing(teacher: Header, features: Header) -> Iterator[str]:
    """Yield the facts of the two extractors that are not the same; an option that one of them lacks is none."""
    theirs, ours = teacher.step("features"), features.step("features")
    if theirs is None or ours is None:
        return
    if theirs["name"] != ours["name"]:
        yield f"{theirs['name']} and {ours['name']}"
        return
    for option, usual in _OPTIONS.items():
        first, second = (step.get("options", {}).get(option, usual) for step in (theirs, ours))
        if first != second:
            yield f"{option} {first} and {second}"
    for key, value in theirs.get("params", {}).items():
        other = ours.get("params", {}).get(key, value)
        if other != value:
            yield f"{key} {value} and {other}"

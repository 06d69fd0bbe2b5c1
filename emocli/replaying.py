"""The pipeline in a header as shell lines."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emocli.artifact import Header, Step
from emocli.telling import harmless

_OF_DATA = ("dataset", "features")
_POSITIONAL = ("dataset",)
_NAME_FLAG = {"features": "--extractor", "train": "--arch", "distill": "--arch"}


def pipeline(header: Header) -> str:
    """Return the shell pipeline that makes the artifact; a corpus's own file, in no header, is a placeholder."""
    # of a student that looks at other data than its teacher both steps name the source
    comments = list(dict.fromkeys(f"# {remark}" for about in _ABOUT for step in header.steps for remark in about(step)))
    steps = list(_piped(header.steps))
    comments += [
        f"# {data} are the features that emo {step['command']} took{_made_by(made)}; name their file for FEATURES"
        for step, data, made in steps
        if data
    ]
    lines = [f"{line(step)} --data FEATURES" if data else line(step) for step, data, _ in steps]
    # a header from elsewhere may hold line breaks, and what follows them would be run
    return "\n".join([*map(harmless, comments), " |\n  ".join(lines)])


def _source(step: Step) -> Iterator[str]:
    if step["command"] == "dataset" and step.get("input"):
        yield f"{step['name']} here is the source with {step['input']}"


def _beginning(step: Step) -> Iterator[str]:
    if (init := step.get("options", {}).get("init", "none")) != "none":
        yield f"{init} is the model that training begins with; keep it, or name its file"


def _teachers(step: Step) -> Iterator[str]:
    for teacher in step.get("options", {}).get("teacher", []):
        yield f"{teacher} is one more teacher; keep it, or name its file"


def _processes(step: Step) -> Iterator[str]:
    if "processes" in step:
        yield f"{step['command']} was run by torchrun with {step['processes']} processes; one learns nearly the same"


def _person(step: Step) -> Iterator[str]:
    if heard := step.get("heard"):
        samples = ", ".join(map(str, heard))
        yield f"emo personalize had samples of one person ({samples}), in no header: name your own"


_ABOUT = (_source, _beginning, _teachers, _processes, _person)
"""What is to be said of a step, in this order, for what its line can't bring."""


def _piped(steps: Sequence[Step]) -> Iterator[tuple[Step, str, list[Step]]]:
    """Yield each step of the pipe with the hash of features that the pipe would not bring, and the steps to these.

    Both are empty where the pipe brings what the step takes.
    """
    learned = ""
    made: list[Step] = []
    for step in steps:
        command, data = step["command"], step.get("data", "")
        if learned and command in _OF_DATA:  # of a student that looks at other data than its teacher
            made.append(step)
            continue
        yield step, "" if command == "train" or data == learned else data, made
        made = []
        if command in ("train", "distill"):
            learned = data


def _made_by(steps: Sequence[Step]) -> str:
    return f", made by {' | '.join(map(line, steps))}" if steps else ""


def line(step: Step) -> str:
    """Return one step as a command, without its input and output."""
    return shlex.join(map(harmless, _words(step)))


def _words(step: Step) -> Iterator[str]:
    command, name = step["command"], str(step.get("name", ""))
    yield from ("emo", command)
    if command in _POSITIONAL:
        yield from (name, *([f"{name.upper()}_SOURCE"] if step.get("input") else []))
    elif command in _NAME_FLAG:
        yield from (_NAME_FLAG[command], name)
    for key, value in step.get("params", {}).items():
        yield from ("-p", f"{key}={_text(value)}")
    if step.get("detector", "none") != "none":
        yield from ("--detector", step["detector"])
        for key, value in step.get("detector_params", {}).items():
            yield from ("--detector-param", f"{key}={_text(value)}")
    yield from _flags(step.get("options", {}))


def _flags(options: Mapping[str, Any]) -> Iterator[str]:
    for key, value in options.items():
        dashed = key.replace("_", "-")
        if isinstance(value, bool):
            yield f"--{dashed}" if value else f"--no-{dashed}"
        else:
            for each in value if isinstance(value, list) else [value]:
                yield from (f"--{dashed}", str(each))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Flags that several commands share, each described once."""

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer

from emocli import architectures, outputs, pipes, shipped
from emocli.commands._show import note, note_once

Input = Annotated[str | None, typer.Argument(metavar="INPUT", help="Artifact to read; stdin when absent or -.")]
Output = Annotated[str | None, typer.Option("--output", "-o", help="File to write; stdout when absent or -.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Model artifact or a shipped one's name; when absent one for what is given."),
]
Params = Annotated[
    list[str], typer.Option("--param", "-p", metavar="KEY=VALUE", help="Option of the entry; see: emo list.")
]
Data = Annotated[
    str | None, typer.Option("--data", help="Features that go with the model; found by their hash when absent.")
]
Json = Annotated[bool | None, typer.Option("--json/--table", help="JSON lines or a table; a table on a terminal.")]
Threads = Annotated[int, typer.Option("--threads", min=0, max=1024, help="Threads of the engine; 0 for one per core.")]
Engine = Annotated[str, typer.Option("--engine", help="What runs the model; see: emo list engines.")]
Provider = Annotated[str, typer.Option("--provider", help="Execution provider, or auto.")]
Flip = Annotated[bool, typer.Option("--flip", help="Average with the mirror image, at twice the cost.")]
Views = Annotated[
    int, typer.Option("--views", help="Views of a face or voice whose answers are averaged, 1 to 7; with --flip twice.")
]

Resume = Annotated[bool, typer.Option("--resume", help="Continue this very run where it was killed.")]
Strict = Annotated[bool, typer.Option("--strict", help="Leave with status 3 when the parts share samples or subjects.")]
DropLeaks = Annotated[
    bool, typer.Option("--drop-leaks/--no-drop-leaks", help="Leave what other parts have too out of the train part.")
]

Arch = Annotated[
    str, typer.Option("--arch", help="Architecture, see: emo list models; auto is one for the kind of features.")
]
Scores = Annotated[
    str | None,
    typer.Option("--scores", help="Write each run's validation accuracy and their mean here, as JSON lines."),
]

Record = TypeVar("Record")


def accept(*records: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one flag per field of the dataclasses; it receives them as keyword arguments."""
    return _with([_parameter(field) for record in records for field in fields(record)])


def accept_given(record: type, names: Collection[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command flags for some fields of a dataclass; those that are absent on the command line come as None."""
    flags = [_parameter(field) for field in fields(record) if field.name in names]
    return _with([flag.replace(default=None, annotation=_or_none(flag.annotation)) for flag in flags])


def _with(added: Sequence[inspect.Parameter]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def extend(run: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(run)
        kept = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        run.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
        run.__annotations__ |= {parameter.name: parameter.annotation for parameter in added}
        return run

    return extend


def arch_of(arch: str, features: pipes.Input) -> str:
    """Return the architecture of `Arch`; auto is the usual one for features of this shape, which is said."""
    if arch != architectures.AUTO:
        return arch
    from emocli.data import hdf5

    found = architectures.default(*hdf5.kind(features.path, features.source))
    note_once(f"no --arch: trains {found}")
    return found


@contextlib.contextmanager
def model_and_scores(output: str | None, scores: str | None, force: bool) -> Iterator[tuple[Path, Path | None]]:
    """Yield where a training command writes its model, and its scores where --scores names a file."""
    model = outputs.output(output, force=force, shared=True, makes="onnx")
    lines = outputs.second_output(scores, output, force=force, shared=True)
    with model as model_file, lines as lines_file:
        yield model_file, lines_file


def record_of(record: type[Record], flags: dict[str, Any]) -> Record:
    """Return the record that the flags of `accept` describe."""
    return record(**{field.name: flags[field.name] for field in fields(record)})  # type: ignore[arg-type]


def model_of(named: str | None, modality: str = "face") -> pipes.Input:
    """Return the model of `Model`; when none is named the shipped default for its kind, which is said."""
    if named is None:
        named = shipped.default(modality)
        note(f"no --model: takes {shipped.DEFAULTS[modality]}, which ships with emo; see: emo list weights")
    return pipes.read(named, "model")


def _parameter(field: Any) -> inspect.Parameter:
    default = field.default if field.default is not MISSING else field.default_factory()
    dashed = field.name.replace("_", "-")
    name = f"--{dashed}/--no-{dashed}" if isinstance(default, bool) else f"--{dashed}"
    shown = {key: field.metadata[key] for key in ("help", "min", "max")}
    annotation: Any = Annotated[type(default), typer.Option(name, **shown)]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _or_none(annotation: Any) -> Any:
    kind, *option = get_args(annotation)
    return Annotated[kind | None, *option]

"""The `emo` command: finds subcommands in a folder, imports the one that is called, turns faults into exit statuses."""

import errno
import importlib
import io
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import click
import typer
from typer.core import TyperGroup

from emocli import ranks, registry
from emocli.errors import INTERRUPTED, READER_GONE, USAGE, USER, EmoError
from emocli.telling import tell
from emocli.version import VERSION

FOLDER = Path(__file__).parent / "commands"

MOST_PIXELS = 1 << 28
"""Of one picture, 800 MB when decoded; OpenCV's own bound is four times as many."""

SECOND_WORDS = {("dataset", "preview"): "preview"}
"""Commands that are reached as the second word of another too; no corpus has that name."""


_HELP = {"help_option_names": ["--help", "-h"]}


class Commands(TyperGroup):
    """Subcommands are the modules of the commands folder; for the list only their first line is read."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands."""
        return sorted(file.stem for file in FOLDER.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a stub that knows a subcommand's first line, which is all that the list of them shows."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return click.Command(cmd_name, help=_first_line(FOLDER / f"{cmd_name}.py"))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str, click.Command, list[str]]:
        """Import the subcommand that is called; raises click's UsageError for one that is not there."""
        if tuple(args[:2]) in SECOND_WORDS:
            args = [SECOND_WORDS[args[0], args[1]], *args[2:]]
        name, known = args[0], self.list_commands(ctx)
        if name not in known:
            ctx.fail(f"no command {name!r}{registry.nearest(name, known)}")
        module = importlib.import_module(f"emocli.commands.{name}")
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, context_settings=_HELP)
        single.command(name=name, help=module.__doc__)(module.run)
        return name, typer.main.get_command(single), args[1:]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; a reader that went away ends it quietly."""
        try:
            os.getcwd()
        except FileNotFoundError as fault:  # libraries that load others die of it, in words of their own
            raise EmoError("the folder that this runs in was removed; go to another one: cd") from fault
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _leave_quietly()


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=_HELP,
)


@app.callback(invoke_without_command=True)
def emo(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    """Recognise emotion: from a corpus to a validated INT8 model on a small device.

    Commands pass artifacts through pipes: emo features fer2013 | emo train | emo quantize | emo bench
    """
    if version:
        print(f"emo {VERSION}")
    elif ctx.invoked_subcommand is None:
        print(ctx.get_help())


def main() -> NoReturn:
    """Run `emo` and leave with its exit status."""
    _open_what_is_closed()
    # read by OpenCV when it is loaded: a small file may decode to gigabytes
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))
    # NumPy's products are small here, and sum in another order on other numbers of cores: other bytes
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # since 1.32 ONNX Runtime marks the machine and reports its use to Microsoft, unless this is set as it is loaded
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    # what a shell says that doesn't know the width; rich would print nothing
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]
    # a command that is told to stop cleans up as it does on Ctrl-C
    for told in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(told) != signal.SIG_IGN:  # as nohup has it
            signal.signal(told, lambda number, frame: sys.exit(128 + number))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 whatever the terminal has; of a file's name that is not, the rest is escaped as JSON is
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = typer.main.get_command(app)(standalone_mode=False)
        sys.stdout.flush()
    except EmoError as fault:
        _fail(str(fault), fault.status)
    except click.UsageError as fault:
        name = fault.ctx.command_path if fault.ctx else "emo"
        _fail(f"{fault.format_message().rstrip('.')}; see: {name} --help", USAGE)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        _leave_quietly()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # click and rich leave with 1 when a reader went away
            _leave_quietly()
        raise
    except (ImportError, OSError, MemoryError) as fault:
        _fail(_known(fault), USER)
    sys.exit(status if isinstance(status, int) else 0)


def _open_what_is_closed() -> None:
    """Give a process that was started without stdout or stderr an empty one.

    What is opened next would take its number, and be written into.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115


def _known(fault: Exception) -> str:
    """Return one line for a fault of the machine; anything else is a bug and goes on as a traceback."""
    from emocli import extras, streams

    # a library that finds no room for itself says so in words only
    no_room = "failed to map segment" in str(fault) and "not permitted" not in str(fault)
    if isinstance(fault, MemoryError) or (isinstance(fault, ImportError) and no_room):
        return "the machine has too little free memory for this; take fewer rows, or a smaller --batch if it has one"
    known = extras.missing(fault) if isinstance(fault, ImportError) else None
    if isinstance(fault, OSError):
        known = streams.full_disk(fault, Path(fault.filename) if fault.filename else None)
        if known is None and isinstance(fault, PermissionError):
            known = EmoError(f"no permission for {fault.filename}; check its owner and mode, or choose another place")
        if known is None and fault.errno == errno.ENAMETOOLONG:
            known = EmoError(f"{str(fault.filename)[:40]}… is too long for a file's name; choose a shorter one")
    if known is None:
        raise fault
    return str(known)


def _fail(message: str, status: int) -> NoReturn:
    if _is_first_to_fail():
        tell(message)
    try:
        sys.stdout.flush()
    except OSError:  # its reader went away, or its disk is full
        _drop_what_is_printed()
    sys.exit(status)


def _is_first_to_fail() -> bool:
    """Say whether no other process of this machine has said it: torchrun starts a command several times."""
    if ranks.local_count() == 1:
        return True
    from emocli.training import distributed

    return distributed.is_first_to_fail()


def _leave_quietly() -> NoReturn:
    _drop_what_is_printed()
    sys.exit(READER_GONE)


def _drop_what_is_printed() -> None:
    """Lose what is still buffered and can't be written; the interpreter would complain about it on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _first_line(file: Path) -> str:
    with open(file, encoding="utf-8") as lines:
        return lines.readline().strip().strip('"')

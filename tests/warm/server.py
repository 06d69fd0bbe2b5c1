"""A process that has loaded what `emo` needs; it forks for each `emo` that client.py asks for, which saves 0.4 s.

    server.py LISTENER [GRAPHS]

With a folder of graphs it has torch too, and has exported a net, which saves 5 s.
"""

import fcntl
import gc
import importlib
import io
import json
import os
import resource
import selectors
import signal
import socket
import sys
from contextlib import redirect_stdout, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

MOST_FILES = 32
"""That a command inherits."""
ABOVE = 512
"""File numbers from here on are free while inherited files find their places."""
MODULES = ("cv2", "h5py", "numpy.random", "onnx.reference", "onnxruntime", "soundfile", "soxr")
MODULES += ("emocli.extracting.extraction", "emocli.compress.quantize", "emocli.scores.evaluation")
"""What commands load when they need it."""


def main(listener: socket.socket, graphs: Path | None) -> None:
    """Return in a fork, which is to run its command; end when stdin, which the tests hold, is closed."""
    ready = selectors.DefaultSelector()
    ready.register(sys.stdin, selectors.EVENT_READ, partial(_end, ready))
    ready.register(listener, selectors.EVENT_READ, partial(_forked, ready, listener, graphs))
    while True:
        for key, _ in ready.select():
            if key.data():
                return


def _forked(ready: selectors.BaseSelector, listener: socket.socket, graphs: Path | None) -> bool:
    connection, _ = listener.accept()
    _load()
    if graphs:
        _warm_up(graphs)
    gc.freeze()  # what all forks share is none's to look through and copy
    size, files, _, _ = socket.recv_fds(connection, 4, MOST_FILES)
    request = json.loads(connection.recv(int.from_bytes(size), socket.MSG_WAITALL))
    if (process := os.fork()) == 0:
        connection.close()
        _let_go(ready)
        _become(files, *request)
        return True
    for number in files:
        os.close(number)
    connection.sendall(process.to_bytes(4))
    watched = os.pidfd_open(process)
    for each in (connection, watched):  # the end of either is the end of both
        ready.register(each, selectors.EVENT_READ, partial(_finish, ready, connection, watched, process))
    return False


@cache
def _load() -> None:
    from emocli import cores
    from emocli import main as emo

    # processes share the cores, and threads that wait for each other through a step so small cost several times as much
    cores.count = lambda: 1
    # sets what libraries read as they are loaded
    with suppress(SystemExit), redirect_stdout(io.StringIO()):
        sys.argv = ["emo", "--version"]
        emo.main()
    commands = [f"emocli.commands.{file.stem}" for file in emo.FOLDER.glob("[!_]*.py")]
    for module in (*MODULES, *commands):
        importlib.import_module(module)


@cache
def _warm_up(graphs: Path) -> None:
    import exporter
    import torch

    from emocli.training import export, loop

    exporter.read_once()
    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    export.to_onnx(loop.make("emotion-cnn", (1, 24, 24), 3, {"width": 8}, 0).eval(), (1, 24, 24))
    exporter.trace_once(graphs)


def _let_go(ready: selectors.BaseSelector) -> None:
    for key in list(ready.get_map().values()):
        if isinstance(key.fileobj, socket.socket):
            key.fileobj.close()
        elif isinstance(key.fileobj, int):
            os.close(key.fileobj)
    ready.close()


def _become(
    files: list[int],
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    limits: list[list[int]],
    places: list[int],
) -> None:
    """Be what the client is, as if it had been started as this."""
    moved = [fcntl.fcntl(number, fcntl.F_DUPFD, ABOVE) for number in files]
    for number in (*files, 0, 1, 2):
        os.close(number)
    for number, place in zip(moved, places, strict=True):
        os.dup2(number, place)
        os.close(number)
    for limit, soft, hard in limits:
        resource.setrlimit(limit, (soft, hard))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["emo", *arguments]
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))


def _stream(number: int) -> Any:
    """Return what Python makes of one of the first three files as it starts."""
    with suppress(OSError):
        errors = "backslashreplace" if number == 2 else "strict"
        return open(number, "w" if number else "r", encoding="utf-8", errors=errors, closefd=False)


def _finish(ready: selectors.BaseSelector, connection: socket.socket, watched: int, process: int) -> None:
    if connection.fileno() < 0:  # finished by its other file
        return
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    with suppress(BrokenPipeError):
        connection.sendall(status.to_bytes(4))
    ready.unregister(connection)
    ready.unregister(watched)
    connection.close()
    os.close(watched)


def _end(ready: selectors.BaseSelector) -> None:
    for key in list(ready.get_map().values()):
        if isinstance(key.fileobj, int):  # a process that runs
            key.data()
    sys.exit()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]) if sys.argv[2:] else None)
    from emocli.main import main as emo

    emo()

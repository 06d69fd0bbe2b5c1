"""`client.py ADDRESS ARGUMENTS…` has the server run `emo ARGUMENTS…` where this process is, and ends as that ends."""

import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress

LIMITS = (resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_NOFILE)


def main(address: str, *arguments: str) -> None:
    """Hand over what a process inherits, then signals as they come."""
    files = [number for number in map(int, os.listdir("/proc/self/fd")) if _is_inherited(number)]
    limits = [(each, *resource.getrlimit(each)) for each in LIMITS]
    request = json.dumps([arguments, os.getcwd(), dict(os.environ), limits, files]).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    socket.send_fds(connection, [len(request).to_bytes(4)], files)
    connection.sendall(request)
    process = _number(connection)
    for told in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(told) != signal.SIG_IGN:
            signal.signal(told, lambda number, frame: os.kill(process, number))
    # whoever has the other end of a pipe should see the command close it
    for number in files:
        os.close(number)
    _end(os.waitstatus_to_exitcode(_number(connection)))


def _is_inherited(number: int) -> bool:
    with suppress(OSError):  # the list's own file is closed
        return os.get_inheritable(number)
    return False


def _number(connection: socket.socket) -> int:
    content = connection.recv(4, socket.MSG_WAITALL)
    if len(content) < 4:
        os._exit(70)
    return int.from_bytes(content)


def _end(status: int) -> None:
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main(*sys.argv[1:])

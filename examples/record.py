"""Record a command as it looks in a terminal: python examples/record.py demo.svg COMMAND [ARGUMENT …]"""

import os
import pty
import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 100


def output_of(command: list[str]) -> str:
    """Run a command on a terminal of its own and return all it printed, colours included."""
    os.environ |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    chunks: list[bytes] = []

    def keep(handle: int) -> bytes:
        chunks.append(os.read(handle, 65536))
        return chunks[-1]

    status = pty.spawn(command, keep)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return b"".join(chunks).decode()


def settled(text: str) -> str:
    """Return the text as it stands at the end: what a progress bar wrote over itself is gone."""
    lines = text.replace("\r\n", "\n").split("\n")
    last = [line.rsplit("\r", 1)[-1] for line in lines]
    return "\n".join(line for line in last if not re.search(r"\x1b\[\d*[AJK]|\x1b\[\?25", line))


def main() -> None:
    """Write the recording."""
    target, command = Path(sys.argv[1]), sys.argv[2:]
    text = settled(output_of(command))
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text.from_ansi(text))
    target.write_text(console.export_svg(title=" ".join(command)))


if __name__ == "__main__":
    main()

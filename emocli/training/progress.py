"""What a person sees of a run on stderr: a bar in a terminal that can draw one, else one line an epoch."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Display:
    """The progress of a run over rows called `unit`, of which a share may be done already; a context manager."""

    def __init__(self, epochs: int, *, unit: str = "images", shown: bool = True, done: float = 0.0) -> None:
        self._epochs, self._unit, self._shown = epochs, unit, shown
        self._epoch, self._rows, self._accuracy = round(done * epochs), 0, ""
        self._since = time.perf_counter()
        self._bar: Progress | None = None
        console = Console(stderr=True)
        # rich shows no bar in a dumb terminal, and leaves an empty line for it
        if shown and sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[facts]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=console, transient=True)
            self._task: TaskID = self._bar.add_task(self._title(), total=1.0, facts="")
            self._bar.update(self._task, completed=done)

    def __enter__(self) -> "Display":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, rows: int, loss: float, share: float) -> None:
        """Note a step: how many rows, their mean loss, and the share of the run that is done, 0 to 1."""
        self._rows += rows
        if self._bar:
            facts = f"loss {loss:.3f}{self._accuracy} {self._rate()}"
            self._bar.update(self._task, completed=share, facts=facts)

    def epoch(self, number: int, loss: float, accuracy: float) -> None:
        """Note the end of an epoch (from 1) with its mean loss and the validation accuracy, 0 to 1."""
        self._epoch, self._accuracy = number, f" accuracy {accuracy:.1%}"
        if self._bar:
            self._bar.update(self._task, description=self._title())
        elif self._shown:
            facts = f"loss {loss:.3f}, validation accuracy {accuracy:.1%}, {self._rate()}"
            print(f"epoch {number}/{self._epochs}: {facts}", file=sys.stderr, flush=True)
        self._rows, self._since = 0, time.perf_counter()

    def _title(self) -> str:
        return f"epoch {min(self._epoch + 1, self._epochs)}/{self._epochs}"

    def _rate(self) -> str:
        return f"{self._rows / max(time.perf_counter() - self._since, 1e-9):.0f} {self._unit}/s"

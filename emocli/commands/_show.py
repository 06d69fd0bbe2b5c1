"""How a command answers: notes for people on stderr, rows for programs or people on stdout."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emocli import ranks
from emocli.telling import harmless, tell

Row = Mapping[str, Any]
_NARROWEST = 4
"""A column of a table: a character, the space around it and a line."""


note = tell


def note_once(text: str) -> None:
    """Tell it once where several processes run the same command."""
    if ranks.is_first():
        note(text)


def for_people(as_json: bool | None) -> bool:
    """Tell whether to show a table: --table, or stdout is a terminal and --json is absent."""
    return sys.stdout.isatty() if as_json is None else not as_json


def show(rows: Iterable[Row], *, as_json: bool | None, title: str = "") -> None:
    """Print one JSON object per line as the rows come, or for people one table with a line per row."""
    if for_people(as_json):
        lines = [flatten(row) for row in rows]
        columns = list(dict.fromkeys(key for line in lines for key in line))
        _table(title, columns, [[line.get(column, "") for column in columns] for line in lines])
        return
    for row in rows:
        # whoever reads them may wait for each
        print(harmless(json.dumps(row, ensure_ascii=False), json.dumps), flush=True)


def show_record(record: Row, *, as_json: bool | None, title: str = "") -> None:
    """Print one record: one JSON object, or for people a table with a line per field."""
    show_beside([record], as_json=as_json, title=title)


def show_beside(rows: Sequence[Row], *, as_json: bool | None, title: str = "", heads: Sequence[str] = ()) -> None:
    """Print rows that are read one beside the other: for people a line per field and a column per row."""
    if not for_people(as_json):
        show(rows, as_json=True)
        return
    columns = [flatten(row) for row in rows]
    names = list(dict.fromkeys(name for column in columns for name in column))
    head = ["", *heads] if heads else ["", *[""] * len(columns)]
    _table(title, head, [[name, *[column.get(name, "") for column in columns]] for name in names])


def show_text(markdown: str) -> None:
    """Print a text for people, laid out for the width of the terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(markdown))


def flatten(record: Row, prefix: str = "") -> dict[str, str]:
    """Return the record's fields as text, nested ones under joined names."""
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, Mapping) and _is_figure(value):
            between = "" if value["low"] is None else f" [{value['low']:.4f}, {value['high']:.4f}]"
            flat[prefix + key] = f"{value['value']:.4f}{between} n={value['n']}"
        elif isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = _text(value)
    return flat


def _is_figure(value: Mapping[str, Any]) -> bool:
    """Whether it is a number with its interval, where it has one, and what it is of."""
    numbers = (value.get("value"), *(each for each in (value.get("low"), value.get("high")) if each is not None))
    return {"value", "low", "high", "n"} <= set(value) and all(isinstance(each, int | float) for each in numbers)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    return "" if value is None else str(value)


def _table(title: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    def cell(text: str) -> str:
        return escape(harmless(text))

    table = Table(title=title or None, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(cell(column), overflow="fold")
    for line in lines:
        table.add_row(*map(cell, line))
    console = Console()
    # where there is less room, rich leaves columns out
    console.width = max(console.width, len(columns) * _NARROWEST + 1)
    console.print(table)

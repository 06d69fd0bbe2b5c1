"""How a command answers: notes for people on stderr, rows for programs or people on stdout."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any


def note(text: str) -> None:
    """Tell the user something in one line on stderr."""
    print(f"emo: {text}", file=sys.stderr, flush=True)


def show(rows: Iterable[Mapping[str, Any]], *, as_json: bool, title: str = "") -> None:
    """Print rows: one JSON object per line with `as_json` or when stdout is no terminal, else one table."""
    if as_json or not sys.stdout.isatty():
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    lines = [flatten(row) for row in rows]
    columns = list(dict.fromkeys(key for line in lines for key in line))
    table = Table(title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(line.get(column, "") for column in columns))
    Console().print(table)


def show_record(record: Mapping[str, Any], *, as_json: bool, title: str = "") -> None:
    """Print one record: one JSON object, or on a terminal a table with a line per field."""
    if as_json or not sys.stdout.isatty():
        print(json.dumps(record, ensure_ascii=False))
    else:
        show(({"": key, "value": value} for key, value in flatten(record).items()), as_json=False, title=title)


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the record's fields as text, nested ones under joined names."""
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, Mapping) and {"value", "low", "high"} <= set(value):
            flat[prefix + key] = f"{value['value']:.4f} [{value['low']:.4f}, {value['high']:.4f}]"
        elif isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = _text(value)
    return flat


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    return "" if value is None else str(value)

"""What is said to people: one line on stderr, whose words can't do anything to a terminal."""

import sys
import unicodedata
from collections.abc import Callable

Note = Callable[[str], None]
"""Tells the user a remark."""

_CONTROL = ("Cc", "Cs")
"""Kinds of characters that are none that is shown: a command to a terminal, or half of another character."""


def tell(text: str) -> None:
    """Say something in one line."""
    print(f"emo: {harmless(text)}", file=sys.stderr, flush=True)


def harmless(text: str, quoted: Callable[[str], str] = ascii) -> str:
    """Return a text with its control characters escaped, as `quoted` does it between quotation marks.

    Labels, file names and what people write may hold what moves a cursor.
    """
    if text.isprintable():
        return text
    return "".join(quoted(sign)[1:-1] if unicodedata.category(sign) in _CONTROL else sign for sign in text)

"""What is said to people: one line on stderr, whose words can't do anything to a terminal."""

import sys
import unicodedata


def tell(text: str) -> None:
    """Say something in one line."""
    print(f"emo: {harmless(text)}", file=sys.stderr, flush=True)


def harmless(text: str) -> str:
    """Return a text with its control characters escaped: labels and file names may hold what moves a cursor."""
    if text.isprintable():
        return text
    return "".join(ascii(sign)[1:-1] if is_control(sign) else sign for sign in text)


def is_control(sign: str) -> bool:
    """Tell whether a character is none that is shown, but a command to a terminal or half of another."""
    return unicodedata.category(sign) in ("Cc", "Cs")

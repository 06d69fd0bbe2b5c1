"""The words after a benchmark's name, which are those of the line in its text that says how it is run."""

import re
import sys


def words(text: str | None) -> list[str]:
    """Return the words; leaves with that line where there are too few or too many, and with the text for --help."""
    how = re.search(r"python examples/bench/\S+(.*)", text or "")
    assert how is not None
    given, wanted = sys.argv[1:], re.findall(r"\[.*?\]|\S+", how[1])
    least, most = sum(not word.startswith("[") for word in wanted), sys.maxsize if "…" in how[1] else len(wanted)
    if {"-h", "--help"} & set(given):
        print(text)
        sys.exit()
    if not least <= len(given) <= most or any(word.startswith("-") for word in given):
        sys.exit(f"usage: {how[0]}")
    return given

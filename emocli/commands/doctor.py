"""Check this installation: extras, providers that really load, versions that fit, camera, disk."""

from emocli.commands import _flags
from emocli.commands._show import show
from emocli.errors import EmoError


def run(as_json: _flags.Json = None) -> None:
    """Print one row per check."""
    from emocli import diagnosis

    rows = list(diagnosis.findings())
    show(rows, as_json=as_json)
    if problems := [row["check"] for row in rows if row["status"] == "problem"]:
        raise EmoError(f"{len(problems)} problems: {', '.join(problems)}; the rows above say what to do")

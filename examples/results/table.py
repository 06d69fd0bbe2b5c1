"""Puts the results into the README and this folder's: python examples/results/table.py [README.md]

Between `<!-- results -->` and `<!-- end -->` goes a table with a row per JSON file in this folder; between
`<!-- results/NAME -->` and `<!-- end -->` one of the files in its folder NAME, which for `ablation…` has the difference
to another row and for `speech` and `signals` two intervals of each figure. Rows are in the order of the list NAME.txt
beside their folder, or of their names.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PAGES = (FOLDER.parents[1] / "README.md", FOLDER / "README.md")
HEAD = "| what | accuracy, 95 % interval | scored on | seeds | parameters | training, cores |"
ABLATION_HEAD = "| what | flags | accuracy | difference in points, 95 % interval | parameters | minutes a run |"
SPEECH_HEAD = (
    "| what | UAR of all clips, 95 % by clips | mean UAR of the folds, 95 % by folds | accuracy of all clips | "
    "scored on | parameters | training of a fold, cores |"
)
MARKED = re.compile(r"(<!-- results(?P<folder>/[\w-]+)? -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(readme: str, folder: Path = FOLDER) -> str:
    """Return the text with its tables made anew."""
    return MARKED.sub(lambda match: f"{match[1]}{table(folder / (match['folder'] or '/')[1:])}{match[3]}", readme)


def table(folder: Path) -> str:
    """Return a table with a row per JSON file of the folder; without files it has no rows."""
    kinds = {
        "ablation": (ABLATION_HEAD, compared),
        "speech": (SPEECH_HEAD, folded),
        "signals": (SPEECH_HEAD.replace("clips", "windows"), folded),
    }
    head, cells = kinds.get(folder.name.partition("-")[0], (HEAD, line))
    files = {file.stem: file for file in folder.glob("*.json")}
    listed = [name for name in _listed(folder) if name in files]
    names = dict.fromkeys([*listed, *sorted(files)])
    rows = [cells(json.loads(files[name].read_text(encoding="utf-8"))) for name in names]
    return "".join(f"{row}\n" for row in [head, re.sub(r"[^|]+", "---", head), *rows])


def _listed(folder: Path) -> list[str]:
    """Return the first words of the lines of the list beside a folder, which are names of rows; none without a list."""
    path = folder.with_suffix(".txt")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [words[0] for words in map(str.split, lines) if words]


def line(row: dict[str, Any]) -> str:
    """Return one row."""
    cells = [
        row["name"],
        _share(row["accuracy"]),
        f"{row['data']} {row['split']}, n = {row['n']:,}{_views(row.get('views', 1))}",
        " ".join(map(str, row["seeds"])),
        f"{row['parameters']:,}",
        f"{row['minutes']:g} min, {row['cores']}",
    ]
    return f"| {' | '.join(cells)} |"


def _views(count: int) -> str:
    """Return how many views of a face or a voice answered together, where it was more than one."""
    return f", {count} views" if count > 1 else ""


def _enrolled(row: dict[str, Any]) -> str:
    """Return what was met of each person before, where anything was."""
    samples = row.get("enrolment", {}).get("samples", {})
    if not samples:
        return ""
    counts = set(samples.values())
    several = len(samples) > 1 and len(counts) == 1
    named = (f"{n} of any emotion" if label == "any" else f"{n} {label}" for label, n in samples.items())
    heard = f"{counts.pop()} of each emotion" if several else ", ".join(named)
    return f", after {heard} of each person"


def folded(row: dict[str, Any]) -> str:
    """Return one row of a table of folds of people."""
    cells = [
        row["name"],
        _share(row["uar"]),
        _share(row["mean"]["uar"]),
        _share(row["accuracy"]),
        f"{row['data']}, {len(row['folds'])} folds, n = {row['n']:,}{_views(row.get('views', 1))}{_enrolled(row)}",
        f"{row['parameters']:,}",
        f"{row['minutes']:g} min, {row['cores']}",
    ]
    return f"| {' | '.join(cells)} |"


def _share(figure: dict[str, float]) -> str:
    share, low, high = (100 * figure[key] for key in ("value", "low", "high"))
    return f"{share:.1f} % [{low:.1f}, {high:.1f}]"


def compared(row: dict[str, Any]) -> str:
    """Return one row of the ablation table."""
    points = {key: 100 * (row["difference"] or {}).get(key, 0) for key in ("value", "low", "high")}
    cells = [
        row["name"],
        f"`{row['flags']}`" if row["flags"] else "",
        f"{100 * row['accuracy']['value']:.1f} %",
        "{value:+.1f} [{low:+.1f}, {high:+.1f}]".format(**points) if row["difference"] else "",
        f"{row['parameters']:,}",
        f"{row['minutes']:g}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Fill in both, or the file that is named."""
    for page in map(Path, sys.argv[1:2]) if len(sys.argv) > 1 else PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

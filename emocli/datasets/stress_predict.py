"""Stress-Predict: 35 people with an E4 wristband at rest and in three tasks that cause stress, about an hour of each.

Iqbal, Simpkin, Roshan, Glynn, Killilea, Walsh, Molloy, Ganly, Ryman, Coen, Elahi, Wijns and Shahzad, "Stress Monitoring
Using Wearable Sensors: A Pilot Study and Stress-Predict Dataset", Sensors 22(21), 2022. The tasks are the Stroop colour
word test, an interview (Trier social stress test) and hyperventilation. Layout: ROOT/Raw_data/S02/BVP.csv, EDA.csv,
TEMP.csv, ACC.csv and ROOT/Processed_data/Improved_All_Combined_hr_rsp_binary.csv, which says of each second whether it
was in a task; ROOT may be Raw_data too. Of S01 no seconds are labelled. People that are missing are no fault.

A window is of the label that all of its seconds have; one with both, or with seconds that nobody labelled, is left out.
No parts are published: splits share no subject, and what is usual is to leave one subject out: `fold`.

Options:
    seconds: how long a window is
    hop: how many seconds after another one a window begins
    fold: number of the subject who is the test part, 1 to 35, others are for training; 0 is a split by subject
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from emocli.data.samples import Corpus
from emocli.datasets import _csv, _files, _folds, _recordings
from emocli.datasets._recordings import Session
from emocli.errors import EmoError

LICENSE = "MIT (Stress-Predict, Iqbal et al. 2022)"
ORDER = ("no-stress", "stress")
FOLDS = tuple((f"S{number:02}",) for number in range(1, 36))
_LIST = "Improved_All_Combined_hr_rsp_binary.csv"
_COLUMNS = ("Participant", "Time(sec)", "Label")


def read(sources: Sequence[Path], *, seconds: float = 60.0, hop: float = 30.0, fold: int = 0) -> Corpus:
    """Open Stress-Predict; raises EmoError without its labels or recordings, for windows or a fold that can't be."""
    root = _files.only_folder(sources, "stress-predict")
    listed = _list(root)
    labels = _labels(listed)
    notes: Counter[str] = Counter()
    sessions: dict[str, Session] = {}
    for _, path in _recordings.found(root, notes):
        name = path.absolute().name.upper()
        if not re.fullmatch(r"S\d\d", name):
            notes["recording whose folder is not named like S02 skipped"] += 1
        elif name not in labels:
            notes[f"{name} skipped: no second of it is labelled"] += 1
        elif name in sessions:
            notes["second copy of a recording skipped"] += 1
        else:
            sessions[name] = Session(path, name, partial(_during, labels[name]), group=name)
    chosen = _folds.folded(list(sessions.values()), fold, FOLDS, "stress-predict", notes)
    source = _files.digest([listed])
    return _recordings.corpus(chosen, ORDER, LICENSE, seconds=seconds, hop=hop, notes=notes, source=source)


def _list(root: Path) -> Path:
    """Return the list of labels, below the root or, where that is Raw_data or a subject's folder, beside it."""
    beside = (folder / "Processed_data" / _LIST for folder in root.absolute().parents[:2])
    lists = _files.find(root, _LIST) or [path for path in beside if path.is_file()]
    if not lists:
        raise EmoError(
            f"{root} has no {_LIST}{_files.linked(root)}; give the folder of Stress-Predict's Raw_data and "
            "Processed_data"
        )
    return lists[0]


def _labels(path: Path) -> dict[str, dict[int, int]]:
    """Return of each subject the index of the label that each Unix second has."""
    found: dict[str, dict[int, int]] = {}
    with _csv.opened(path) as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if not set(_COLUMNS) <= set(header):
            raise EmoError(f"{path} lacks the columns {', '.join(_COLUMNS)}, or is empty; restore the file")
        columns = [header.index(column) for column in _COLUMNS]
        for row in filter(None, rows):
            try:
                who, second, label = (row[column] for column in columns)
                found.setdefault(f"S{int(who):02}", {})[int(second)] = ("0", "1").index(label)
            except (ValueError, IndexError) as fault:
                raise EmoError(
                    f"{path} line {rows.line_num} has no whole {', '.join(_COLUMNS)}, the last 0 or 1; restore the file"
                ) from fault
    return found


def _during(labels: Mapping[int, int], start: float, end: float) -> set[int | None]:
    return {labels.get(second) for second in range(math.floor(start), math.ceil(end))}

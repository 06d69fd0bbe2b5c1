"""Recordings of an Empatica E4 wristband as its export lays them out: a folder of csv files, one for each sensor.

Line 1 of a file is when it starts, in Unix seconds (UTC), line 2 its rate in Hz, and then come the values. BVP.csv,
EDA.csv, TEMP.csv and ACC.csv (three columns, 1/64 g) are read, those of them that are there; what the maker's software
derives from them, HR.csv and IBI.csv, is not.
"""

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emocli.errors import EmoError
from emocli.physio.signals import RATE_HZ, Signals

FILES = {"BVP.csv": ("bvp",), "EDA.csv": ("eda",), "TEMP.csv": ("temp",), "ACC.csv": ("acc_x", "acc_y", "acc_z")}
"""The files of the sensors, and the channels that are their columns."""
MOST_SECONDS = 3 * 86_400
"""More than its memory or its battery holds: a damaged header could ask for any number of frames otherwise."""
_MOST_BYTES = 1 << 28
_LARGEST = 1e10
"""Above any number in such files, the largest of which is the time."""
_UNITS = {"ACC.csv": 1 / 64}
"""What one is in the unit of `signals.CHANNELS`, where it is not one."""
_SLACK = 1e-3
"""Of a frame, for times that are not exact in floating point."""


class Unreadable(EmoError):
    """A recording that gives no signals; `why` names the file and its line, and not where the recording lies."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}; restore the file, or leave the recording out")
        self.why = why


@dataclass(frozen=True, slots=True)
class Recording:
    """All that was recorded at once."""

    start: float
    """Of the first frame, Unix seconds."""
    signals: Signals
    """From the latest start of a sensor to the earliest end of one."""


class _Sensor(NamedTuple):
    channels: tuple[str, ...]
    start: float
    rate_hz: float
    values: NDArray[np.float64]
    """(n, channels), n two or more."""

    def end(self) -> float:
        return self.start + (len(self.values) - 1) / self.rate_hz


def is_recording(path: Path) -> bool:
    """Tell whether a folder is a recording: it holds what was measured of the pulse or of the skin."""
    return any((path / name).is_file() for name in ("BVP.csv", "EDA.csv"))


def recordings(root: Path) -> list[Path]:
    """Return the folders of recordings at or below the root, sorted; links to folders and hidden ones are left out."""
    found = []
    for parent, folders, _ in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        if is_recording(Path(parent)):
            found.append(Path(parent))
    return sorted(found)


def files(path: Path) -> list[Path]:
    """Return the files of a recording that are read; raises EmoError where there are none."""
    found = [path / name for name in FILES if (path / name).is_file()]
    if not found:
        raise EmoError(f"{path} has none of {', '.join(FILES)}; name the folder that an E4's export is unpacked to")
    return found


def channels(path: Path) -> tuple[str, ...]:
    """Return what `read` will find in a folder, in the order of `signals.CHANNELS`, without reading it."""
    return tuple(channel for file in files(path) for channel in FILES[file.name])


def read(path: Path, only: Sequence[str] = ()) -> Recording:
    """Return the recording in a folder; `only` are the channels wanted, all that are there where none is named.

    Its frames are those of the first sensor that is there, the pulse, whose samples are kept as they are; the others'
    are interpolated linearly between two of theirs. Raises EmoError where there are no such files, and Unreadable where
    one is damaged, lacks a channel, or they were not recorded at the same time.
    """
    there = channels(path)
    if lacking := [name for name in only if name not in there]:
        raise Unreadable(path, f"has no {', '.join(lacking)}")
    kept = tuple(name for name in there if name in (only or there))
    sensors = [_sensor(path, file.name) for file in files(path) if set(FILES[file.name]) & set(kept)]
    origin = sensors[0].start
    first = math.ceil(max(sensor.start - origin for sensor in sensors) * RATE_HZ - _SLACK)
    last = math.floor(min(sensor.end() - origin for sensor in sensors) * RATE_HZ + _SLACK)
    if last <= first:
        raise Unreadable(path, "its files don't overlap in time")
    if last - first > MOST_SECONDS * RATE_HZ:
        raise Unreadable(path, "it lasts more than three days, longer than an E4 records")
    clock = np.arange(first, last + 1) / RATE_HZ
    columns = [
        np.interp(clock, sensor.start - origin + np.arange(len(sensor.values)) / sensor.rate_hz, column)
        for sensor in sensors
        for channel, column in zip(sensor.channels, sensor.values.T, strict=True)
        if channel in kept
    ]
    return Recording(origin + first / RATE_HZ, Signals(np.stack(columns, 1, dtype=np.float32), kept))


def check(seconds: float, hop: float) -> None:
    """Raise EmoError for windows that can't be: NaN, shorter than a second, or more than one a second."""
    if not all(1 <= number <= MOST_SECONDS for number in (seconds, hop)):
        raise EmoError(f"no windows of {seconds:g} seconds every {hop:g}; seconds and hop are from 1 to {MOST_SECONDS}")


def windows(recording: Recording, seconds: float, hop: float) -> Iterator[tuple[float, Signals]]:
    """Return each window's start, in seconds since the recording's, and what is in it: `seconds`, one every `hop`.

    All are of the same length; the rest of a recording makes none, nor does a recording that is shorter. A window's
    values are a part of the recording's, not a copy. Raises EmoError as `check` does.
    """
    check(seconds, hop)
    values, names = recording.signals
    frames, step = round(seconds * RATE_HZ), round(hop * RATE_HZ)
    firsts = range(0, len(values) - frames + 1, step)
    return ((first / RATE_HZ, Signals(values[first : first + frames], names)) for first in firsts)


def _sensor(path: Path, name: str) -> _Sensor:
    file, columns = path / name, len(FILES[name])
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise Unreadable(path, f"{name} is larger than {_MOST_BYTES >> 20} MB, more than an E4 records")
        table = _table(file)
    except OSError as fault:
        raise Unreadable(path, f"can't read {name} ({fault.strerror})") from fault
    if table.shape[1] != columns or not (np.abs(table) < _LARGEST).all():
        raise Unreadable(path, f"{name} {_fault(file, columns)}")
    if len(table) < 4:
        raise Unreadable(path, f"{name} has {max(0, len(table) - 2)} values, and two are needed")
    for line, row in enumerate(table[:2], 1):
        if (row != row[0]).any():
            raise Unreadable(path, f"{name} line {line} differs between columns, which are recorded together")
    start, rate_hz = table[:2, 0]
    if not 1 <= rate_hz <= RATE_HZ:
        raise Unreadable(path, f"{name} line 2 holds {rate_hz:g}, expected a rate of 1 to {RATE_HZ} Hz")
    return _Sensor(FILES[name], float(start), float(rate_hz), table[2:] * _UNITS.get(name, 1))


def _table(file: Path) -> NDArray[np.float64]:
    """Return the numbers of a csv file, (lines, columns); nothing, (0, 0), where there are none or not only numbers."""
    try:
        with warnings.catch_warnings(action="error", category=UserWarning):  # of a file without a line
            return np.loadtxt(file, delimiter=",", comments=None, encoding="utf-8-sig", ndmin=2)
    except (ValueError, UserWarning):
        return np.empty((0, 0))


def _fault(file: Path, columns: int) -> str:
    """Return what is wrong in which line; reading one by one is slow, and done for this alone."""
    with open(file, encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            words = line.strip().split(",")
            if words == [""]:
                continue
            if len(words) != columns:
                return f"line {number} has {len(words)} columns, expected {columns}"
            if odd := [word for word in words if not _is_number(word)]:
                return f"line {number} holds {odd[0][:20]!r}, which is no number of an E4"
    return "is empty, or no table of numbers"


def _is_number(word: str) -> bool:
    try:
        return abs(float(word)) < _LARGEST  # NaN is not
    except ValueError:
        return False

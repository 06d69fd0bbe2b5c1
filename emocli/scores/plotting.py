"""Figures of an evaluation as pictures, drawn with what the core installation has."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from emocli.image import lettering

CELL, TOP, MARGIN = 72, 70, 20
WIDTH, HEIGHT, FRAME = 640, 480, (60, 40, 620, 420)
"""Size of a curve's picture, and left, top, right, bottom of its axes."""
_LINES = ((150, 80, 20), (60, 60, 200), (60, 150, 40))
_INK, _BLUE = (40, 40, 40), np.array([150, 80, 20])


def confusion(matrix: ArrayLike, labels: Sequence[str], title: str, path: Path) -> None:
    """Write the (k, k) matrix, true class down, as a PNG: each row shaded by its share and written in numbers.

    It is as wide as its title and the names of the classes need it.
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    names = [lettering.written(label) for label in labels]
    left = MARGIN + max(lettering.width(name, 0.5) for name in names)
    cell = max(CELL, *(lettering.width(name, 0.42) + 8 for name in names))
    width = MARGIN + max(left + cell * len(names), lettering.width(title, 0.55))
    image = np.full((TOP + CELL * len(names) + MARGIN, width, 3), 255, np.uint8)
    lettering.put(image, title, (10, 24), 0.55, _INK)
    for row, name in enumerate(names):
        top, beside = TOP + CELL * row, left + cell * row
        lettering.put(image, name, (8, top + CELL // 2 + 5), 0.5, _INK)
        lettering.put(image, name, (beside + 2, TOP - 12), 0.42, _INK)
        for column in range(len(names)):
            place = top, left + cell * column, cell
            _cell(image, place, float(shares[row, column]), int(counts[row, column]))
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def risk_coverage(curve: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Write the curve of `abstention.risk_coverage` as a PNG: accuracy over coverage, its interval shaded."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    lowest = min(0.9, np.floor(min(point["low"] for point in curve) * 10) / 10)
    left, top, right, bottom = FRAME

    def place(coverage: float, accuracy: float) -> tuple[int, int]:
        height = (accuracy - lowest) / (1 - lowest)
        return round(left + coverage * (right - left)), round(bottom - height * (bottom - top))

    band = [place(p["coverage"], p["low"]) for p in curve] + [place(p["coverage"], p["high"]) for p in curve[::-1]]
    cv2.fillPoly(image, [np.array(band, np.int32)], (235, 215, 195), cv2.LINE_AA)
    _scale(image, np.arange(lowest, 1.01, 0.1), lambda share: place(0, share)[1])
    for tick in np.arange(0, 1.01, 0.1):
        lettering.put(image, f"{tick:.0%}", (place(tick, lowest)[0] - 16, bottom + 22), 0.42, _INK)
    line = [place(point["coverage"], point["value"]) for point in curve]
    cv2.polylines(image, [np.array(line, np.int32)], False, _BLUE.tolist(), 2, cv2.LINE_AA)
    _finish(image, title, "share of the samples answered", path)


def noise(curve: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Write the curve of `robustness` as a PNG: UAR over the ratio of signal to noise, a line for each kind of noise.

    What the model reaches without noise is the level line on top of them.
    """
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    left, top, right, bottom = FRAME
    (clean,), noisy = ([p for p in curve if (p["snr_db"] is None) is wanted] for wanted in (True, False))
    ratios = sorted({point["snr_db"] for point in noisy})

    def place(ratio: float, share: float) -> tuple[int, int]:
        across = (ratios.index(ratio) + 0.5) / len(ratios)
        return round(left + across * (right - left)), round(bottom - share * (bottom - top))

    _scale(image, np.arange(0, 1.01, 0.1), lambda share: place(ratios[0], share)[1])
    for ratio in ratios:
        lettering.put(image, f"{ratio:g}", (place(ratio, 0)[0] - 10, bottom + 22), 0.42, _INK)
    height = place(ratios[0], clean["uar"]["value"])[1]
    cv2.line(image, (left, height), (right, height), _INK, 1, cv2.LINE_AA)
    for number, kind in enumerate(dict.fromkeys(point["noise"] for point in noisy)):
        colour = _LINES[number % len(_LINES)]
        points = sorted((p for p in noisy if p["noise"] == kind), key=lambda point: point["snr_db"])
        line = [place(p["snr_db"], p["uar"]["value"]) for p in points]
        cv2.polylines(image, [np.array(line, np.int32)], False, colour, 2, cv2.LINE_AA)
        for point in points:
            (x, low), (_, high) = (place(point["snr_db"], point["uar"][end]) for end in ("low", "high"))
            cv2.line(image, (x + 3 * number - 3, low), (x + 3 * number - 3, high), colour, 1, cv2.LINE_AA)
        lettering.put(image, kind, (left + 10 + 90 * number, top + 18), 0.45, colour)
    _finish(image, title, "signal to noise, dB", path)


def _scale(image: NDArray[np.uint8], ticks: NDArray[np.float64], height: Callable[[float], int]) -> None:
    """Draw a line across and a percentage for each tick."""
    for tick in ticks.tolist():
        cv2.line(image, (FRAME[0], height(tick)), (FRAME[2], height(tick)), (225, 225, 225), 1)
        lettering.put(image, f"{tick:.0%}", (10, height(tick) + 5), 0.42, _INK)


def _finish(image: NDArray[np.uint8], title: str, below: str, path: Path) -> None:
    """Draw the axes, the title and what is told below them, and write the picture."""
    cv2.rectangle(image, FRAME[:2], FRAME[2:], _INK, 1)
    lettering.put(image, title, (10, 24), 0.55, _INK)
    lettering.put(image, below, (FRAME[0], HEIGHT - 12), 0.42, _INK)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def _cell(image: NDArray[np.uint8], place: tuple[int, int, int], share: float, count: int) -> None:
    """Draw one count at its (top, left, width)."""
    top, left, width = place
    colour = 255 - share * (255 - _BLUE)
    cv2.rectangle(image, (left, top), (left + width - 2, top + CELL - 2), colour.tolist(), cv2.FILLED)
    ink = (255, 255, 255) if share > 0.5 else _INK
    left += width // 2 - 20
    lettering.put(image, f"{share:.2f}", (left, top + 32), 0.5, ink)
    lettering.put(image, str(count), (left, top + 54), 0.38, ink)

"""Probabilistic YIN: candidates for the pitch of each frame, and the likeliest path through all of them.

Mauch and Dixon (ICASSP 2014), with the parameters and the arithmetic of librosa.pyin. Its search goes through all pairs
of states, this one only through those that a voice can change between. Memory stays flat: values are kept at the begin
of each block, and the way back goes through each block anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emocli.features import _yin
from emocli.sound.frames import Block
from emocli.sound.sounds import RATE_HZ

_BINS_PER_OCTAVE = 120
_THRESHOLDS = np.linspace(0, 1, 101)
_DECAY, _NO_TROUGH = 2.0, 0.01
_OCTAVES_PER_SECOND, _SWITCH = 35.92, 0.01
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Grid:
    """The pitches that are told apart, and how fast a voice changes between them."""

    fmin: float
    fmax: float
    size: int
    hop: int

    @cached_property
    def periods(self) -> tuple[int, int]:
        """The shortest and the longest in samples."""
        return _yin.periods(self.fmin, self.fmax, self.size)

    @cached_property
    def hz(self) -> NDArray[np.float64]:
        """The pitch of each bin."""
        count = int(np.floor(_BINS_PER_OCTAVE * np.log2(self.fmax / self.fmin))) + 1
        hz: NDArray[np.float64] = self.fmin * 2.0 ** (np.arange(count) / _BINS_PER_OCTAVE)
        return hz

    @cached_property
    def widest(self) -> int:
        """How many bins the pitch can change by from one frame to the next."""
        semitones = round(_OCTAVES_PER_SECOND * 12 * self.hop / RATE_HZ)
        return min(semitones * (_BINS_PER_OCTAVE // 12) // 2, len(self.hz) - 1)

    @cached_property
    def change(self) -> NDArray[np.float64]:
        """Logarithm of how likely each change is, down to up, (2 * widest + 1,), before the pitch's own share."""
        away = np.abs(np.arange(-self.widest, self.widest + 1))
        change: NDArray[np.float64] = np.log(1 - away / (self.widest + 1))
        return change

    @cached_property
    def share(self) -> NDArray[np.float64]:
        """Logarithm of the sum of all changes from each bin that stay in the grid."""
        inside = np.convolve(np.ones(len(self.hz)), np.exp(self.change))
        share: NDArray[np.float64] = np.log(inside[self.widest : -self.widest or None])
        return share


Candidates = tuple[int, NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]
"""How many frames a block has, and of each candidate in it the frame, the bin and the probability."""


def track(blocks: Iterable[Block], grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (frames,) the pitch in Hz, 0 without one, and the probability that there is one."""
    found = [_candidates(block, grid) for block in blocks]
    voiced = np.concatenate([_chances(each, grid)[0].sum(axis=1) for each in found])
    states = _likeliest(found, grid)
    count = len(grid.hz)
    return np.where(states < count, grid.hz[states % count], 0), np.clip(voiced, 0, 1)


def _candidates(block: Block, grid: Grid) -> Candidates:
    """Return the pitches that a block's frames may have: one per trough of YIN's difference."""
    shortest, longest = grid.periods
    values = _yin.difference(block, shortest, longest)
    frame, place = np.nonzero(_yin.troughs(values))
    chances = _chance_of_troughs(values[frame, place], frame)
    hz = RATE_HZ / (shortest + place + _yin.refinement(values, frame, place))
    bins = np.round(_BINS_PER_OCTAVE * np.log2(hz / grid.fmin)).clip(0, len(grid.hz)).astype(np.intp)
    # of two in one bin librosa takes the longer period; beyond the last bin there is none
    used = (chances > 0) & (bins < len(grid.hz))
    return len(values), frame[used], bins[used], chances[used]


def _chance_of_troughs(heights: NDArray[np.float64], frame: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the probability that each trough, ordered by frame and period, is the pitch.

    A threshold is drawn; of the troughs below it each has a share that decays with their order, and where there are
    none the deepest has a small one.
    """
    if not len(heights):
        return heights
    prior = np.diff(_beta_2_18(_THRESHOLDS))
    begins = np.flatnonzero(np.diff(frame, prepend=-1))
    trough_of_frame = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(frame)))
    below = heights[:, None] < _THRESHOLDS[1:]
    counted = np.cumsum(below, axis=0)
    order = counted - 1 - np.where(begins > 0, counted[begins - 1].T, 0).T[trough_of_frame]
    many = np.add.reduceat(below, begins, axis=0, dtype=np.intp)[trough_of_frame]
    shares = np.exp(-_DECAY * order) * (1 - np.exp(-_DECAY)) / (1 - np.exp(-_DECAY * np.maximum(many, 1)))
    chances: NDArray[np.float64] = np.where(below, shares, 0) @ prior
    deepest = np.lexsort((np.arange(len(heights)), heights, frame))[begins]
    chances[deepest] += _NO_TROUGH * (~below[deepest] @ prior)
    return chances


def _beta_2_18(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the beta distribution's cumulative function: of 19 draws below x, two at least."""
    return 1 - (1 - x) ** 19 - 19 * x * (1 - x) ** 18


def _chances(found: Candidates, grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of each bin in each frame of a block, (frames, bins), and of none, shared by all bins."""
    frames, frame, bins, chances = found
    voiced = np.zeros((frames, len(grid.hz)))
    voiced[frame, bins] = chances
    return voiced, (1 - np.clip(voiced.sum(axis=1, keepdims=True), 0, 1)) / len(grid.hz)


def _likeliest(found: Sequence[Candidates], grid: Grid) -> NDArray[np.intp]:
    """Return the state of each frame on the likeliest path (Viterbi): a voiced bin, or as many more for an unvoiced."""
    values = [np.full((2, len(grid.hz)), -np.log(2 * len(grid.hz)))]
    for number, each in enumerate(found):
        last, pointers = _forward(each, values[-1], grid, first=number == 0)
        values.append(last)
    states: list[NDArray[np.intp]] = []
    state = int(values[-1].argmax())
    for number in reversed(range(len(found))):
        if number < len(found) - 1:
            pointers = _forward(found[number], values[number], grid, first=number == 0)[1]
        path = np.empty(len(pointers), np.intp)
        for frame in reversed(range(len(pointers))):
            path[frame] = state
            state = int(pointers[frame, state])
        states.append(path)
    return np.concatenate(states[::-1])


def _forward(
    found: Candidates, values: NDArray[np.float64], grid: Grid, *, first: bool
) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
    """Return the values (2, bins) of the best paths to each state after a block, and where they came from by frame."""
    voiced, unvoiced = _chances(found, grid)
    count, widest = len(grid.hz), grid.widest
    pointers = np.zeros((len(voiced), 2 * count), np.uint16)
    padded = np.full((2, count + 2 * widest), -np.inf)
    inside = padded[:, widest : widest + count]
    reached = np.lib.stride_tricks.sliding_window_view(padded, 2 * widest + 1, axis=1)
    stay, switch = np.log(1 - _SWITCH), np.log(_SWITCH)
    rows = np.arange(count)
    for frame in range(len(voiced)):
        chance = np.log(np.stack([voiced[frame], np.broadcast_to(unvoiced[frame], count)]) + _TINY)
        if first and not frame:
            values = values + chance
            continue
        inside[...] = values - grid.share
        sums = reached + grid.change
        steps = sums.argmax(axis=2)
        best = np.take_along_axis(sums, steps[..., None], axis=2)[..., 0]
        source = steps + rows - widest + np.array([[0], [count]])
        stays, switches = best + stay, best[::-1] + switch
        # of equal ones librosa takes the first state: the voiced one
        moves = np.stack([switches[0] > stays[0], switches[1] >= stays[1]])
        source, best = np.where(moves, source[::-1], source), np.where(moves, switches, stays)
        # what librosa gives to impossible changes
        far = values.max() + np.log(_TINY)
        pointers[frame] = np.where(best < far, values.argmax(), source).ravel()
        values = np.maximum(best, far) + chance
    return values, pointers

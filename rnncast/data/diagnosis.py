"""What the values of a panel look like, and what in them may be a mistake: figures of every series.

Nothing is changed here. `rnncast.data.advice` puts into words what deserves a word.

Dimension letters: `R` rows of all series together, `S` series, `U` runs of equal values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.alike import alike_ids, same_values
from rnncast.data.calendars.holes import find_holes
from rnncast.data.jumps import Jump, find_jumps
from rnncast.data.panel import Panel
from rnncast.data.standins import Standin, Stranger, find_standins, find_strangers
from rnncast.records import dataclass

LEAST_MOVE = 1e-12
"""Mean move of a series, as a share of its largest value, below which rounding begins to tell."""


@dataclass(frozen=True)
class Diagnosis:
    """Figures of every series, and what may be a mistake.

    Attributes
    ----------
    rows : int64 (S,)
        Rows of each series.
    first, last : datetime64[us] (S,) or int64 (S,)
        Its first and last stamp.
    least, most : float64 (S,)
        Its smallest and largest value.
    zeros, negatives, tiny : int64 (S,)
        Rows that are zero, negative, and so small that digits are lost (denormal numbers).
    repeated : float64 (S,)
        Share of the rows that repeat the value before them.
    tail, longest_run : int64 (S,)
        Equal values at its end (1 if the last value differs from the one before), and the longest run before those.
    constant : bool (S,)
        Whether it holds one value only, in two rows or more.
    imprecise : bool (S,)
        Whether its mean move is below `LEAST_MOVE` of its largest value.
    gaps : int64 (S,)
        Places where an open stamp was passed over; holidays that the calendar does not know are among them.
    behind : int64 (S,)
        Rows of the panel's clock after its last one; 0 in a panel without dates.
    jumps : tuple of Jump
        Values far off and level breaks, in the order of rows.
    standins : tuple of Standin
        Values that seem to stand for missing ones.
    strangers : tuple of Stranger
        Rows far from all others in time.
    alike, same : tuple of tuple of str
        Ids that hardly differ; ids of series that hold the same values.
    """

    rows: NDArray[np.int64]
    first: NDArray[Any]
    last: NDArray[Any]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    zeros: NDArray[np.int64]
    negatives: NDArray[np.int64]
    tiny: NDArray[np.int64]
    repeated: NDArray[np.float64]
    tail: NDArray[np.int64]
    longest_run: NDArray[np.int64]
    constant: NDArray[np.bool_]
    imprecise: NDArray[np.bool_]
    gaps: NDArray[np.int64]
    behind: NDArray[np.int64]
    jumps: tuple[Jump, ...]
    standins: tuple[Standin, ...]
    strangers: tuple[Stranger, ...]
    alike: tuple[tuple[str, ...], ...]
    same: tuple[tuple[str, ...], ...]


def diagnose(panel: Panel) -> Diagnosis:
    """Look at every value of a panel once."""
    values, starts = panel.target, panel.indptr[:-1]
    least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)  # (S,)
    repeats = np.zeros(len(values), dtype=bool)  # (R,) whether a row repeats the one before
    repeats[1:] = values[1:] == values[:-1]
    repeats[starts] = False
    tail, longest = _runs(panel, repeats)
    return Diagnosis(
        rows=panel.lengths,
        first=panel.times[starts],
        last=panel.times[panel.indptr[1:] - 1],
        least=least,
        most=most,
        zeros=_count(panel, values == 0),
        negatives=_count(panel, values < 0),
        tiny=_count(panel, (np.abs(values) < np.finfo(np.float64).tiny) & (values != 0)),
        repeated=_count(panel, repeats) / panel.lengths,
        tail=tail,
        longest_run=longest,
        constant=(least == most) & (panel.lengths > 1),
        imprecise=_imprecise(panel, least, most),
        gaps=_by_series(panel, find_holes(panel.times, panel.indptr, panel.calendar)),
        behind=_behind(panel),
        jumps=find_jumps(panel),
        standins=find_standins(panel),
        strangers=find_strangers(panel),
        alike=alike_ids(panel.ids),
        same=same_values(panel),
    )


def _count(panel: Panel, marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of each series (S,) that are marked (R,)."""
    return _by_series(panel, np.flatnonzero(marked))


def _by_series(panel: Panel, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of some rows, ascending, belong to each series (S,)."""
    return np.asarray(np.diff(np.searchsorted(rows, panel.indptr)), dtype=np.int64)


def _runs(panel: Panel, repeats: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Length of the last run of equal values, and of the longest of those before it, of each series (S,)."""
    first = np.flatnonzero(~repeats)  # (U,) rows that begin a run; every series begins one
    lengths = np.diff(first, append=len(repeats))  # (U,)
    ends = np.searchsorted(first, panel.indptr[1:]) - 1  # (S,) last run of each series
    tail = lengths[ends]
    lengths[ends] = 0
    starts = np.searchsorted(first, panel.indptr[:-1])
    return tail, np.maximum.reduceat(lengths, starts)


def _imprecise(panel: Panel, least: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the mean move of each series (S,) is so small against its level that rounding tells."""
    level = np.maximum(np.abs(least), np.abs(most))
    # The moves of a series sum to its range at least, so that few have to be looked at
    narrow = most * 0.5 - least * 0.5 < 0.5 * LEAST_MOVE * level * panel.lengths
    doubtful = np.flatnonzero(narrow & (least < most))
    found = np.zeros(len(panel.ids), dtype=bool)
    for series in doubtful:
        moves = np.abs(np.diff(panel.target[panel.rows(int(series))] / level[series]))
        found[series] = moves.mean() < LEAST_MOVE
    return found


def _behind(panel: Panel) -> NDArray[np.int64]:
    """Rows of the panel's clock after the last row of each series (S,)."""
    if not panel.is_dated:
        return np.zeros(len(panel.ids), dtype=np.int64)
    clock = panel.times[panel.rows(panel.reference_series)]
    last = panel.times[panel.indptr[1:] - 1]
    return np.asarray(len(clock) - np.searchsorted(clock, last, side="right"), dtype=np.int64)

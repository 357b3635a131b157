"""Values that stand for a missing one, and rows whose date is far from all others: mistakes that look like data.

Dimension letters: `R` rows, `S` series.
"""

from __future__ import annotations

import numpy as np

from rnncast.data.panel import Panel
from rnncast.records import dataclass

STANDINS = (-99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, 999999.0, 0.0)
"""Values that programs write where they have none."""

_LEAST_OTHERS = 0.1  # of the median: other values of a series are above it where its zeros are suspicious
_LARGE_GAP = 50  # usual steps, and half of all other rows' span: a gap beyond both makes a row a stranger
_FEWEST_ROWS = 10


@dataclass(frozen=True)
class Standin:
    """A value that seems to stand for a missing one in a series.

    Attributes
    ----------
    series, row
        The series, and its first row with it, as a place in the panel's rows.
    value
        The value.
    count
        Rows that hold it.
    """

    series: int
    row: int
    value: float
    count: int


@dataclass(frozen=True)
class Stranger:
    """A first or last row of a series that lies far from all others in time.

    Attributes
    ----------
    series, row
        The series, and the row, as a place in the panel's rows.
    neighbour
        The row next to it in time.
    """

    series: int
    row: int
    neighbour: int


def find_standins(panel: Panel) -> tuple[Standin, ...]:
    """Values of `STANDINS` that lie far from all other values of their series, in the order of the series."""
    found = []
    for value in STANDINS:
        rows = np.flatnonzero(panel.target == value)
        owners = np.searchsorted(panel.indptr, rows, side="right") - 1
        for series in np.unique(owners).tolist():
            own = rows[owners == series]
            values = panel.target[panel.rows(series)]
            others = values[values != value]
            if len(others) > 2 and _is_far(value, others):
                found.append(Standin(series, int(own[0]), value, len(own)))
    return tuple(sorted(found, key=lambda standin: standin.row))


def _is_far(value: float, others: np.ndarray) -> bool:
    low, high = float(others.min()), float(others.max())
    if value == 0:
        return low * 0.5 > _LEAST_OTHERS * float(np.median(others * 0.5)) > 0  # halves: sums may be beyond all numbers
    reach = high * 0.5 - low * 0.5
    return value < low - 2 * reach or value > high + 2 * reach


def find_strangers(panel: Panel) -> tuple[Stranger, ...]:
    """Rows at the ends of series that lie far from all others."""
    if not panel.is_dated:
        return ()
    stamps = panel.times.view(np.int64)
    long = np.flatnonzero(panel.lengths >= _FEWEST_ROWS)  # (series looked at,)
    first, last = panel.indptr[:-1][long], panel.indptr[1:][long] - 1
    span = stamps[last - 1] - stamps[first + 1]  # of the rows between
    usual = np.maximum(span // (panel.lengths[long] - 2), 1)
    found = []
    for row, neighbour in ((first, first + 1), (last, last - 1)):
        gap = np.abs(stamps[row] - stamps[neighbour])
        for place in np.flatnonzero((gap > _LARGE_GAP * usual) & (gap > span // 2)).tolist():
            found.append(Stranger(int(long[place]), int(row[place]), int(neighbour[place])))
    return tuple(found)

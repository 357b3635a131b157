"""Stamps of a panel as integers, looked at in pieces: what a calendar is learnt from.

Panels of millions of rows are common, so nothing here is as large as the stamps themselves: gaps are made a piece at a
time, and days take half the bytes.

Dimension letters: `R` rows of all series together, `S` series, `D` days. A gap is the difference between a row's stamp
and the next one's in the same series; arrays over gaps have R - 1 entries, of which those between two series do not
count (`inside`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US
from rnncast.data.calendars.zone import offsets, to_utc

PIECE = 1 << 15
"""Rows handled at once."""

_BLOCKS, _BLOCK = 64, 256  # gaps of a sample: so many stretches of rows, each of so many neighbours

_ROWS_A_SEARCH = 16  # rows that are counted in about the time in which one midnight is searched for

Integers = NDArray[Any]  # int64, or int32 for days
Predicate = Callable[[Integers, slice], NDArray[np.bool_]]
"""Says of a piece of gaps, and the rows before them, which are regular."""


def pieces(rows: int) -> Iterator[slice]:
    """Slices that cover so many rows."""
    for start in range(0, rows, PIECE):
        yield slice(start, min(start + PIECE, rows))


def local_days(stamps: NDArray[np.int64], zone: str | None) -> NDArray[np.int32]:
    """Days since 1970-01-01, on the wall clock of a zone if there is one, of stamps (R,) in microseconds."""
    days = np.empty(len(stamps), dtype=np.int32)
    for piece in pieces(len(stamps)):
        days[piece] = to_wall(stamps[piece], zone) // DAY_US
    return days


def to_wall(stamps: NDArray[np.int64], zone: str | None) -> NDArray[np.int64]:
    """Wall times of stamps (...) in microseconds; without a zone they are the stamps."""
    return stamps if zone is None else stamps + offsets(stamps.view("datetime64[us]"), zone)


class Stamps:
    """Stamps as integers of one unit, with their division into series."""

    def __init__(self, values: Integers, indptr: NDArray[np.int64], ids: Sequence[str] | None) -> None:
        self.values = values  # (R,)
        self.indptr = np.asarray(indptr, dtype=np.int64)  # (S + 1,)
        self.ids = ids

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Gaps that lie in one series, (R - 1,)."""
        inside = np.ones(max(len(self.values) - 1, 0), dtype=bool)
        boundaries = self.indptr[1:-1] - 1
        inside[boundaries[(boundaries >= 0) & (boundaries < len(inside))]] = False
        return inside

    @property
    def true_gaps(self) -> Integers:
        """Gaps that lie in one series, without the others; as large as the stamps."""
        gaps = np.diff(self.values)
        return gaps if len(self.indptr) == 2 else gaps[self.inside]

    @cached_property
    def sample(self) -> Integers:
        """True gaps, or those of evenly spread stretches of neighbours where there are many.

        Stretches rather than single gaps: every so-many-th gap could always be the night's.
        """
        gaps = len(self.values) - 1
        if gaps <= 2 * _BLOCKS * _BLOCK:
            return self.true_gaps
        starts = np.linspace(0, gaps - _BLOCK, _BLOCKS).astype(np.int64)
        rows = (starts[:, None] + np.arange(_BLOCK)).ravel()
        rows = rows[self.inside[rows]]
        return self.values[rows + 1] - self.values[rows] if len(rows) else self.true_gaps

    def is_ascending(self) -> bool:
        """Whether the values rise from row to row in each series."""
        values, falls = self.values, 0
        for piece in pieces(max(len(values) - 1, 0)):
            falls += int(np.count_nonzero(values[piece.start + 1 : piece.stop + 1] <= values[piece]))
        between = self.indptr[1:-1]
        between = between[(between > 0) & (between < len(values))]
        between = between[np.diff(between, prepend=0) > 0]  # an empty series has no boundary of its own
        return falls == np.count_nonzero(values[between] <= values[between - 1])

    def holds(self, predicate: Predicate) -> NDArray[np.bool_]:
        """Of each gap (R - 1,), whether it is as it should be."""
        found = np.empty(max(len(self.values) - 1, 0), dtype=bool)
        for piece in pieces(len(found)):
            gaps = self.values[piece.start + 1 : piece.stop + 1] - self.values[piece]
            found[piece] = predicate(gaps, piece)
        return found

    def with_values(self, values: Integers) -> Stamps:
        """Other integers of the same rows."""
        return Stamps(values, self.indptr, self.ids)

    def regular_shares(self, regular: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64], NDArray[np.int64]]:
        """Share of regular gaps (R - 1,) over all and by series (S,), and the number of gaps by series (S,)."""
        counts = np.maximum(np.diff(self.indptr) - 1, 0)  # (S,)
        irregular = np.flatnonzero(self.inside & ~regular)
        owner = np.searchsorted(self.indptr, irregular, side="right") - 1
        by_series = counts - np.bincount(owner, minlength=len(counts))  # (S,)
        return by_series.sum() / max(counts.sum(), 1), by_series / np.maximum(counts, 1), counts


class Timeline:
    """Stamps of a panel, and the days that they fall on."""

    def __init__(
        self, times: NDArray[Any], indptr: NDArray[np.int64], ids: Sequence[str] | None, zone: str | None
    ) -> None:
        self.is_dated = times.dtype.kind == "M"
        self.zone = zone if self.is_dated else None
        values, indptr = times.view(np.int64), np.asarray(indptr, dtype=np.int64)
        if are_copies(values, indptr):  # as in most panels of one market: what one has says everything
            values, indptr = values[: indptr[1]], indptr[:2]
        self.stamps = Stamps(values, indptr, ids)

    @cached_property
    def days(self) -> Stamps:
        """Days since 1970-01-01, int32, on the wall clock."""
        return self.stamps.with_values(local_days(self.stamps.values, self.zone))

    @property
    def gaps(self) -> int:
        """Number of gaps inside of series."""
        return len(self.stamps.values) - int(np.count_nonzero(np.diff(self.stamps.indptr)))

    def span(self) -> tuple[int, int]:
        """First and last day that has a row."""
        ends = np.array([self.stamps.values.min(), self.stamps.values.max()])
        first, last = (to_wall(ends, self.zone) // DAY_US).tolist()
        return first, last

    def rows_by_day(self, first: int, last: int) -> NDArray[np.int64]:
        """Number of rows of all series on each day (D,) from `first` to `last`."""
        indptr = self.stamps.indptr
        if (len(indptr) - 1) * (last - first) > len(self.stamps.values) // _ROWS_A_SEARCH:
            return _count_days(self.days.values, first, last)
        midnights = np.arange(first, last + 2) * DAY_US  # (D + 1,)
        if self.zone is not None:
            midnights = to_utc(midnights.view("datetime64[us]"), self.zone)[0].view(np.int64)
        rows = np.zeros(last - first + 1, dtype=np.int64)
        for start, end in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True):
            rows += np.diff(np.searchsorted(self.stamps.values[start:end], midnights))
        return rows


def are_copies(values: NDArray[np.int64], indptr: NDArray[np.int64]) -> bool:
    """Whether all series have the stamps of the first."""
    series, rows = len(indptr) - 1, int(indptr[1])
    if series < 2 or rows == 0 or np.any(np.diff(indptr) != rows):
        return False
    first, many = values[:rows], max(PIECE // rows, 1)
    copies = values.reshape(series, rows)
    return all(np.array_equal(copies[start], first) and bool(np.all(copies[start : start + many] == first))
               for start in range(0, series, many))  # fmt: skip


def _count_days(days: NDArray[np.int32], first: int, last: int) -> NDArray[np.int64]:
    rows = np.zeros(last - first + 1, dtype=np.int64)  # (D,)
    for piece in pieces(len(days)):
        recent = days[piece]
        recent = recent - first if recent.min() >= first else recent[recent >= first] - first
        counts = np.bincount(recent)
        rows[: len(counts)] += counts
    return rows

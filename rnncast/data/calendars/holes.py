"""Holes: open stamps that lie between two neighbouring rows of a series, and have no row.

Dimension letters: `R` rows of all series together, `N` gaps that may be
holes, `D` days.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendar import Calendar
from rnncast.data.calendars.frequency import DAY_US, months_of
from rnncast.data.calendars.sessions import slots_between
from rnncast.data.calendars.timeline import Stamps, are_copies, to_wall

_MOVED_DAYS = 3  # by which a holiday moves a stamp inside of its week


def find_holes(times: NDArray[Any], indptr: NDArray[np.int64], calendar: Calendar) -> NDArray[np.int64]:
    """Rows, as places in `times` (R,), after which an open stamp was passed over before the next row of the series.

    Closed days and slots are no holes: what is asked is whether `Calendar.future` of a row comes before the next row.
    """
    if len(times) < 2 or calendar.irregular:
        return np.empty(0, dtype=np.int64)
    if are_copies(times.view(np.int64), indptr):  # as in most panels of one market
        found = find_holes(times[: indptr[1]], indptr[:2], calendar)
        return np.asarray(np.add.outer(indptr[:-1], found).ravel())
    stamps = Stamps(times.view(np.int64), indptr, None)
    least, days = _least_gap(calendar), _DayTable(stamps.values, calendar)

    def is_hole(gaps: NDArray[np.int64], piece: slice) -> NDArray[np.bool_]:
        found = np.asarray(gaps > least)
        if calendar.is_dated:
            rows = np.flatnonzero(found & stamps.inside[piece])  # (N,)
            ends = stamps.values[piece.start : piece.stop + 1]
            start, end = (to_wall(edges, calendar.zone) for edges in (ends[rows], ends[rows + 1]))
            found[rows] = _is_passed_over(start, end, calendar, days)
        return found

    return np.flatnonzero(stamps.holds(is_hole) & stamps.inside)


class _DayTable:
    """Counts closed days between others by a table over all days of the rows."""

    def __init__(self, stamps: NDArray[np.int64], calendar: Calendar) -> None:
        open_days = calendar.open_days
        self.table: NDArray[np.int32] | None = None
        if calendar.is_dated and not open_days.is_every_day:
            ends = np.array([stamps.min(), stamps.max()]) // DAY_US + (-2, 3)  # a wall clock is less than a day off
            self.first = int(ends[0])
            every = np.arange(ends[0], ends[1])  # (D,)
            closed = ~np.is_busday(every.astype("datetime64[D]"), busdaycal=open_days.over(every))
            self.table = np.concatenate(([0], np.cumsum(closed))).astype(np.int32)  # (D + 1,) closed before each day

    def closed_between(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
        """Closed days (N,) strictly between days (N,)."""
        if self.table is None:
            return np.zeros(len(first), dtype=np.int64)
        after = first + 1
        closed = self.table[np.maximum(after, last) - self.first] - self.table[after - self.first]
        return np.asarray(closed, dtype=np.int64)


def _least_gap(calendar: Calendar) -> int:
    """Gap up to which two rows are neighbours whatever the days are; a clock put back makes an hour more of a day."""
    frequency = calendar.frequency
    if frequency.family in ("step", "clock"):
        return frequency.count
    days = {"week": 7 * frequency.count, "month": 28 * frequency.count}.get(frequency.family, frequency.count)
    return days * DAY_US


def _is_passed_over(
    start: NDArray[np.int64], end: NDArray[np.int64], calendar: Calendar, days: _DayTable
) -> NDArray[np.bool_]:
    """Whether open stamps lie between wall times (N,) that are more than a step apart."""
    frequency = calendar.frequency
    first, last = start // DAY_US, end // DAY_US  # (N,)
    if frequency.family == "month":
        return months_of(last) - months_of(first) > frequency.count
    if frequency.family == "week":
        return last - first > 7 * frequency.count + _MOVED_DAYS
    if calendar.week is not None:
        return slots_between(calendar.week, start, end, calendar.open_days.is_open) > 0
    if frequency.family == "day" and frequency.count > 1:
        return last - first > frequency.count
    closed = days.closed_between(first, last)
    if frequency.family == "clock":  # the time of open days counts
        return end - start - closed * DAY_US > frequency.count
    return last - first - closed > frequency.count

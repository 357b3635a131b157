"""How a panel's stamps are found to be regular: the step they keep, and the days of the week they occur on.

Dimension letters: `R` rows of all series together, `S` series. A gap is the difference between a row's stamp and the
next one's in the same series; `gaps` has R - 1 entries, of which those between two series do not count (`inside`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.frequency import (
    DAY_US,
    EVERY_DAY,
    Frequency,
    business_day_near,
    first_of_month,
    months_of,
    weekday,
)
from rnncast.errors import DataError

REGULAR_SHARE = 0.45
"""Least share of gaps that are exactly one step. Sessions of two bars a day make half of the gaps irregular."""

EDGE_SHARE = 0.9
"""Least share of stamps on the first (last, given) day of their months; vendors append today's date as a last row."""

RECENT_DAYS = (60, 520)
"""Least and most days of a series that the open weekdays are learnt from: the last two years, because exchanges change
theirs; fewer of each where there are many series."""

RECENT_DAYS_IN_ALL = 52_000
"""Days of all series together that the open weekdays are learnt from, as far as the least number allows."""

RARE_SHARE = 0.2
"""A day of the week is closed if it occurs less often than this, relative to the most frequent one."""

_HINT = "if the rows are meant to be one step apart, name the step: --freq D, B, W-FRI, MS, h, 30min ..."


class _Stamps:
    """Stamps as integers of one unit, with their division into series; arrays of gaps are made once."""

    def __init__(self, values: NDArray[np.int64], indptr: NDArray[np.int64], ids: Sequence[str] | None) -> None:
        self.values = values  # (R,)
        self.indptr = indptr  # (S + 1,)
        self.ids = ids

    @cached_property
    def gaps(self) -> NDArray[np.int64]:
        """Differences of neighbours, between series too, (R - 1,)."""
        return self.values[1:] - self.values[:-1]

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Gaps that lie in one series, (R - 1,)."""
        inside = np.ones(len(self.values) - 1, dtype=bool)
        boundaries = self.indptr[1:-1] - 1
        inside[boundaries[(boundaries >= 0) & (boundaries < len(inside))]] = False
        return inside

    @cached_property
    def true_gaps(self) -> NDArray[np.int64]:
        """Gaps that lie in one series, without the others."""
        return self.gaps if len(self.indptr) == 2 else self.gaps[self.inside]

    def with_values(self, values: NDArray[np.int64]) -> _Stamps:
        return _Stamps(values, self.indptr, self.ids)

    def regular_shares(self, regular: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64], NDArray[np.int64]]:
        """Share of regular gaps over all and by series (S,), and the number of gaps by series (S,)."""
        counts = np.maximum(np.diff(self.indptr) - 1, 0)  # (S,)
        if len(counts) == 1:
            by_series = np.array([np.count_nonzero(regular)])  # (S,)
        else:
            total = np.concatenate(([0], np.cumsum(regular & self.inside)))  # (R,)
            ends = np.maximum(self.indptr[1:] - 1, self.indptr[:-1])
            by_series = total[ends] - total[self.indptr[:-1]]  # (S,)
        return by_series.sum() / max(counts.sum(), 1), by_series / np.maximum(counts, 1), counts


def learn_frequency(
    times: NDArray[Any], indptr: NDArray[np.int64], ids: Sequence[str] | None = None
) -> tuple[str, str]:
    """Name of the step and weekday mask; see `rnncast.data.calendar.learn_calendar`."""
    if len(times) - np.count_nonzero(np.diff(indptr)) < 1:
        raise DataError(
            "the step between rows cannot be learnt: no series has two rows",
            hint="give more rows, or name the step: --freq D, B, W-FRI, MS, h, 30min ...",
        )
    stamps = _Stamps(times.view(np.int64), np.asarray(indptr, dtype=np.int64), ids)
    if stamps.true_gaps.min() <= 0:
        raise ValueError("stamps are not strictly ascending in each series")
    step = _usual_gap(stamps.true_gaps)
    if times.dtype.kind != "M":
        _check_regular(stamps, stamps.gaps == step, f"steps of {step}", str)
        return str(step), EVERY_DAY
    days = stamps.with_values(stamps.values // DAY_US)
    if step < DAY_US - DAY_US // 8:  # a day of 23 hours is still a day
        _check_regular(stamps, stamps.gaps == step, f"steps of {describe_gap(step)}", describe_gap)
        return Frequency("clock", step).alias, learn_weekmask(days)
    return _learn_days(days, (step + DAY_US // 2) // DAY_US)


def _usual_gap(gaps: NDArray[np.int64]) -> int:
    """Median gap, or a shorter one about as common: a session of two bars a day has as many nights as steps."""
    median = _lower_median(gaps)
    shorter = gaps[gaps < median]
    if len(shorter) < REGULAR_SHARE * len(gaps):
        return median
    candidate = _lower_median(shorter)
    return candidate if np.count_nonzero(gaps == candidate) >= REGULAR_SHARE * len(gaps) else median


def _lower_median(gaps: NDArray[np.int64]) -> int:
    """Middle gap; it is the most common one if any makes up more than half, and is found without sorting."""
    middle = (len(gaps) - 1) // 2
    if 2 * np.count_nonzero(gaps == gaps[middle]) > len(gaps):  # more than half are equal: that is the median
        return int(gaps[middle])
    return int(np.partition(gaps, middle)[middle])


def _learn_days(days: _Stamps, step: int) -> tuple[str, str]:
    """Name and weekday mask for stamps that are usually `step` days apart."""
    gaps = days.gaps
    if step >= 28 and (frequency := _learn_months(days)) is not None:
        return frequency.alias, EVERY_DAY
    if step >= 7 and step % 7 == 0:
        return _learn_weeks(days, step // 7).alias, EVERY_DAY
    if step > 1 and np.mean(days.true_gaps % step == 0) >= 0.95:
        _check_regular(days, gaps == step, f"steps of {step} days", _describe_days)
        return Frequency("day", step).alias, EVERY_DAY
    weekmask = learn_weekmask(days)
    to_next_open = _days_to_next_open(weekmask)  # (7,)
    expected = "steps of one day" if weekmask == EVERY_DAY else "steps of one business day"
    regular = gaps == to_next_open[weekday(days.values[:-1])] if weekmask != EVERY_DAY else gaps == 1
    _check_regular(days, regular, expected, _describe_days)
    return ("D" if weekmask == EVERY_DAY else "B"), weekmask


def _learn_weeks(days: _Stamps, count: int) -> Frequency:
    """Weeks, anchored to their most common day; series with different days keep a step of seven days instead."""
    frequent = np.bincount(weekday(days.values), minlength=7)
    anchor = int(frequent.argmax())
    if frequent[anchor] < 0.6 * frequent.sum():
        _check_regular(days, days.gaps == 7 * count, f"steps of {7 * count} days", _describe_days)
        return Frequency("day", 7 * count)
    weeks = days.with_values((days.values - anchor + 6) // 7)  # a stamp moved by a holiday stays in its week
    _check_regular(weeks, weeks.gaps == count, f"steps of {count} weeks", lambda gap: f"{gap} weeks")
    return Frequency("week", count, anchor)


def _learn_months(days: _Stamps) -> Frequency | None:
    """Months, quarters or years on the same day; None if the stamps have no day of the month in common."""
    months = days.with_values(months_of(days.values))
    step = _lower_median(months.true_gaps)
    rule = _month_rule(days.values, months.values)
    if step < 1 or rule is None:
        return None
    _check_regular(months, months.gaps == step, f"steps of {step} months", lambda gap: f"{gap} months")
    frequency = Frequency("month", step, 0, rule)
    period = frequency.period
    phases = np.bincount(months.values % period, minlength=period)
    anchor = int(phases.argmax())
    if phases[anchor] < EDGE_SHARE * phases.sum():  # series of different fiscal years: each goes on from its own month
        return Frequency("month", step, 0, {"S": "1", "E": "31"}[rule]) if rule in "SE" else None
    return Frequency("month", step, anchor, rule)


def _month_rule(days: NDArray[np.int64], months: NDArray[np.int64]) -> str | None:
    first, last = first_of_month(months), first_of_month(months + 1) - 1  # (R,)
    if np.mean(days == first) >= EDGE_SHARE:
        return "S"
    if np.mean(days == last) >= EDGE_SHARE:
        return "E"
    day = int(np.partition(days - first, len(days) // 2)[len(days) // 2])
    if np.mean(days == np.minimum(first + day, last)) >= EDGE_SHARE:
        return str(day + 1)
    for rule, edge in (("BS", business_day_near(first, "forward")), ("BE", business_day_near(last, "backward"))):
        # Holidays move some of them by up to four days (Easter), never across the edge.
        distance = days - edge if rule == "BS" else edge - days
        if np.mean((distance >= 0) & (distance <= 4)) >= EDGE_SHARE and np.mean(distance == 0) >= 0.6:
            return rule
    return None


def learn_weekmask(days: _Stamps) -> str:
    """Days of the week that occur in the recent rows, Monday first.

    A day of the week that is rare in every series, and was passed over, is closed. Nothing is known about a day that no
    pair of neighbouring rows passes over: it counts as open.
    """
    changed = np.concatenate((days.gaps != 0, [True])) | np.concatenate((~days.inside, [True]))  # (R,)
    kept = np.flatnonzero(changed)  # last row of each day of each series
    ends = np.searchsorted(kept, days.indptr[1:])  # (S,)
    starts = np.searchsorted(kept, days.indptr[:-1])  # (S,)
    most = int(np.clip(RECENT_DAYS_IN_ALL // len(ends), *RECENT_DAYS))
    starts = np.maximum(starts, ends - most)
    recent = _ranges(starts, ends)
    owner = np.repeat(np.arange(len(ends)), ends - starts)
    day = days.values[kept[recent]]  # (recent rows,)
    shape = (len(ends), 7)
    present = np.bincount(owner * 7 + weekday(day), minlength=len(ends) * 7).reshape(shape)  # (S, 7)
    opened = (present > 0) & (present >= RARE_SHARE * present.max(axis=1, keepdims=True))  # (S, 7)
    same = owner[1:] == owner[:-1]
    passed = _weekdays_between(day[:-1][same], day[1:][same])  # (7,)
    mask = opened.any(axis=0) | ~passed
    return "".join("1" if is_open else "0" for is_open in mask)


def _weekdays_between(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which days of the week (7,) lie strictly between neighbouring stamps at most a week apart."""
    near = end - start <= 7
    start, end = start[near], end[near]
    counts = [((end - 1 - offset) // 7 > (start - offset) // 7).any() for offset in range(-3, 4)]
    return np.array(counts, dtype=bool)


def _ranges(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All integers of the ranges start to end, one after the other."""
    lengths = ends - starts
    offsets = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
    return np.arange(lengths.sum()) + offsets


def _days_to_next_open(weekmask: str) -> NDArray[np.int64]:
    """Days from each day of the week to the next open one, shape (7,)."""
    doubled = weekmask * 2
    return np.array([doubled.index("1", day + 1) - day for day in range(7)])


def _check_regular(stamps: _Stamps, regular: NDArray[np.bool_], expected: str, describe: Any) -> None:
    """DataError with the figures unless enough gaps (R - 1,) are regular, over all and in every longer series."""
    share, shares, counts = stamps.regular_shares(regular)
    gaps = stamps.true_gaps
    if share < REGULAR_SHARE:
        raise DataError(
            f"the rows have no regular step: only {share:.0%} of {len(gaps):,} gaps between rows are {expected}; "
            f"the shortest is {describe(int(gaps.min()))}, the longest {describe(int(gaps.max()))}",
            hint=_HINT,
        )
    astray = np.flatnonzero((shares < REGULAR_SHARE) & (counts >= 3))
    if len(astray):
        first = int(astray[0])
        name = repr(stamps.ids[first]) if stamps.ids is not None else f"number {first + 1}"
        further = f"; {len(astray) - 1:,} further series differ" if len(astray) > 1 else ""
        raise DataError(
            f"the series do not share one step: in series {name} only {shares[first]:.0%} of {counts[first]:,} gaps "
            f"are {expected}, as in most rows{further}",
            hint="put series of different steps into different files, or name one step for all: --freq D, B, MS, h ...",
        )


def describe_gap(microseconds: int) -> str:
    """A span of time in its largest whole unit."""
    if microseconds % DAY_US == 0:
        return _describe_days(microseconds // DAY_US)
    return Frequency("clock", microseconds).alias


def _describe_days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"

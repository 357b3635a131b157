"""How a panel's stamps are found to be regular: the step they keep, and the days of the week they occur on.

Dimension letters: `R` rows of all series together, `S` series. Gaps are those of `rnncast.data.calendars.timeline`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import (
    CLOCK_US,
    DAY_US,
    EVERY_DAY,
    Frequency,
    business_day_near,
    first_of_month,
    months_of,
    parse_frequency,
    weekday,
)
from rnncast.data.calendars.timeline import Integers, Predicate, Stamps, Timeline
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

_SHORTEST_DAY = DAY_US - DAY_US // 8  # a day of 23 hours is still a day
_HINT = (
    "if the rows are meant to be one step apart, name the step: --freq D, B, W-FRI, MS, h, 30min ...; "
    "to go on in steps of the median gap: --irregular"
)


def learn_frequency(line: Timeline) -> tuple[str, str | None]:
    """Name of the step, and weekday mask where it was needed to find the step; see `rnncast.data.calendar`."""
    if line.gaps < 1:
        raise DataError(
            "the step between rows cannot be learnt: no series has two rows",
            hint="give more rows, or name the step: --freq D, B, W-FRI, MS, h, 30min ...",
        )
    stamps = line.stamps
    if not stamps.is_ascending():
        raise ValueError("stamps are not strictly ascending in each series")
    step = _usual_gap(stamps.sample)
    if not line.is_dated:
        _check_regular(stamps, stamps.holds(lambda gaps, _: gaps == step), f"steps of {step}", str)
        return str(step), None
    if step < _SHORTEST_DAY:
        regular = stamps.holds(lambda gaps, _: gaps == step)
        _check_regular(stamps, regular, f"steps of {describe_gap(step)}", describe_gap)
        return Frequency("clock", step).alias, None
    return _learn_days(line.days, (step + DAY_US // 2) // DAY_US)


def median_frequency(line: Timeline) -> str:
    """Name of the median gap, for rows that keep no step: whole days for dates, else to three digits."""
    if line.gaps < 1:
        return "1" if not line.is_dated else "D"
    if not line.is_dated:
        return str(_lower_median(line.stamps.sample))
    gap = _lower_median(line.stamps.sample)
    if gap % DAY_US == 0:
        return Frequency("day", gap // DAY_US).alias
    unit = max(unit for unit in CLOCK_US.values() if unit == 1 or 100 * unit <= gap)  # an estimate has few digits
    rounded = (gap + unit // 2) // unit * unit
    return parse_frequency(f"{rounded}us").alias


def usual_gap(stamps: Stamps) -> int:
    """Gap that most rows keep; 0 without any gap."""
    return _usual_gap(stamps.sample) if len(stamps.sample) else 0


def _usual_gap(gaps: Integers) -> int:
    """Median gap, or a shorter one about as common: a session of two bars a day has as many nights as steps."""
    median = _lower_median(gaps)
    shorter = gaps[gaps < median]
    if len(shorter) < REGULAR_SHARE * len(gaps):
        return median
    candidate = _lower_median(shorter)
    return candidate if np.count_nonzero(gaps == candidate) >= REGULAR_SHARE * len(gaps) else median


def _lower_median(gaps: Integers) -> int:
    """Middle gap; it is the most common one if any makes up more than half, and is found without sorting."""
    middle = (len(gaps) - 1) // 2
    if 2 * np.count_nonzero(gaps == gaps[middle]) > len(gaps):  # more than half are equal: that is the median
        return int(gaps[middle])
    return int(np.partition(gaps, middle)[middle])


def _learn_days(days: Stamps, step: int) -> tuple[str, str | None]:
    """Name and weekday mask for stamps that are usually `step` days apart."""
    if step >= 28 and (frequency := _learn_months(days)) is not None:
        return frequency.alias, None
    if step >= 7 and step % 7 == 0:
        return _learn_weeks(days, step // 7).alias, None
    if step > 1 and np.mean(days.sample % step == 0) >= 0.95:
        _check_regular(days, days.holds(lambda gaps, _: gaps == step), f"steps of {step} days", _describe_days)
        return Frequency("day", step).alias, None
    weekmask = learn_weekmask(days)
    expected = "steps of one day" if weekmask == EVERY_DAY else "steps of one business day"
    _check_regular(days, days.holds(_to_next_open(weekmask, days.values)), expected, _describe_days)
    return ("D" if weekmask == EVERY_DAY else "B"), weekmask


def _to_next_open(weekmask: str, days: Integers) -> Predicate:
    """Predicate: gaps that lead to the next day at all, or to the next open one, from days (R,)."""
    doubled = weekmask * 2
    to_next = np.array([doubled.index("1", day + 1) - day for day in range(7)])  # (7,)

    def holds(gaps: Integers, rows: slice) -> NDArray[np.bool_]:
        regular = np.asarray(gaps == 1)
        if weekmask != EVERY_DAY:
            longer = np.flatnonzero(~regular)
            regular[longer] = gaps[longer] == to_next[weekday(days[rows][longer])]
        return regular

    return holds


def _learn_weeks(days: Stamps, count: int) -> Frequency:
    """Weeks, anchored to their most common day; series with different days keep a step of seven days instead."""
    frequent = np.bincount(weekday(days.values), minlength=7)
    anchor = int(frequent.argmax())
    if frequent[anchor] < 0.6 * frequent.sum():
        regular = days.holds(lambda gaps, _: gaps == 7 * count)
        _check_regular(days, regular, f"steps of {7 * count} days", _describe_days)
        return Frequency("day", 7 * count)
    weeks = days.with_values((days.values - anchor + 6) // 7)  # a stamp moved by a holiday stays in its week
    regular = weeks.holds(lambda gaps, _: gaps == count)
    _check_regular(weeks, regular, f"steps of {count} weeks", lambda gap: f"{gap} weeks")
    return Frequency("week", count, anchor)


def _learn_months(days: Stamps) -> Frequency | None:
    """Months, quarters or years on the same day; None if the stamps have no day of the month in common."""
    months = days.with_values(months_of(days.values))
    step = _lower_median(months.sample)
    rule = _month_rule(days.values, months.values)
    if step < 1 or rule is None:
        return None
    regular = months.holds(lambda gaps, _: gaps == step)
    _check_regular(months, regular, f"steps of {step} months", lambda gap: f"{gap} months")
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


def learn_weekmask(days: Stamps) -> str:
    """Days of the week that occur in the recent rows, Monday first.

    A day of the week that is rare in every series, and was passed over, is closed. Nothing is known about a day that no
    pair of neighbouring rows passes over: it counts as open.
    """
    starts, ends = days.indptr[:-1], days.indptr[1:]  # (S,)
    most = int(np.clip(RECENT_DAYS_IN_ALL // max(len(ends), 1), *RECENT_DAYS))
    starts = np.maximum(starts, ends - most)
    owner = np.repeat(np.arange(len(ends)), ends - starts)
    day = days.values[_ranges(starts, ends)]  # (recent rows,)
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


def _check_regular(stamps: Stamps, regular: NDArray[np.bool_], expected: str, describe: Any) -> None:
    """DataError with the figures unless enough gaps (R - 1,) are regular, over all and in every longer series."""
    share, shares, counts = stamps.regular_shares(regular)
    if share < REGULAR_SHARE:
        gaps = stamps.true_gaps
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

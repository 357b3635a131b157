"""Frequencies: the names of regular steps between rows, and the arithmetic that goes with them.

The names are those of pandas' offset aliases where pandas has one, understood here without pandas:

==========================  ==========================================================================
``1``, ``5``                integer steps
``s``, ``30min``, ``4h``    fixed steps of the clock (``us``, ``ms``, ``s``, ``min``, ``h``)
``D``, ``2D``, ``B``        days; open days of a weekday mask (Monday to Friday unless learnt otherwise)
``W-FRI``, ``2W-SUN``       weeks
``MS``, ``QS-JAN``, ``YS``  first day of months, quarters, years (``BMS``: first business day)
``ME``, ``QE-DEC``, ``YE``  last day of months, quarters, years (``BME``: last business day)
``M-15``, ``3M-15``         months, on a day of the month (short months: their last day); pandas has no name for it
==========================  ==========================================================================

Stamps are handled as int64 microseconds, days and months since 1970-01-01. Shapes: `...` any, `K` horizon steps.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.records import dataclass

CLOCK_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
DAY_US = 86_400_000_000
WEEK_US = 7 * DAY_US
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WORKING_WEEK = "1111100"
EVERY_DAY = "1111111"
_LONGEST = 3_652_500 * DAY_US  # ten thousand years; more than that is no stamp

_FORMER_NAMES = {
    "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "M": "ME", "BM": "BME",
    "Q": "QE", "BQ": "BQE", "A": "YE", "Y": "YE", "AS": "YS", "BA": "BYE", "BAS": "BYS",
}  # fmt: skip
_ALIAS = re.compile(r"(?P<count>[0-9]*)(?P<unit>[A-Za-z]*)(?:-(?P<anchor>[A-Za-z]{3}|[0-9]{1,2}))?")
_MONTH_UNIT = re.compile(r"(?P<business>B?)(?P<unit>[MQY])(?P<edge>[SE])")
_MONTHS_IN = {"M": 1, "Q": 3, "Y": 12}
_WORKING_DAYS = np.busdaycalendar(WORKING_WEEK)
_FAR_PAST = np.datetime64("0001-01-01")  # open days are counted from here, so that counts are never negative


@dataclass(frozen=True)
class Frequency:
    """A regular step, taken apart.

    Attributes
    ----------
    family
        ``step`` (integers), ``clock``, ``day``, ``business``, ``week`` or ``month``.
    count
        Length of a step in the family's unit: integers, microseconds, days, open days, weeks, months.
    anchor
        Weeks: the weekday, Monday 0. Months: the month (0 to 11) that a quarter or year starts or ends in.
    rule
        Months only: ``S`` first day, ``E`` last day, ``BS``/``BE`` the same on business days, or a day of the month.
    """

    family: str
    count: int
    anchor: int = 0
    rule: str = ""

    @property
    def period(self) -> int:
        """Months whose boundary the stamps keep: 12, 3 or 1."""
        if self.rule.isdigit():
            return 1
        return 12 if self.count % 12 == 0 else 3 if self.count % 3 == 0 else 1

    @property
    def alias(self) -> str:
        """Canonical name."""
        if self.family == "step":
            return str(self.count)
        if self.family == "clock":
            unit = next(u for u in ("h", "min", "s", "ms", "us") if self.count % CLOCK_US[u] == 0)
            return _counted(self.count // CLOCK_US[unit], unit)
        if self.family == "week":
            return _counted(self.count, f"W-{WEEKDAYS[self.anchor]}")
        if self.family == "month":
            return self._month_alias()
        return _counted(self.count, "D" if self.family == "day" else "B")

    def _month_alias(self) -> str:
        if self.rule.isdigit():
            return _counted(self.count, f"M-{self.rule}")
        business, edge = self.rule[:-1], self.rule[-1]
        unit = {1: "M", 3: "Q", 12: "Y"}[self.period]
        # A quarter's anchor stands for three others as well: the first months of the year name starts, the last ends.
        month = self.anchor % 3 + (9 if edge == "E" else 0) if unit == "Q" else self.anchor
        suffix = "" if unit == "M" else f"-{MONTHS[month]}"
        return _counted(self.count // self.period, f"{business}{unit}{edge}{suffix}")


def _counted(count: int, name: str) -> str:
    return name if count == 1 else f"{count}{name}"


@lru_cache(maxsize=256)
def parse_frequency(alias: str) -> Frequency:
    """Take a name apart; ValueError if it is none."""
    match = _ALIAS.fullmatch(alias.strip())
    if match is None:
        raise ValueError(alias)
    count = int(match["count"] or 1)
    unit, anchor = match["unit"], (match["anchor"] or "").upper()
    shortest = CLOCK_US.get(_FORMER_NAMES.get(unit, unit), DAY_US if unit else 1)
    if not 1 <= count * shortest <= _LONGEST or not match["count"] + unit:
        raise ValueError(alias)
    if unit == "M" and anchor.isdigit():
        if not 1 <= int(anchor) <= 31:
            raise ValueError(alias)
        return Frequency("month", count, rule=str(int(anchor)))
    unit = _FORMER_NAMES.get(unit, unit)
    if (month := _MONTH_UNIT.fullmatch(unit)) is not None:
        return _month_frequency(count, month, anchor, alias)
    if unit == "W" and (anchor or "SUN") in WEEKDAYS:
        return Frequency("week", count, WEEKDAYS.index(anchor or "SUN"))
    if anchor:
        raise ValueError(alias)
    if unit in CLOCK_US:
        return _clock_frequency(count * CLOCK_US[unit])
    families = {"": "step", "D": "day", "d": "day", "B": "business", "b": "business"}
    if unit not in families:
        raise ValueError(alias)
    return Frequency(families[unit], count)


def _clock_frequency(microseconds: int) -> Frequency:
    if microseconds % DAY_US == 0:  # "24h" is a day
        return Frequency("day", microseconds // DAY_US)
    return Frequency("clock", microseconds)


def _month_frequency(count: int, unit: re.Match[str], anchor: str, alias: str) -> Frequency:
    months = _MONTHS_IN[unit["unit"]]
    default = "JAN" if unit["edge"] == "S" else "DEC"
    if (anchor and months == 1) or (anchor or default) not in MONTHS:
        raise ValueError(alias)
    rule = unit["business"] + unit["edge"]
    if months == 1 and count % 3 == 0:  # "3MS" names no month to begin with: it goes on from the last row's
        if unit["business"]:
            raise ValueError(alias)
        return Frequency("month", count, rule="1" if rule == "S" else "31")
    frequency = Frequency("month", count * months, 0, rule)
    month = MONTHS.index(anchor or default)
    return Frequency("month", count * months, month % frequency.period, rule)


def weekday(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Day of the week, Monday 0, of days since 1970-01-01 (a Thursday)."""
    shifted = days + 3
    return shifted - 7 * (shifted // 7)  # NumPy divides by a constant faster than it takes a remainder


def months_of(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Months since 1970-01 of days since 1970-01-01."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_of_month(months: NDArray[np.int64]) -> NDArray[np.int64]:
    """First day, in days since 1970-01-01, of months since 1970-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def advance_days(
    frequency: Frequency, days: NDArray[np.int64], steps: NDArray[np.int64], open_days: np.busdaycalendar
) -> NDArray[np.int64]:
    """Days (..., K) that lie `steps` (K,) steps after `days` (...), for the families of days, weeks and months.

    Weeks, months and steps of several days keep to their day, open or not: their stamps name a period.
    """
    start = days[..., None]  # (..., 1)
    offset = frequency.count * steps  # (K,)
    if frequency.family == "day":
        return start + offset
    if frequency.family == "week":
        # A stamp moved by a holiday belongs to the anchor nearest to it.
        nearest = start + (frequency.anchor - weekday(start) + 3) % 7 - 3
        return nearest + 7 * offset
    if frequency.family == "business":
        dates = np.busday_offset(start.astype("datetime64[D]"), offset, roll="backward", busdaycal=open_days)
        return np.asarray(dates).astype(np.int64)
    return _advance_months(frequency, start, offset, open_days)


def _advance_months(
    frequency: Frequency, start: NDArray[np.int64], offset: NDArray[np.int64], open_days: np.busdaycalendar
) -> NDArray[np.int64]:
    months = months_of(start)  # (..., 1)
    if frequency.rule.endswith("S"):
        months = months - (months - frequency.anchor) % frequency.period
    elif frequency.rule.endswith("E"):
        months = months + (frequency.anchor - months) % frequency.period
    months = months + offset  # (..., K)
    first, last = first_of_month(months), first_of_month(months + 1) - 1
    if frequency.rule.isdigit():
        return np.minimum(first + int(frequency.rule) - 1, last)
    if frequency.rule == "S":
        return first
    if frequency.rule == "E":
        return last
    edge, roll = (first, "forward") if frequency.rule == "BS" else (last, "backward")
    return business_day_near(edge, roll, open_days)


def business_day_near(
    days: NDArray[np.int64], roll: Any, open_days: np.busdaycalendar = _WORKING_DAYS
) -> NDArray[np.int64]:
    """Working day, Monday to Friday unless others are named, at `days` or the next one in the direction `roll`."""
    dates = np.busday_offset(days.astype("datetime64[D]"), 0, roll=roll, busdaycal=open_days)
    return np.asarray(dates).astype(np.int64)


def advance_clock(
    step: int, stamps: NDArray[np.int64], steps: NDArray[np.int64], open_days: np.busdaycalendar
) -> NDArray[np.int64]:
    """Microseconds (..., K) that lie `steps` (K,) steps of `step` microseconds of open days after `stamps` (...)."""
    start = stamps[..., None]  # (..., 1)
    days, clock = start // DAY_US, start % DAY_US  # (..., 1)
    dates = days.astype("datetime64[D]")
    opened = np.busday_count(_FAR_PAST, dates, busdaycal=open_days)  # open days before this one
    # On a closed day, one step back from the first stamp of the next open day.
    clock = np.where(np.is_busday(dates, busdaycal=open_days), clock, clock % step - step)
    position = opened * DAY_US + clock + step * steps  # (..., K), in microseconds of open days
    dates = np.busday_offset(_FAR_PAST, position // DAY_US, roll="forward", busdaycal=open_days)
    return np.asarray(dates).astype(np.int64) * DAY_US + position % DAY_US

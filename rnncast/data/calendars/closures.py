"""Usual closures: days of the year on which a market is closed by a rule, and their dates.

==============  ========================================================================
``12-25``       a date
``07-04~``      a date; on a Saturday the Friday before, on a Sunday the Monday after
``01-01+``      a date; on a Sunday the Monday after
``12-26++``     a date; on a Saturday or Sunday the Monday after
``11-THU-4``    the fourth Thursday of a month
``05-MON-L``    the last Monday of a month
``easter-2``    days before or after Easter Sunday: Good Friday
==============  ========================================================================

Dimension letters: `C` rules, `Y` years.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import WEEKDAYS, weekday
from rnncast.data.calendars.timeline import Integers

MOST_RULES = 100
"""Closures of a year that a model file may hold."""

NO_DATE = -(10**9)
"""Day that stands for a date which a year does not have (29 February)."""

MOVES = {"": (0, 0), "~": (-1, 1), "+": (0, 1), "++": (2, 1)}
"""Days to move a date by if it falls on a Saturday, and on a Sunday, by the mark behind the date."""

_RULE = re.compile(
    r"(?P<month>0[1-9]|1[0-2])-(?:(?P<day>0[1-9]|[12][0-9]|3[01])(?P<move>~|\+{0,2})|"
    rf"(?P<name>{'|'.join(WEEKDAYS)})-(?P<nth>[1-4L]))|easter(?P<offset>[+-][0-9]{{1,2}})"
)
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_rule(rule: str) -> None:
    """ValueError unless `rule` is of one of the forms above."""
    match = _RULE.fullmatch(rule)
    if match is None or (match["day"] and int(match["day"]) > _MONTH_LENGTHS[int(match["month"]) - 1]):
        raise ValueError(f"closure {rule!r}: expected a rule such as 12-25, 07-04~, 11-THU-4, 05-MON-L or easter-2")


class Rule(NamedTuple):
    """A rule, taken apart."""

    kind: str  # "date", "nth" or "easter"
    month: int = 1
    number: int = 0  # day of the month; number of the week, 0 for the last; days after Easter Sunday
    name: int = 0  # day of the week
    moves: tuple[int, int] = (0, 0)


@lru_cache(maxsize=4096)
def parse_rule(rule: str) -> Rule:
    """Take a rule apart; ValueError if it is none."""
    match = _RULE.fullmatch(rule)
    if match is None:
        raise ValueError(rule)
    if match["offset"]:
        return Rule("easter", number=int(match["offset"]))
    if match["name"]:
        number = 0 if match["nth"] == "L" else int(match["nth"])
        return Rule("nth", int(match["month"]), number, WEEKDAYS.index(match["name"]))
    return Rule("date", int(match["month"]), int(match["day"]), moves=MOVES[match["move"]])


def rule_days(rules: Sequence[str], years: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days (C, Y) since 1970-01-01 on which rules fall in years (Y,); `NO_DATE` where they do not."""
    parsed = [parse_rule(rule) for rule in rules]
    days = np.empty((len(rules), len(years)), dtype=np.int64)
    for kind, days_of in {"date": _dates, "nth": _nth_weekdays, "easter": _around_easter}.items():
        places = [place for place, rule in enumerate(parsed) if rule.kind == kind]
        if places:
            chosen = [parsed[place] for place in places]
            month, number, name = np.array([rule[1:4] for rule in chosen]).T[:, :, None]  # (3, C, 1)
            moves = np.array([rule.moves for rule in chosen])[:, :, None]  # (C, 2, 1)
            days[places] = days_of(month, number, name, moves, years)
    return days


def _dates(month: Integers, day: Integers, _: Integers, moves: Integers, years: Integers) -> Integers:
    days = _first_days(years, month) + day - 1  # (C, Y)
    name = weekday(days)
    moved = days + moves[:, 0] * (name == 5) + moves[:, 1] * (name == 6)
    return np.where(days < _first_days(years, month + 1), moved, NO_DATE)


def _nth_weekdays(month: Integers, nth: Integers, name: Integers, _: Integers, years: Integers) -> Integers:
    first, last = _first_days(years, month), _first_days(years, month + 1) - 1  # (C, Y)
    counted = first + (name - weekday(first)) % 7 + 7 * (nth - 1)
    return np.where(nth > 0, counted, last - (weekday(last) - name) % 7)


def _around_easter(_: Integers, offset: Integers, __: Integers, ___: Integers, years: Integers) -> Integers:
    return easter(years) + offset


def _first_days(years: Integers, month: Integers | int) -> Integers:
    months = (years - 1970) * 12 + month - 1
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def easter(years: NDArray[np.int64]) -> NDArray[np.int64]:
    """Easter Sunday of years (Y,), in days since 1970-01-01, by the anonymous Gregorian algorithm (Meeus, 1991)."""
    a, (b, c) = years % 19, np.divmod(years, 100)
    (d, e), f = np.divmod(b, 4), (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = np.divmod(c, 4)
    weekday_shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday_shift) // 451
    march = h + weekday_shift - 7 * m + 22  # day of March, beyond 31 of April
    return np.asarray(_first_days(years, 3) + march - 1)


@lru_cache(maxsize=256)
def easter_of(year: int) -> int:
    """Easter Sunday of a year, in days since 1970-01-01."""
    return int(easter(np.array([year]))[0])


@lru_cache(maxsize=64)
def closure_days(rules: tuple[str, ...], first: int, last: int) -> NDArray[Any]:
    """Dates datetime64[D], ascending and some perhaps twice, of all rules in the years `first` to `last`."""
    if not rules:
        return np.empty(0, dtype="datetime64[D]")
    years = np.arange(first, last + 1)  # (Y,)
    days = np.sort(rule_days(rules, years).ravel())
    return np.asarray(days[days != NO_DATE].astype("datetime64[D]"))


def check_rules(rules: Sequence[object]) -> None:
    """ValueError unless all are rules, and not too many."""
    if len(rules) > MOST_RULES:
        raise ValueError(f"{len(rules)} closures, expected at most {MOST_RULES}")
    for rule in rules:
        if not isinstance(rule, str):
            raise ValueError(f"closure {rule!r} is no text")
        check_rule(rule)

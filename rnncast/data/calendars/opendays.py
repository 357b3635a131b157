"""Open days: days of the week, less usual closures, less the holidays that the user named.

Dimension letters: `D` days; `...` any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.closures import closure_days
from rnncast.data.calendars.frequency import EVERY_DAY
from rnncast.records import dataclass

MOST_HOLIDAYS = 100_000
"""Dates that a calendar may hold."""

_YEARS = (1, 9999)  # years whose closures are looked up
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class OpenDays:
    """What closes a day; the attributes are those of `rnncast.data.calendar.Calendar`."""

    weekmask: str
    closures: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()

    @property
    def is_every_day(self) -> bool:
        """Whether no day is ever closed."""
        return self.weekmask == EVERY_DAY and not self.closures and not self.holidays

    def over(self, days: NDArray[np.int64], ahead: int = 0) -> np.busdaycalendar:
        """Calendar for NumPy's business days that holds from days (...) since 1970-01-01 to `ahead` days later."""
        return _busdays(self, *_years_of(days, ahead))

    def is_open(self, days: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether days (D,) since 1970-01-01 are neither closures nor holidays, whatever day of the week they are."""
        if not self.closures and not self.holidays:
            return np.ones(len(days), dtype=bool)
        every = OpenDays(EVERY_DAY, self.closures, self.holidays)
        return np.asarray(np.is_busday(days.astype("datetime64[D]"), busdaycal=every.over(days)))


@lru_cache(maxsize=32)
def _busdays(open_days: OpenDays, first: int, last: int) -> np.busdaycalendar:
    holidays = np.array(open_days.holidays, dtype="datetime64[D]")
    closed = np.concatenate((closure_days(open_days.closures, first, last), holidays))
    return np.busdaycalendar(weekmask=open_days.weekmask, holidays=closed)


def _years_of(days: NDArray[np.int64], ahead: int) -> tuple[int, int]:
    """Years to look up; whole decades, so that one look-up serves many calls."""
    ends = np.array([days.min() - 31, days.max() + ahead + 31]) if days.size else np.zeros(2, dtype=np.int64)
    years = np.clip(ends, -719_000, 2_932_000).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    first, last = np.clip(years - years % 10 + (0, 9), *_YEARS).tolist()
    return first, last


def check_holidays(holidays: Sequence[object]) -> None:
    """ValueError unless all are ISO dates, and not too many."""
    if len(holidays) > MOST_HOLIDAYS:
        raise ValueError(f"{len(holidays)} holidays, expected at most {MOST_HOLIDAYS}")
    for date in holidays:
        if not isinstance(date, str) or not _DATE.fullmatch(date):
            raise ValueError(f"holiday {date!r}: expected a date such as 2024-12-25")
    np.array(holidays, dtype="datetime64[D]")  # ValueError for 2024-02-30

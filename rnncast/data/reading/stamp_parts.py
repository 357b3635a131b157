"""Parts of stamps in columns of text, year to fraction of a second, put together to days and times of day.

Shapes: `R` rows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.reading.arrow import text_scalar, to_numpy
from rnncast.data.reading.forms import MONTH_NAMES

_PIVOT = 50  # two digits: 50 is 1950, 49 is 2049; prices of 1960 are met more often than those of 2060
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")


class StampParts:
    """Parts of the cells of a column of text, as integers; 0 where a form has no such part."""

    def __init__(self, extracted: Any, rows: int) -> None:
        self.rows = rows
        self.columns = {extracted.type.field(n).name: extracted.field(n) for n in range(extracted.type.num_fields)}
        if extracted.null_count:
            absent = extracted.is_null()
            import pyarrow.compute as pc

            self.columns = {name: pc.if_else(absent, text_scalar(""), c) for name, c in self.columns.items()}

    def number(self, name: str) -> NDArray[np.int64]:
        """A part as integers (R,)."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if name not in self.columns:
            return np.zeros(self.rows, np.int64)
        filled = pc.replace_substring_regex(self.columns[name], "^$", "0")
        return to_numpy(pc.cast(filled, pa.int64()), "i8")

    def distinct(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """A part as numbers (R,) of its distinct texts."""
        import pyarrow.compute as pc

        if name not in self.columns:
            return np.zeros(self.rows, np.int32), [""]
        encoded = pc.dictionary_encode(self.columns[name])
        return to_numpy(encoded.indices, "i4"), encoded.dictionary.to_pylist() or [""]

    def days(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Days since 1970 (R,), and whether they exist (R,)."""
        year, month, day = self.number("year"), self._month(), self.number("day")
        if "year" in self.columns and self._two_digits():
            year += np.where(year < _PIVOT, 2000, 1900)
        if "week" in self.columns:
            return _week_days(year, self.number("week"), np.maximum(self.number("weekday"), 1))
        if "day" not in self.columns:
            day = np.ones_like(month)
        exists = (month >= 1) & (month <= 12) & (year >= 1)
        months = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")  # (R,)
        exists &= (day >= 1) & (day <= _month_lengths(months))
        return months.astype("datetime64[D]").astype(np.int64) + day - 1, exists

    def _two_digits(self) -> bool:
        import pyarrow.compute as pc

        longest = pc.max(pc.utf8_length(self.columns["year"])).as_py()
        return longest is not None and longest <= 2

    def _month(self) -> NDArray[np.int64]:
        if "quarter" in self.columns:
            return 3 * self.number("quarter") - 2
        if "name" not in self.columns:
            return self.number("month")
        codes, names = self.distinct("name")
        known = [MONTH_NAMES.index(name[:3].lower()) + 1 if name else 0 for name in names]
        return np.array(known, dtype=np.int64)[codes]

    def clock(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Microseconds since midnight (R,), and whether the time exists and is no finer (R,)."""
        if "hour" not in self.columns:
            return np.zeros(self.rows, np.int64), np.ones(self.rows, dtype=bool)
        hour, minute, second = (self.number(name) for name in ("hour", "minute", "second"))
        good = (minute <= 59) & (second <= 59)
        codes, halves = self.distinct("half")
        if any(halves):
            half = np.array([" AP".find(name.upper()) if name else 0 for name in halves])[codes]  # (R,) 1 AM, 2 PM
            good &= np.where(half > 0, (hour >= 1) & (hour <= 12), hour <= 23)
            hour = np.where(half > 0, hour % 12 + np.where(half == 2, 12, 0), hour)
        else:
            good &= hour <= 23
        fraction, exact = self._fraction()
        return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction, good & exact

    def _fraction(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        codes, digits = self.distinct("fraction")
        micro = np.array([int(text.ljust(6, "0")[:6] or 0) for text in digits], dtype=np.int64)
        exact = np.array([not text[6:].strip("0") for text in digits])
        return micro[codes], exact[codes]


def _week_days(
    year: NDArray[np.int64], week: NDArray[np.int64], weekday: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970 (R,) of days of ISO weeks, and whether the week exists; week 1 holds 4 January."""
    first = _first_monday(year)
    exists = (week >= 1) & (first + 7 * (week - 1) < _first_monday(year + 1))
    return first + 7 * (week - 1) + weekday - 1, exists


def _first_monday(year: NDArray[np.int64]) -> NDArray[np.int64]:
    fourth = ((year - 1970) * 12).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + 3
    return fourth - (fourth + 3) % 7


def _month_lengths(months: NDArray[Any]) -> NDArray[np.int64]:
    first, next_first = months.astype("datetime64[D]"), (months + np.timedelta64(1, "M")).astype("datetime64[D]")
    lengths: NDArray[np.int64] = (next_first - first).astype(np.int64)
    return lengths


def east_of_utc(zone: str) -> int | None:
    """Microseconds east of UTC of a zone as cells name it; None for an offset that no place has."""
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return 0
    minutes = 60 * int(match[2]) + int(match[3] or 0)
    if minutes > 15 * 60 or int(match[3] or 0) > 59:
        return None
    return (-minutes if match[1] == "-" else minutes) * 60_000_000

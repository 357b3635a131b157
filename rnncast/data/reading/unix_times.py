"""Integers of a time column: steps, dates written without hyphens, or UNIX times, told apart by their size.

Dimension letter: `R` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US
from rnncast.records import dataclass

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}  # microseconds
_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
STEPS, EXCEL = "step", "excel"
_EXCEL_ZERO = -25_569  # days from 1970 to the last but one of 1899, from which Excel counts
_LAST_EXCEL = 109_574
_COMPACT = ("YYYYMMDD", "YYYYMM", "YYYYMMDDhh", "YYYYMMDDhhmm", "YYYYMMDDhhmmss")
_LARGE = 15_000  # Excel's day of January 1941
_LEAST = -2_208_988_800  # seconds: the year 1900
_MOST = 0.5  # share that must be dates for the others to be bad ones
_FIRST, _LAST = 10**8, 7_258_118_400  # seconds: in 1973, and the end of 2199


@dataclass(frozen=True, eq=False)
class Integers:
    """Integers of a time column, understood.

    Attributes
    ----------
    values : int64 (R,)
        Microseconds since 1970, or the steps as they are.
    is_dated
        Whether they are stamps.
    note
        How they were read, if there is something to say.
    bad : bool (R,) or None
        Those that are no date among dates.
    in_utc
        Whether they are in UTC.
    """

    values: NDArray[np.int64]
    is_dated: bool = False
    note: str | None = None
    bad: NDArray[np.bool_] | None = None
    in_utc: bool = False


def interpret_integers(values: NDArray[np.int64], usable: NDArray[np.bool_] | None, unit: str | None) -> Integers:
    """Integers as stamps, if most of them say that they are.

    Parameters
    ----------
    values : int64 (R,)
        The cells.
    usable : bool (R,) or None
        Which of them count; None for all.
    unit
        Unit that the user named: of UNIX times, `EXCEL` or `STEPS`; or None.

    Raises
    ------
    ValueError
        UNIX times finer than a microsecond; the message completes "column x ...".
    """
    present = values if usable is None else values[usable]
    if len(present) == 0 or unit == STEPS:
        return Integers(values)
    low, high = int(present.min()), int(present.max())
    if unit is None:
        for form in _COMPACT:
            stamps, exist = _compact(values, form)
            if np.mean(exist if usable is None else exist[usable]) > _MOST:
                bad = None if exist.all() else ~exist
                return Integers(stamps, True, f"integers of the time column are read as dates {form}", bad)
        unit = _unit(low, high)
        if unit is None:
            return Integers(values)
    if unit == EXCEL:
        if low < 1 or high > _LAST_EXCEL:
            raise ValueError("has integers that are no days as Excel counts them (1 to 109,574)")
        return Integers((values + _EXCEL_ZERO) * DAY_US, True, "integers of the time column are read as Excel's days")
    note = f"integers of the time column are read as UNIX times in {_NAMES[unit]}"
    if unit == "ns":
        if np.any(present % 1_000):
            raise ValueError("has UNIX times finer than a microsecond")
        return Integers(values // 1_000, True, note, in_utc=True)
    if max(abs(low), abs(high)) > 2**62 // _UNITS[unit]:
        raise ValueError(f"has integers too large for UNIX times in {_NAMES[unit]}")
    return Integers(values * _UNITS[unit], True, note, in_utc=True)


def resemblance(cells: Sequence[str]) -> float:
    """How much integers under a name that says nothing look like stamps: 0 not at all, 1 surely, else 0.5.

    Sure are dates of eight digits that all exist, and shorter ones and UNIX times that go one way.
    """
    texts = [text for text in map(str.strip, cells) if text.isascii() and text.isdecimal() and len(text) <= 19]
    if len(set(texts)) < 2 or len(texts) <= _MOST * len(cells):
        return 0.0
    values = np.array(texts, dtype=np.int64)
    try:
        read = interpret_integers(values, None, None)
    except ValueError:
        return 0.0
    if not read.is_dated:
        return 0.0
    steps = np.diff(values)
    one_way = bool((steps > 0).all() or (steps < 0).all())
    all_good = read.bad is None and len(texts) == len(cells)
    return 1.0 if all_good and (one_way or len(texts[0]) == 8) else 0.5


def are_large(values: NDArray[np.int64]) -> bool:
    """Whether integers begin so high that they may be days as Excel counts them, or dates in a form of their own."""
    return len(values) > 0 and int(values.min()) >= _LARGE


def _unit(low: int, high: int) -> str | None:
    """The unit in which the last of these lies in the years 1973 to 2199 and the first after 1900; no two overlap."""
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        if low >= _LEAST * factor and _FIRST * factor <= high <= _LAST * factor:
            return unit
    return None


def _compact(values: NDArray[np.int64], form: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Microseconds of integers written in a form (R,), and which of them (R,) are dates of 1800 to 2199 that exist."""
    digits = len(form)
    number = values * (100 if form == "YYYYMM" else 1) + (form == "YYYYMM")
    clock = np.zeros_like(number)
    exist = np.ones(len(values), dtype=bool)
    for unit, most in {"ss": (1, 59), "mm": (60, 59), "hh": (3600, 23)}.values() if digits > 8 else ():
        if digits == 12 and unit == 1 or digits == 10 and unit < 3600:
            continue  # the form has none
        number, part = number // 100, number % 100
        clock += part * unit
        exist &= part <= most
    month, day = number // 100 % 100, number % 100
    exist &= (number >= 18_000_101) & (number <= 21_991_231) & (month >= 1) & (month <= 12) & (day >= 1)
    years = np.where(exist, number // 10_000, 1970)
    months: Any = ((years - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    first: NDArray[np.int64] = months.astype("datetime64[D]").astype(np.int64)
    exist &= first + day <= (months + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64)
    return np.where(exist, (first + day - 1) * DAY_US + clock * 1_000_000, 0), exist

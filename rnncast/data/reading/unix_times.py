"""Integers of a time column: steps, dates written without hyphens, or UNIX times, told apart by their size.

Dimension letter: `R` rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}  # microseconds
_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_FIRST, _LAST = 10**8, 7_258_118_400  # seconds: in 1973, and the end of 2199


def interpret_integers(
    values: NDArray[np.int64], usable: NDArray[np.bool_] | None, unit: str | None
) -> tuple[NDArray[np.int64], bool, str | None]:
    """Integers as stamps, if all of them say that they are.

    Parameters
    ----------
    values : int64 (R,)
        The cells.
    usable : bool (R,) or None
        Which of them count; None for all.
    unit
        Unit of UNIX times that the user named, or None.

    Returns
    -------
    values : int64 (R,)
        Microseconds since 1970, or the steps as they are.
    is_dated
        Whether they are stamps.
    note
        How they were read, if there is something to say.

    Raises
    ------
    ValueError
        UNIX times finer than a microsecond; the message completes "column x ...".
    """
    present = values if usable is None else values[usable]
    if len(present) == 0:
        return values, False, None
    low, high = int(present.min()), int(present.max())
    if unit is None:
        for form, factor in (("YYYYMMDD", 1), ("YYYYMM", 100)):
            if (days := _compact_dates(present * factor + (factor > 1), low * factor, high * factor)) is not None:
                stamps = np.zeros(len(values), np.int64)
                stamps[slice(None) if usable is None else usable] = days * DAY_US
                return stamps, True, f"integers of the time column are read as dates {form}"
        unit = _unit(low, high)
        if unit is None:
            return values, False, None
    note = f"integers of the time column are read as UNIX times in {_NAMES[unit]}"
    if unit == "ns":
        if np.any(present % 1_000):
            raise ValueError("has UNIX times finer than a microsecond")
        return values // 1_000, True, note
    if max(abs(low), abs(high)) > 2**62 // _UNITS[unit]:
        raise ValueError(f"has integers too large for UNIX times in {_NAMES[unit]}")
    return values * _UNITS[unit], True, note


def _unit(low: int, high: int) -> str | None:
    """The unit in which all of these lie in the years 1973 to 2199; no two units overlap there."""
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        if low >= _FIRST * factor and high <= _LAST * factor:
            return unit
    return None


def _compact_dates(values: NDArray[np.int64], low: int, high: int) -> NDArray[np.int64] | None:
    """Days of integers YYYYMMDD; None unless all are dates of the years 1800 to 2200."""
    if low < 18_000_100 or high > 22_001_231:
        return None
    month, day = values // 100 % 100, values % 100
    if month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    months: Any = ((values // 10_000 - 1970) * 12 + month - 1).astype("datetime64[M]")
    first: NDArray[np.int64] = months.astype("datetime64[D]").astype(np.int64)
    if np.any(first + day > (months + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64)):
        return None
    return first + day - 1

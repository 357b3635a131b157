"""Stamps: ISO 8601 dates and times, integer steps, and the typed columns of Parquet.

Zones, UNIX times and regional forms are not understood yet, and refused in so many words.

Dimension letter: `R` rows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.arrow import filled_text, is_text, mask_to_numpy, nulls, text_array, text_scalar, to_numpy
from rnncast.data.cells import Cells, some
from rnncast.data.frequency import DAY_US
from rnncast.data.table import MISSING_MARKERS
from rnncast.errors import DataError, UsageError

_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)?)?"
_STAMP = rf"^({_DATE}([ T]{_CLOCK})?|[0-9]{{4}}-(0[1-9]|1[0-2]))$"
_INTEGER = r"^[+-]?[0-9]{1,18}(\.0*)?$"
_ZONE = re.compile(r".*[0-9](Z|z| ?UTC| ?GMT|[+-][0-9]{2}(:?[0-9]{2})?)")
_LEAST_UNIX_TIME = 10**8  # seconds, in 1973
_ZONES = "zones are not supported yet: give the stamps in one zone, without naming it"


def parse_times(column: Any) -> Cells:
    """Read a pyarrow column as stamps, datetime64[us] (R,), or as integer steps, int64 (R,).

    Raises
    ------
    ValueError
        The column as a whole is of no understood form; the message completes "column x ...".
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds, dtype = pa.types, column.type
    if is_text(column):
        return _times_of_text(column)
    missing = nulls(column)
    if kinds.is_timestamp(dtype) or kinds.is_date(dtype):
        if kinds.is_timestamp(dtype) and dtype.tz is not None:
            raise ValueError(f"has the zone {dtype.tz}; {_ZONES}")
        try:
            stamps = pc.cast(column, pa.timestamp("us")).cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise ValueError("has stamps finer than a microsecond, or outside of the years that can be kept") from error
        return Cells(to_numpy(stamps, "i8").view("datetime64[us]"), missing)
    if kinds.is_integer(dtype) or kinds.is_floating(dtype) or kinds.is_decimal(dtype):
        try:
            steps = pc.cast(column, pa.int64())
        except pa.ArrowInvalid as error:
            raise ValueError("holds fractions or NaN, expected dates or integer steps") from error
        return _times_of_integers(to_numpy(steps, "i8"), missing)
    raise ValueError(f"holds {dtype}, expected dates or integer steps")


def _times_of_integers(
    values: NDArray[np.int64], missing: NDArray[np.bool_] | None, bad: NDArray[np.bool_] | None = None
) -> Cells:
    """Integers as steps, unless all of them are dates written without hyphens, or UNIX times."""
    usable = np.ones(len(values), dtype=bool)
    for mask in (missing, bad):
        usable &= True if mask is None else ~mask
    present = values[usable]
    if len(present) == 0:
        return Cells(values, missing, bad)
    if present.min() >= _LEAST_UNIX_TIME:
        raise ValueError("holds large integers that look like UNIX times, which are not understood yet; use ISO dates")
    for form, divisor in (("YYYYMMDD", 1), ("YYYYMM", 100)):
        days = _compact_dates(present if divisor == 1 else present * 100 + 1)
        if days is not None:
            stamps = np.zeros(len(values), dtype="datetime64[us]")
            stamps[usable] = days
            return Cells(stamps, missing, bad, f"integers of the time column are read as dates {form}")
    return Cells(values, missing, bad)


def _compact_dates(values: NDArray[np.int64]) -> NDArray[Any] | None:
    """Dates of integers YYYYMMDD; None unless all are dates of the years 1800 to 2200."""
    if values.min() < 18_000_101 or values.max() > 22_001_231:
        return None
    month, day = values // 100 % 100, values % 100
    if month.min() < 1 or month.max() > 12 or day.min() < 1:
        return None
    months = ((values // 10_000 - 1970) * 12 + month - 1).astype("datetime64[M]")
    if np.any(day > _month_lengths(months)):
        return None
    return np.asarray(months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]"))


def _month_lengths(months: NDArray[Any]) -> NDArray[np.int64]:
    first, next_first = months.astype("datetime64[D]"), (months + np.timedelta64(1, "M")).astype("datetime64[D]")
    lengths: NDArray[np.int64] = (next_first - first).astype(np.int64)
    return lengths


def _times_of_text(column: Any) -> Cells:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not column.null_count:
        try:
            return Cells(to_numpy(pc.cast(column, pa.timestamp("us")), "i8").view("datetime64[us]"))
        except pa.ArrowInvalid:  # some cell is no date in the common form
            pass
    text = filled_text(column)
    missing = mask_to_numpy(pc.is_in(pc.utf8_lower(text), text_array([*MISSING_MARKERS, "nat"])))
    present = np.flatnonzero(~missing)
    first = text[int(present[0])].as_py() if len(present) else ""
    if re.match(_INTEGER, first):
        return _integers_of_text(text, missing)
    return _stamps_of_text(text, missing)


def _integers_of_text(text: Any, missing: NDArray[np.bool_]) -> Cells:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_integer = pc.match_substring_regex(text, _INTEGER)
    plain = pc.replace_substring_regex(pc.replace_substring_regex(text, r"\.0*$", ""), r"^\+", "")
    values = to_numpy(pc.cast(pc.if_else(is_integer, plain, text_scalar("0")), pa.int64()), "i8")
    return _times_of_integers(values, some(missing), some(~missing & ~mask_to_numpy(is_integer)))


def _stamps_of_text(text: Any, missing: NDArray[np.bool_]) -> Cells:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_stamp = pc.match_substring_regex(text, _STAMP)
    plain = pc.replace_substring_regex(text, r"(\.[0-9]{6})0+$", r"\1")
    plain = pc.replace_substring_regex(plain, r"^([0-9]{4}-[0-9]{2})$", r"\1-01")  # a month alone is its first day
    plain = pc.if_else(is_stamp, plain, text_scalar("1970-01-01"))
    year, month, day = (
        to_numpy(pc.cast(pc.utf8_slice_codeunits(plain, start, stop), pa.int64()), "i8")
        for start, stop in ((0, 4), (5, 7), (8, 10))
    )
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")  # (R,)
    exists = day <= _month_lengths(months)  # (R,)
    # The time of day is read on a day that does exist.
    clock = pc.replace_substring_regex(plain, "^.{10}", "1970-01-01")
    of_day = to_numpy(pc.cast(clock, pa.timestamp("us")), "i8")
    stamps = (months.astype("datetime64[D]") + (day - 1)).astype("datetime64[us]") + of_day
    return Cells(stamps, some(missing), some(~missing & ~(mask_to_numpy(is_stamp) & exists)))


def explain_time(cell: str) -> tuple[str, str]:
    """What is wrong with a cell that is no stamp, and how to mend it."""
    plain = cell.strip()
    if re.match(_STAMP, plain):
        return "is a date that does not exist", "correct it"
    if _ZONE.fullmatch(plain) and re.match(_DATE, plain):
        return "names a zone or an offset", _ZONES
    if re.match(_DATE, plain) and re.search(r"\.[0-9]{7,}$", plain):
        return "is finer than a microsecond", "round it"
    hint = "write dates as 2024-01-31, with a time of day as 2024-01-31 15:30, or integer steps"
    return "is not a date in ISO 8601 form", hint


def parse_until(text: str, is_dated: bool) -> np.datetime64 | int:
    """Last stamp, or step, that ``--until`` lets in; a date alone includes its whole day.

    Raises
    ------
    UsageError
        It is neither a date nor an integer.
    DataError
        It is one, and the data have the other.
    """
    plain = text.strip()
    is_integer = re.fullmatch(r"[+-]?[0-9]+", plain) is not None
    is_stamp = re.match(rf"^{_DATE}([ T]{_CLOCK})?$", plain) is not None
    if not is_integer and not is_stamp:
        raise UsageError(f"--until {text!r} is neither a date nor a step", hint="write 2024-01-31, or an integer step")
    if is_integer == is_dated:
        found, given = ("dates", "an integer") if is_dated else ("integer steps", "a date")
        raise DataError(f"--until {text!r} is {given}, and the time column holds {found}")
    if is_integer:
        return int(plain)
    try:
        stamp = np.datetime64(plain.replace(" ", "T"), "us")
    except ValueError:
        raise UsageError(f"--until {text!r} is a date that does not exist", hint="write 2024-01-31") from None
    return stamp + np.timedelta64(DAY_US - 1, "us") if len(plain) == 10 else stamp

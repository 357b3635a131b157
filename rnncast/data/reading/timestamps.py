"""Stamps: dates and times in the forms of `forms.py`, UNIX times, integer steps, typed columns of Parquet.

A column has one form. Where day and month could change places, all of its cells are asked; if they do not settle it,
it is an error, not a guess.

Dimension letters: `R` rows, `U` distinct cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.frequency import DAY_US
from rnncast.data.reading.arrow import filled_text, is_text, mask_to_numpy, nulls, text_array, text_scalar, to_numpy
from rnncast.data.reading.cells import Cells, some
from rnncast.data.reading.forms import ISO, Form, forms_of
from rnncast.data.reading.markers import MISSING_MARKERS, is_missing
from rnncast.data.reading.stamp_parts import StampParts, east_of_utc
from rnncast.errors import DataError, UsageError
from rnncast.records import dataclass

_INTEGER = r"[+-]?[0-9]{1,19}(?:\.0*)?"
_STEP = Form("integer steps", _INTEGER)
_FEWEST_DATES = 5  # distinct ones, by whose order a file shows where two-digit years stand
_MISSING = (*MISSING_MARKERS, "nat")


class AmbiguousStamps(ValueError):
    """Dates that can be read in two ways; the message says which."""


@dataclass
class StampParser:
    """Reads columns as stamps, int64 microseconds since 1970 (R,), or as integers, int64 (R,).

    Attributes
    ----------
    form
        How the cells of a column of text are written; None for one without text.
    zoned
        Whether its cells name their zone, or their offset from UTC; the stamps are then in UTC.
    is_dated
        Whether it reads stamps rather than integers.
    zones
        Zones and offsets met.
    zone_codes
        Number of the zone of each row of the last column read, int8, in pieces; none where the type names the zone.
    """

    form: Form | None = None
    zoned: bool = False
    is_dated: bool = True
    zones: list[str] = field(default_factory=list)
    zone_codes: list[NDArray[np.int8]] = field(default_factory=list)

    @property
    def csv_type(self) -> Any | None:
        """Type that a CSV reader may convert to; only plain ISO stamps and integers are left to it."""
        import pyarrow as pa

        if not self.is_dated:
            return pa.int64()
        return pa.timestamp("us") if self.form is ISO and not self.zoned else None

    @property
    def in_order(self) -> bool:
        """If its cells name zones, which are kept by row."""
        return self.zoned

    def parse(self, column: Any) -> Cells:
        """Stamps or integers of a pyarrow column.

        Raises
        ------
        ValueError
            The column as a whole is of no understood form; the message completes "column x ...".
        """
        import pyarrow as pa

        kinds, dtype = pa.types, column.type
        if is_text(column):
            return self._of_text(column)
        if kinds.is_timestamp(dtype) or kinds.is_date(dtype):
            return self._of_typed(column)
        if kinds.is_integer(dtype) or kinds.is_floating(dtype) or kinds.is_decimal(dtype):
            self.is_dated = False
            try:
                steps = column if dtype == pa.int64() else column.cast(pa.int64())
            except pa.ArrowInvalid as error:
                raise ValueError("holds fractions or NaN, expected dates or integer steps") from error
            return Cells(to_numpy(steps, "i8"), nulls(column))
        raise ValueError(f"holds {dtype}, expected dates or integer steps")

    def _of_typed(self, column: Any) -> Cells:
        import pyarrow as pa

        dtype = pa.timestamp("us", tz=getattr(column.type, "tz", None))
        if dtype.tz is not None:
            self._number_of(dtype.tz)
            self.zoned = True
        try:
            stamps = column if column.type == dtype else column.cast(dtype)  # a cast loads all that pyarrow computes
        except pa.ArrowInvalid as error:
            raise ValueError("has stamps finer than a microsecond, or outside of the years that can be kept") from error
        return Cells(to_numpy(stamps, "i8"), nulls(column))

    def _of_text(self, column: Any) -> Cells:
        import pyarrow.compute as pc

        text = filled_text(column)
        missing = mask_to_numpy(pc.is_in(pc.utf8_lower(text), text_array(_MISSING)))
        if self.form is None:
            return Cells(np.zeros(len(missing), np.int64), some(missing), some(~missing))
        values, good = self._integers(text) if not self.is_dated else self._stamps(text, self.form)
        return Cells(values, some(missing), some(~missing & ~good))

    def _integers(self, text: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        is_integer = pc.match_substring_regex(text, _STEP.anchored)
        plain = pc.replace_substring_regex(pc.replace_substring_regex(text, r"\.0*$", ""), r"^\+", "")
        plain = pc.if_else(is_integer, plain, text_scalar("0"))
        try:
            values = to_numpy(pc.cast(plain, pa.int64()), "i8")
        except pa.ArrowInvalid as error:
            raise ValueError("holds integers of more than 64 bits") from error
        return values, mask_to_numpy(is_integer)

    def _stamps(self, text: Any, form: Form) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Microseconds (R,), and which cells (R,) are stamps of the form that exist."""
        import pyarrow.compute as pc

        fits = mask_to_numpy(pc.match_substring_regex(text, form.anchored))
        parts = StampParts(pc.extract_regex(text, form.anchored), len(fits))
        days, exists = parts.days()
        clock, in_day = parts.clock()
        offset, zoned, valid = self._offsets(parts)
        return days * DAY_US + clock - offset, fits & exists & in_day & valid & (zoned == self.zoned)

    def _offsets(self, parts: StampParts) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Microseconds east of UTC (R,), which cells (R,) name a zone, and which name none that is wrong."""
        codes, names = parts.distinct("zone")
        if not any(names):
            return np.zeros(len(codes), np.int64), np.zeros(len(codes), bool), np.ones(len(codes), bool)
        east = [east_of_utc(name) for name in names]
        valid = np.array([offset is not None for offset in east])[codes]
        short = np.array([len(name) == 3 and name[0] in "+-" for name in names])
        if short.any():  # 10-11 is no hour with an offset
            minutes, texts = parts.distinct("minute")
            valid &= ~short[codes] | np.array([bool(text) for text in texts])[minutes]
        number = np.array([self._number_of(name) for name in names], dtype=np.int8)
        self.zone_codes.append(number[codes])
        offsets = np.array([offset or 0 for offset in east], dtype=np.int64)
        return offsets[codes], np.array([bool(name) for name in names])[codes], valid

    def _number_of(self, zone: str) -> int:
        """Number of a zone that cells name, in the order in which they are met; -1 for none."""
        if not zone or east_of_utc(zone) is None:
            return -1
        if zone not in self.zones:
            self.zones.append(zone)
        return min(self.zones.index(zone), 127)


# ---- which form a column has


def find_form(sample: Sequence[str], everything: Iterable[Any], dayfirst: bool | None) -> StampParser:
    """The parser of a column of text.

    Parameters
    ----------
    sample
        First cells. The first that is written like a stamp, or an integer, says how all are.
    everything
        All cells, as pyarrow text arrays; asked only where the form does not say the order of day, month and year.
    dayfirst
        The order that the user named, or None.

    Raises
    ------
    AmbiguousStamps
        The cells allow several orders.
    """
    cells = [cell.strip() for cell in sample]
    for cell in cells:
        if is_missing(cell) or cell.lower() == "nat":
            continue
        if _STEP.fits(cell):
            return StampParser(_STEP, is_dated=False)
        plain = ISO.fits(cell) and all(ISO.fits(other) or not forms_of(other) for other in cells)
        if forms := (ISO,) if plain else forms_of(cell):
            wanted = {None: None, True: "dmy", False: "mdy"}[dayfirst]
            forms = tuple(f for f in forms if not f.order or wanted in (None, f.order)) or forms
            form = forms[0] if len(forms) == 1 else _settled(forms, everything)
            match = form.regex.fullmatch(cell)
            return StampParser(form, zoned=bool(match and match.groupdict().get("zone")))
    return StampParser(ISO)


def _settled(forms: Sequence[Form], everything: Iterable[Any]) -> Form:
    """The one form of several that most distinct cells allow; where two-digit years stand by the order of the rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    dates = pa.array([], pa.string())
    for text in everything:  # the time of day tells nothing: distinct dates are few
        day = pc.replace_substring_regex(filled_text(text), "[T, ]+[0-9]{1,2}:.*$", "")
        dates = pc.unique(pa.concat_arrays([dates, pc.unique(day)]))
    readings = [(form, *StampParser(form)._stamps(dates, form)) for form in forms]
    most = max(int(good.sum()) for _, _, good in readings)
    fits = [(form, stamps[good]) for form, stamps, good in readings if int(good.sum()) == most]
    if all(np.array_equal(stamps, fits[0][1]) for _, stamps in fits):
        return fits[0][0]
    if len(fits) > 1 and len(dates) >= _FEWEST_DATES:
        in_order = [form for form, stamps in fits if _goes_one_way(stamps)]
        year_first = {form.order == "ymd" for form in in_order}
        if len(year_first) == 1:  # where the year stands is settled; which of day and month comes first is not
            fits = [(form, stamps) for form, stamps in fits if (form.order == "ymd") in year_first]
    if len(fits) > 1:
        first = _first_that_differs([stamps for _, stamps, _ in readings], [good for *_, good in readings])
        shown = [f"{np.datetime64(int(stamps[first]), 'us').astype('datetime64[D]')} ({form.label})"
                 for form, stamps, good in readings if good[first]]  # fmt: skip
        raise AmbiguousStamps(f"can be read in two ways: {dates[first].as_py()!r} may be {' or '.join(shown)}")
    return fits[0][0]


def _goes_one_way(stamps: NDArray[np.int64]) -> bool:
    steps = np.diff(stamps)
    return bool((steps > 0).all() or (steps < 0).all())


def _first_that_differs(readings: Sequence[NDArray[np.int64]], good: Sequence[NDArray[np.bool_]]) -> int:
    """A cell that two readings take for different dates."""
    both = [(a, b, f & g) for a, f in zip(readings, good, strict=True) for b, g in zip(readings, good, strict=True)]
    return int(np.argmax(np.logical_or.reduce([(a != b) & shared for a, b, shared in both])))


def explain_time(parser: StampParser, cell: str) -> tuple[str, str]:
    """What is wrong with a cell that is no stamp, and how to mend it."""
    plain = cell.strip()
    form = parser.form or ISO
    match = form.regex.fullmatch(plain)
    if match is None and ISO.fits(plain):
        return "is written in another form than the first stamp", f"write all of them like it: {form.label}"
    if match is None:
        hint = f"write it like the first one ({form.label}), or remove the line if it is no row"
        return f"is not a stamp like the first one ({form.label})", hint
    if form is not _STEP and bool(match.groupdict().get("zone")) != parser.zoned:
        named = "names a zone, and the first stamp names none" if not parser.zoned else "names no zone, the first does"
        return named, "give all stamps with an offset from UTC, or none"
    if len((match.groupdict().get("fraction") or "").rstrip("0")) > 6:
        return "is finer than a microsecond", "round it"
    parts = match.groupdict()
    if cell.endswith(" "):  # a date and a time of day in two columns, joined by a blank
        return "has no time of day, as the others have", "fill it in"
    if form.order and int(parts.get("month") or 1) > 12 >= int(parts.get("day") or 1):
        return f"does not fit the order of the others ({form.label})", "write day and month in one order throughout"
    return "is a date that does not exist", "correct it"


def exchange_days(times: NDArray[Any]) -> NDArray[Any]:
    """Stamps, datetime64[us] (R,), with day and month exchanged where the day is 12 or less."""
    days = times.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    month, day = (months - years).astype(np.int64), (days - months).astype(np.int64)  # (R,) from 0
    exchanged = (years.astype("datetime64[M]") + day.clip(max=11)).astype("datetime64[D]") + month
    return np.where(day < 12, exchanged.astype(times.dtype) + (times - days), times)


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
    match = ISO.regex.fullmatch(plain)
    if not is_integer and (match is None or match["zone"]):
        raise UsageError(f"--until {text!r} is neither a date nor a step", hint="write 2024-01-31, or an integer step")
    if is_integer == is_dated:
        found, given = ("dates", "an integer") if is_dated else ("integer steps", "a date")
        raise DataError(f"--until {text!r} is {given}, and the time column holds {found}")
    if is_integer:
        return int(plain)
    cells = StampParser(ISO).parse(text_array([plain]))
    if cells.bad is not None:
        raise UsageError(f"--until {text!r} is a date that does not exist", hint="write 2024-01-31")
    stamp = np.datetime64(int(cells.values[0]), "us")
    return stamp + np.timedelta64(DAY_US - 1, "us") if len(plain) == 10 else stamp

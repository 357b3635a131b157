"""A second reader of CSV text, strict and slow, to hold the real one against: the standard library alone.

It is told the dialect that the real reader has to find out, and shares no line with it. Numbers go from their text to a
`Decimal` and from there, correctly rounded, to a float; stamps go through `datetime.strptime`. Whatever does not fit
the dialect to the letter is a `NotStrict` with its line.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

Series = dict[str, list[tuple[datetime | int, float]]]
"""Name of each series -> its rows in ascending time."""

SINGLE = "series"
"""Name of the series of a file that is one series."""

MISSING = ("", ".", "-", "--", "na", "n/a", "n.a.", "#n/a", "null", "nan", "none", "nd", "#div/0!")
"""Cells that stand for no observation, in lower case."""

EPOCH = datetime(1970, 1, 1)
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class NotStrict(ValueError):
    """The text does not keep to its dialect; the message begins with the line."""


@dataclass(frozen=True)
class StampForm:
    """How stamps are written.

    `pattern` is a format of `strptime` for date and clock without fraction and offset, or one of ``quarter``, ``step``
    and the units of UNIX times ``s``, ``ms``, ``us``, ``ns``. `zone` is where stamps without offset were taken.
    """

    pattern: str
    fraction: bool = False
    offset: bool = False
    zone: str | None = None


@dataclass(frozen=True)
class Dialect:
    """Everything there is to know about a file; columns go by their position.

    `time` is None where rows are counted, `id` where the file is one series. `wide` says that each of the `targets` is
    a series of its own, by the name in the header. `unit` is a sign that every number carries.
    """

    stamps: StampForm
    time: int | None
    targets: tuple[int, ...]
    id: int | None = None
    wide: bool = False
    separator: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    has_header: bool = True


def read_strictly(data: bytes, dialect: Dialect) -> Series:
    """Series of a file of this dialect; NotStrict for the first thing that does not fit it."""
    names, records = _table(_text(data, dialect.encoding), dialect)
    series: Series = {}
    counted: dict[str, int] = {}
    for line, record in records:
        try:
            name = SINGLE if dialect.id is None else _name(record[dialect.id])
            counted[name] = counted.get(name, 0) + 1
            stamp = counted[name] if dialect.time is None else read_stamp(record[dialect.time], dialect.stamps)
            for column in dialect.targets:
                value = read_number(record[column], dialect.decimal, dialect.thousands, dialect.unit)
                if value is not None:
                    series.setdefault(names[column] if dialect.wide else name, []).append((stamp, value))
        except ValueError as error:
            raise NotStrict(f"line {line}: {error}") from error
    for name, rows in series.items():
        rows.sort(key=lambda row: row[0])
        if len({stamp for stamp, _ in rows}) < len(rows):
            raise NotStrict(f"series {name!r} has a stamp twice")
    if not series:
        raise NotStrict("there is no value")
    return series


def _text(data: bytes, encoding: str) -> str:
    try:
        text = data.decode("utf-16" if encoding.startswith("utf-16") else encoding, "strict")
    except UnicodeError as error:
        raise NotStrict(f"not {encoding}: {error}") from error
    if "\0" in text:
        raise NotStrict("there is a NUL")
    return text


def _table(text: str, dialect: Dialect) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Names of the columns, and (line, cells) of every row, all of one length."""
    preamble = re.match(r"(?:(?:#[^\r\n]*)?(?:\r\n|\r|\n))*", text)
    assert preamble is not None
    body, first = text[preamble.end() :], count_lines(preamble[0]) + 1
    _check_quotes(body, first, dialect.separator)
    # Read so, line ends in quotes stay as they are.
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=dialect.separator, strict=True)
    records = []
    before = 0
    try:
        for cells in reader:
            if cells or (records and len(records[0][1]) == 1):  # a blank line is no row, but for an only column
                records.append((first + before, cells or [""]))
            before = reader.line_num
    except csv.Error as error:
        raise NotStrict(f"line {first + before}: {error}") from error
    if not records:
        raise NotStrict("there is no row")
    width = len(records[0][1])
    for line, cells in records:
        if len(cells) != width:
            raise NotStrict(f"line {line}: {len(cells)} fields, expected {width}")
    if width <= max(column or 0 for column in (dialect.time, dialect.id, *dialect.targets)):
        raise NotStrict(f"line {records[0][0]}: {width} fields are too few")
    names = [f"column_{number + 1}" for number in range(width)]
    if dialect.has_header:
        names = [name.strip() for name in records.pop(0)[1]]
    return names, records


def count_lines(text: str) -> int:
    """Line ends of a text: LF, CR LF or CR."""
    return len(re.findall("\r\n|\r|\n", text))


def _check_quotes(text: str, first: int, separator: str) -> None:
    """Every quote opens or closes a field or is doubled inside of one; the module lets others pass."""
    mark = re.escape(separator)
    field = re.compile(rf'(?:"(?:[^"]|"")*"|[^"{mark}\r\n]*)(?:{mark}|\r\n|\r|\n|\Z)')
    place = 0
    while place < len(text):
        match = field.match(text, place)
        if match is None:
            line = first + count_lines(text[:place])
            raise NotStrict(f"line {line}: a quote stands where no field begins or ends")
        place = match.end()


def _name(cell: str) -> str:
    if not cell.strip():
        raise ValueError("the series has no name")
    return cell.strip()


def read_number(cell: str, decimal: str, thousands: str = "", unit: str = "") -> float | None:
    """Value of a cell, None for a missing one; ValueError for what is no number in this way of writing."""
    text = cell.strip()
    if text.lower() in MISSING:
        return None
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1]
    elif text[0] in "+-\u2212":
        negative, text = text[0] != "+", text[1:]
    if unit:
        bare = text.removeprefix(unit) if text.startswith(unit) else text.removesuffix(unit)
        if bare == text:
            raise ValueError(f"{cell!r} does not carry {unit!r}")
        text = bare.strip()
    digits = "[0-9]+"
    if thousands:
        digits = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+(?!.*[eE])|[0-9]+"
    point = re.escape(decimal)
    parts = re.fullmatch(rf"({digits})?(?:{point}([0-9]*))?([eE][+-]?[0-9]+)?", text)
    if parts is None or not (parts[1] or parts[2]):
        raise ValueError(f"{cell!r} is no number")
    whole = (parts[1] or "0").replace(thousands, "") if thousands else parts[1] or "0"
    value = float(Decimal(f"{'-' * negative}{whole}.{parts[2] or '0'}{parts[3] or ''}"))
    if math.isinf(value):
        raise ValueError(f"{cell!r} is infinite")
    return value


def read_stamp(cell: str, form: StampForm) -> datetime | int:
    """Stamp in UTC, or step, of a cell; ValueError for what is none in this form."""
    text = cell.strip()
    if form.pattern == "step":
        if re.fullmatch("[+-]?[0-9]+", text) is None:
            raise ValueError(f"{cell!r} is no step")
        return int(text)
    if form.pattern in PER_SECOND:
        return _unix_time(text, PER_SECOND[form.pattern])
    if form.pattern == "quarter":
        parts = re.fullmatch("([0-9]{4})-?Q([1-4])", text)
        if parts is None:
            raise ValueError(f"{cell!r} is no quarter")
        return datetime(int(parts[1]), 3 * int(parts[2]) - 2, 1)
    east = fraction = timedelta()
    if form.offset:
        text, east = _offset(text)
    if form.fraction:
        text, fraction = _fraction(text)
    if not text.isascii():
        raise ValueError(f"{cell!r} is no stamp")
    stamp = datetime.strptime(text, form.pattern) + fraction - east
    return stamp if form.zone is None else _to_utc(stamp, form.zone)


def _unix_time(text: str, per_second: int) -> datetime:
    if re.fullmatch("-?[0-9]+", text) is None:
        raise ValueError(f"{text!r} is no UNIX time")
    microseconds, finer = divmod(int(text) * 1_000_000, per_second)
    if finer:
        raise ValueError(f"{text!r} is finer than a microsecond")
    return EPOCH + timedelta(microseconds=microseconds)


def _offset(text: str) -> tuple[str, timedelta]:
    parts = re.fullmatch("(.*?) ?(?:Z|([+-])([0-9]{2}):?([0-9]{2})?)", text)
    if parts is None:
        raise ValueError(f"{text!r} has no offset")
    east = timedelta(hours=int(parts[3] or 0), minutes=int(parts[4] or 0))
    return parts[1], -east if parts[2] == "-" else east


def _fraction(text: str) -> tuple[str, timedelta]:
    parts = re.fullmatch(r"(.*:[0-9]{2})\.([0-9]+)(.*)", text)
    if parts is None or parts[2][6:].strip("0"):
        raise ValueError(f"{text!r} has no fraction, or one finer than a microsecond")
    return parts[1] + parts[3], timedelta(microseconds=int(parts[2][:6].ljust(6, "0")))


def _to_utc(stamp: datetime, zone: str) -> datetime:
    """Instant of a local time; ValueError for one that occurs twice there, or not at all."""
    both = {stamp.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1)}
    if len(both) > 1:
        raise ValueError(f"{stamp} occurs twice or never in {zone}")
    return both.pop()

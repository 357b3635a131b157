"""Strategies for the cells of generated files: numbers and stamps, and the ways in which people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from strict_reader import EPOCH, PER_SECOND, Series, StampForm, read_number, read_stamp

# ---- numbers

NO_BREAK, NARROW = "\u00a0", "\u202f"
MINUS = "\u2212"
MARKERS = ["", ".", "-", "--", "NA", "N/A", "n.a.", "#N/A", "null", "NaN", "none", "ND", "#DIV/0!"]
ODDITIES = ["1.", ".5", "+3", "00012", "-0", "-0.0", "1e-400", "-1e-400", "4.9e-324", "123456789012345678901234567890"]


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: marks, signs, and a unit that all of them carry."""

    decimal: str = "."
    thousands: str = ""
    minus: tuple[str, ...] = ("-",)
    unit: str = ""
    unit_after: bool = False
    unit_blank: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether computers write numbers so."""
        return not self.thousands and not self.unit and self.minus == ("-",)

    def write(self, plain: str, turn: int) -> str:
        """A number that is given with a point and a hyphen; `turn` picks one of the signs."""
        negative, digits = plain.startswith("-"), plain.lstrip("-")
        whole, point, rest = digits.partition(".")
        if self.thousands and re.fullmatch("[1-9][0-9]{3,}", whole):
            whole = f"{int(whole):,}".replace(",", self.thousands)
        text = whole + (self.decimal if point else "") + rest
        if self.unit:
            text = text + self.unit_blank + self.unit if self.unit_after else self.unit + self.unit_blank + text
        if not negative:
            return text
        minus = self.minus[turn % len(self.minus)]
        return f"({text})" if minus == "()" else minus + text


def _write_plainly(number: float) -> str:
    return repr(number).replace("e+", "e")


def _halfway(number: float) -> str:
    """Exact middle between a number and the next: the hardest text to round."""
    return f"{(Decimal(number) + Decimal(math.nextafter(number, math.inf))) / 2:f}"


_COMPUTED = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(_write_plainly),
    st.floats(-1e6, 1e6).map("{:.2f}".format),
    st.floats(-1e6, 1e6).map("{:+.6E}".format),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(1e-4, 1e6).map(_halfway),
)


@st.composite
def number_styles(draw: st.DrawFn, separator: str, encoding: str) -> NumberStyle:
    """Ways to write numbers that go with a separator; marks that an encoding lacks are left out."""
    comma = draw(st.sampled_from([False, False, False, True] if separator == "," else [False, True]))
    decimal, other = (",", ".") if comma else (".", ",")
    blanks = [NO_BREAK] if encoding == "cp1252" else [NO_BREAK, NARROW]
    thousands = draw(st.sampled_from(["", "", "", other, other, " ", "'", *blanks]))
    minus = draw(st.sampled_from([("-",)] * 5 + [("()",), ("-", "()")] + [(MINUS,), (MINUS, "()")]))
    if encoding == "cp1252":
        minus = tuple("-" if sign == MINUS else sign for sign in minus)
    unit = draw(st.sampled_from([""] * 7 + ["$", "€", "£", "%"]))
    after = unit == "%" or draw(st.booleans())
    return NumberStyle(decimal, thousands, minus, unit, after, draw(st.sampled_from(["", " "])) if unit else "")


@st.composite
def plain_numbers(draw: st.DrawFn, style: NumberStyle, separator: str, count: int) -> list[str]:
    """Numbers as they would be without a style: prices of so many decimals, or anything that a computer writes.

    Points between thousands in a file with commas between its fields come with a decimal comma in every cell: 1.234
    alone would be taken for what computers mean by it.
    """
    if style.is_plain and draw(st.integers(0, 3)) == 0:
        odd = ODDITIES if style.decimal == "." else [text for text in ODDITIES if "." not in text]
        kinds = st.one_of(_COMPUTED, _COMPUTED, st.sampled_from(odd))
        return [draw(kinds) for _ in range(count)]
    decimals = draw(st.sampled_from([0, 1, 2, 2, 2, 3, 4, 4, 6]))
    decimals = max(decimals, 1) if separator == "," and style.thousands == "." else decimals
    most = 10 ** (decimals + draw(st.integers(1, 7)))
    least = -most if draw(st.integers(0, 2)) == 0 else 0
    units = draw(st.lists(st.integers(least, most), min_size=count, max_size=count))
    return [f"{Decimal(n).scaleb(-decimals):f}" for n in units]


def readings(cells: Sequence[str], unit: str, separator: str) -> int:
    """How many different columns of numbers these cells may be, by any two marks.

    A point in a file with commas between its fields is taken for a decimal point: so the language of computers is.
    """
    found = set()
    for decimal in ".,":
        for thousands in ["", *{".", ",", " ", "'", NO_BREAK, NARROW} - {decimal}]:
            if separator == "," and thousands == "." and not any("," in cell for cell in cells):
                continue
            try:
                found.add(repr([read_number(cell, decimal, thousands, unit) for cell in cells]))
            except ValueError:
                pass
    return len(found)


# ---- stamps

MONTH = timedelta(days=30)
"""Stands for a calendar month where steps are drawn."""


@dataclass(frozen=True)
class StampStyle:
    """How stamps are written: the form, and what in it is a matter of taste."""

    form: StampForm
    finest: timedelta
    padded: bool = True
    digits: int = 0  # of the fraction
    offsets: tuple[tuple[str, int], ...] = ()  # text and minutes east of UTC
    upper: bool = False
    mark: str = ""  # between year and quarter

    def write(self, stamp: datetime | int, turn: int) -> str:
        """A stamp in UTC, or a step; `turn` picks one of the offsets."""
        pattern = self.form.pattern
        if isinstance(stamp, int):
            return str(stamp)
        if pattern == "quarter":
            return f"{stamp.year}{self.mark}Q{(stamp.month + 2) // 3}"
        if pattern in PER_SECOND:
            return str((stamp - EPOCH) // timedelta(microseconds=1) * PER_SECOND[pattern] // 1_000_000)
        if self.form.zone:
            stamp = stamp.replace(tzinfo=UTC).astimezone(ZoneInfo(self.form.zone)).replace(tzinfo=None)
        text, east = self.offsets[turn % len(self.offsets)] if self.offsets else ("", 0)
        stamp += timedelta(minutes=east)
        if not self.padded:
            pattern = re.sub("%[dmHI]", lambda part: str(int(stamp.strftime(part[0]))), pattern)
        if self.form.fraction:
            pattern = pattern.replace("%S", "%S." + f"{stamp.microsecond:06d}000"[: self.digits])
        written = stamp.strftime(pattern) + text
        return written.upper() if self.upper else written


_CLOCKS = [("", timedelta(days=1))] * 4 + [
    (" %H:%M", timedelta(minutes=1)),
    (" %H:%M:%S", timedelta(seconds=1)),
    (" %I:%M %p", timedelta(minutes=1)),
    (" %I:%M:%S %p", timedelta(seconds=1)),
]
_OFFSETS = [
    (("Z", 0),),
    (("+00:00", 0),),
    (("+01:00", 60), ("+00:00", 0)),
    (("-05:00", -300), ("-04:00", -240)),
    (("+0530", 330),),
    (("+0200", 120), ("+0100", 60)),
    (("+01", 60),),
    (("-11", -660),),
]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]


@st.composite
def _iso_styles(draw: st.DrawFn) -> StampStyle:
    pattern, finest = draw(
        st.sampled_from(
            [("%Y-%m-%d", timedelta(days=1))] * 3
            + [(f"%Y-%m-%d{t}{clock}", finest) for t in " T" for clock, finest in
               (("%H:%M", timedelta(minutes=1)), ("%H:%M:%S", timedelta(seconds=1)))]
        )
    )  # fmt: skip
    digits = draw(st.sampled_from([0, 0, 0, 1, 3, 6, 9])) if pattern.endswith("%S") else 0
    finest = timedelta(microseconds=10 ** max(6 - digits, 0)) if digits else finest
    offsets = draw(st.sampled_from([()] * 6 + _OFFSETS)) if "%H" in pattern else ()
    zone = draw(st.sampled_from([None] * 5 + ZONES)) if "%H" in pattern and not offsets else None
    return StampStyle(StampForm(pattern, bool(digits), bool(offsets), zone), finest, digits=digits, offsets=offsets)


@st.composite
def _regional_styles(draw: st.DrawFn) -> StampStyle:
    mark = draw(st.sampled_from("/-."))
    year = draw(st.sampled_from(["%Y", "%Y", "%Y", "%y"]))
    parts = draw(st.sampled_from([["%d", "%m", year]] * 3 + [["%m", "%d", year]] * 3 + [[year, "%m", "%d"]]))
    if parts[0] == "%Y" and mark == "-":
        mark = "/"
    clock, finest = draw(st.sampled_from(_CLOCKS))
    digits = draw(st.sampled_from([0, 0, 3])) if "%S" in clock else 0
    finest = timedelta(milliseconds=1) if digits else finest
    return StampStyle(StampForm(mark.join(parts) + clock, bool(digits)), finest, draw(st.booleans()), digits)


@st.composite
def _named_month_styles(draw: st.DrawFn) -> StampStyle:
    pattern = draw(
        st.sampled_from(["%d-%b-%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y"])
    )
    clock, finest = draw(st.sampled_from(_CLOCKS))
    return StampStyle(StampForm(pattern + clock), finest, draw(st.booleans()), upper=draw(st.booleans()))


@st.composite
def _compact_styles(draw: st.DrawFn) -> StampStyle:
    day = timedelta(days=1)
    pattern, finest = draw(
        st.sampled_from(
            [("%Y%m%d", day), ("%Y%m", MONTH), ("%Y-%m", MONTH), ("quarter", 3 * MONTH), ("s", timedelta(seconds=1)),
             ("ms", timedelta(milliseconds=1)), ("us", timedelta(microseconds=1)), ("ns", timedelta(microseconds=1))]
        )
    )  # fmt: skip
    return StampStyle(StampForm(pattern), finest, mark=draw(st.sampled_from(["", "-"])))


STAMP_STYLES = st.one_of(
    _iso_styles(),
    _iso_styles(),
    _regional_styles(),
    _regional_styles(),
    _named_month_styles(),
    _compact_styles(),
    st.just(StampStyle(StampForm("step"), timedelta())),
)

_STEPS = [
    *(timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(minutes=15), timedelta(minutes=1)),
    *(timedelta(seconds=1), timedelta(milliseconds=250), timedelta(milliseconds=1), timedelta(microseconds=1)),
]


@st.composite
def stamp_axes(draw: st.DrawFn, style: StampStyle) -> list[datetime | int]:
    """Neighbouring stamps that a form can tell apart, more than a file needs."""
    length = 60
    if style.form.pattern == "step":
        first, step = draw(st.integers(-50, 2000)), draw(st.sampled_from([1, 1, 1, 5]))
        return [first + step * n for n in range(length)]
    earliest, latest = datetime(1905, 1, 1), datetime(2090, 1, 1)
    if "%y" in style.form.pattern or style.form.pattern in PER_SECOND or style.form.zone:
        earliest, latest = datetime(1975, 1, 1), datetime(2035, 1, 1)
    first = earliest + timedelta(days=draw(st.integers(0, (latest - earliest).days)))
    if style.finest >= MONTH or (style.finest == timedelta(days=1) and draw(st.integers(0, 5)) == 0):
        months = 3 if style.finest > MONTH else draw(st.sampled_from([1, 1, 3]))
        start = first.year * 12 + (first.month - 1) // 3 * 3
        return [datetime((start + months * n) // 12, (start + months * n) % 12 + 1, 1) for n in range(length)]
    step = draw(st.sampled_from([step for step in _STEPS if not step % style.finest]))
    if step < timedelta(days=1):
        first += timedelta(seconds=draw(st.integers(0, 86399)) // max(step.seconds, 1) * max(step.seconds, 1))
    axis = [first + step * n for n in range(length)]
    return axis if style.form.zone is None else [stamp for stamp in axis if _is_plain_local(style, stamp)]


def _is_plain_local(style: StampStyle, stamp: datetime) -> bool:
    """Whether clocks of the zone showed this time once."""
    try:
        return read_stamp(style.write(stamp, 0), style.form) == stamp
    except ValueError:
        return False


def order_of(form: StampForm) -> str:
    """Which of day, month and year come first where that is a convention: ``dmy``, ``mdy``, ``ymd`` or nothing."""
    head = "".join(re.findall("%([dmyY])", form.pattern)[:3]).lower()
    return head if head in ("dmy", "mdy") or (head == "ymd" and "%y" in form.pattern) else ""


def orders_that_fit(form: StampForm, cells: Sequence[str]) -> int:
    """How many orders of day, month and year give stamps for all cells, and different ones."""
    pattern = form.pattern
    year = "%y" if "%y" in pattern else "%Y"
    mark = pattern[2]
    clock = pattern.partition(" ")[2]
    orders = [["%d", "%m", year], ["%m", "%d", year], *([[year, "%m", "%d"]] if year == "%y" else [])]
    found = set()
    for order in orders:
        other = replace(form, pattern=" ".join([mark.join(order), *([clock] if clock else [])]))
        try:
            found.add(tuple(read_stamp(cell, other) for cell in cells))
        except ValueError:
            pass
    return len(found)


def is_regular(truth: Series) -> bool:
    """Whether every series of two rows or more keeps one step, the same in all, and no series is shorter."""
    gaps: set[Any] = set()
    for rows in truth.values():
        stamps: list[Any] = [stamp for stamp, _ in rows]
        if len(stamps) < 2:
            return False
        steps = list(zip(stamps, stamps[1:], strict=False))
        if all(isinstance(stamp, datetime) and stamp == datetime(stamp.year, stamp.month, 1) for stamp in stamps):
            months = {12 * (b.year - a.year) + b.month - a.month for a, b in steps}
            if months <= {1, 3}:
                gaps |= months
                continue
        gaps |= {b - a for a, b in steps}
    return len(gaps) == 1

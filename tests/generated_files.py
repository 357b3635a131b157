"""Strategies that draw CSV files together with the way they are written and what they say.

A file is drawn from the truth outwards: series of stamps and numbers first, then how a vendor might write them. What a
reader cannot know from the file alone stands in `GeneratedFile.doubts`; without doubts it has to be read, with them it
may be refused, and never may it be read as something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle
from typing import Any

from generated_cells import (
    MARKERS,
    MINUS,
    STAMP_STYLES,
    NumberStyle,
    StampStyle,
    is_regular,
    number_styles,
    order_of,
    orders_that_fit,
    plain_numbers,
    readings,
    stamp_axes,
)
from hypothesis import strategies as st
from strict_reader import PER_SECOND, SINGLE, Dialect, Series, count_lines

# ---- a sheet of cells, and how it becomes bytes

BYTE_ORDER_MARKS = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


@dataclass(frozen=True)
class Sheet:
    """Cells of a file and how they are put down.

    `records` are rows of cells, the header first if there is one, and empty for a blank line. `quoting` is ``minimal``,
    ``all``, ``text`` (whatever is no plain number) or ``some`` (as `pattern` goes round). `blanks` stand on both sides
    of cells without quotes.
    """

    records: tuple[tuple[str, ...], ...]
    encoding: str = "utf-8"
    separator: str = ","
    line_end: str = "\n"
    quoting: str = "minimal"
    pattern: tuple[bool, ...] = (False,)
    blanks: tuple[str, str] = ("", "")
    preamble: tuple[str, ...] = ()
    ends_line: bool = True

    def lines(self) -> list[str]:
        """Text of every record, without its line end."""
        turns = cycle(self.pattern)
        return [self.separator.join(self._field(cell, next(turns)) for cell in record) for record in self.records]

    def _field(self, cell: str, turn: bool) -> str:
        needed = any(mark in cell for mark in (self.separator, '"', "\r", "\n")) or cell.startswith("#")
        plain = re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", cell) is not None
        wanted = {"all": True, "text": not plain, "some": turn}.get(self.quoting, False)
        if needed or wanted:
            return '"' + cell.replace('"', '""') + '"'
        return self.blanks[0] + cell + self.blanks[1]

    def text(self) -> str:
        """The whole text."""
        return self.text_of([*self.preamble, *self.lines()])

    def text_of(self, lines: Sequence[str]) -> str:
        """Text of these lines."""
        return self.line_end.join(lines) + (self.line_end if self.ends_line else "")

    def encode(self, text: str) -> bytes:
        """Bytes of a text of this file."""
        codec = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        return BYTE_ORDER_MARKS.get(self.encoding, b"") + text.encode(codec)

    def line(self, record: int) -> int:
        """Line, from 1, in which a record begins."""
        return sum(count_lines(line) + 1 for line in [*self.preamble, *self.lines()[:record]]) + 1


@dataclass(frozen=True)
class GeneratedFile:
    """A file, how it is written, what it says, and what has to be said of it to a reader.

    Attributes
    ----------
    options
        What no reader could find out: the layout, the step of rows without a regular one.
    told
        Those, and everything about the way the file is written that has an option.
    doubts
        What the file leaves open without the options of `told`.
    untold
        What it leaves open even with them.
    """

    sheet: Sheet
    dialect: Dialect
    truth: Series
    options: dict[str, Any]
    told: dict[str, Any]
    doubts: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.sheet.encode(self.sheet.text())

    @property
    def must_read(self) -> bool:
        """Whether nothing is left open."""
        return not self.doubts

    @property
    def rows(self) -> list[int]:
        """Records that are rows: neither the header nor blank."""
        first = 1 if self.dialect.has_header else 0
        return [number for number, record in enumerate(self.sheet.records) if record and number >= first]

    def __repr__(self) -> str:
        return (
            f"GeneratedFile(data={self.data!r}, options={self.options!r}, told={self.told!r}, "
            f"doubts={sorted(self.doubts)}, untold={sorted(self.untold)}, dialect={self.dialect!r})"
        )


# ---- layouts: which series there are, and in which columns they stand

TIME_NAMES = ["date", "Date", "time", "timestamp", "datetime", "ds", "Time Stamp", "DATE"]
TARGET_NAMES = ["y", "close", "price", "value", "target", "Close", "Price"]
ID_NAMES = ["unique_id", "ticker", "symbol", "item_id", "series", "Symbol"]
PLAIN_IDS = ["WTI", "BRENT", "007", "1e5", "NA", "A B", "AAPL.US", "x_1", "12-31", "BRK;B", "BRK,B", "a|b", 'say "x"']
LATIN_IDS = ["é", "Zürich", "£/€", "ÑÑ"]
WIDE_IDS = ["北京", "Δ", "日経平均"]


@dataclass
class Column:
    """Name and cells of a column; `role` is ``time``, ``target``, ``id`` or empty."""

    name: str
    cells: list[str]
    role: str = ""


@dataclass
class Draft:
    """What has been drawn of a file so far."""

    encoding: str
    separator: str
    numbers: NumberStyle
    stamps: StampStyle
    layout: str
    has_header: bool
    columns: list[Column] = field(default_factory=list)
    truth: Series = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)

    @property
    def ids(self) -> list[str]:
        """Names that the encoding has."""
        latin = LATIN_IDS if self.encoding != "utf-8-ascii" else []
        return PLAIN_IDS + latin + ([] if self.encoding == "cp1252" else WIDE_IDS)


@st.composite
def _observations(draw: st.DrawFn, draft: Draft, count: int, gaps: bool) -> tuple[list[str], list[float | None]]:
    """Cells of a column and their values, None where a marker stands; the first has a value."""
    numbers = draft.numbers
    plain = draw(plain_numbers(numbers, draft.separator, count))
    markers = draw(st.lists(st.sampled_from(MARKERS), min_size=1, max_size=3)) if gaps else []
    if markers and draw(st.booleans()):
        markers = [draw(st.sampled_from([marker.lower(), marker.upper()])) for marker in markers]
    holes = draw(st.sets(st.integers(1, max(count - 1, 1)), max_size=count // 3)) if gaps else set()
    cells, values = [], list[float | None]()
    for place, text in enumerate(plain):
        missing = place in holes
        cells.append(markers[place % len(markers)] if missing else numbers.write(text, place))
        values.append(None if missing else float(Decimal(text)))
    return cells, values


@st.composite
def _comments(draw: st.DrawFn, draft: Draft, count: int) -> list[str]:
    """Free text with everything that needs care: separators, quotes, line ends."""
    alphabet = "ab ,;|\t\"\n\r'#" + ("" if draft.encoding == "utf-8" and draw(st.booleans()) else "é")
    texts = st.text(st.sampled_from(alphabet), max_size=6)
    return [draw(texts) for _ in range(count)]


def _add_observations(draft: Draft, name: str, column: Column, stamps: Sequence[Any], values: Sequence[Any]) -> None:
    rows = [(stamp, value) for stamp, value in zip(stamps, values, strict=True) if value is not None]
    if rows:
        draft.truth[name] = sorted(draft.truth.get(name, []) + rows, key=lambda row: row[0])
    draft.columns.append(column)


@st.composite
def _pick(draw: st.DrawFn, axis: Sequence[Any], least: int, most: int) -> list[Any]:
    """Some of the stamps of an axis, in ascending order: neighbours, or any."""
    count = draw(st.integers(least, most))
    if draw(st.booleans()):
        start = draw(st.integers(0, len(axis) - count))
        return list(axis[start : start + count])
    return [axis[n] for n in sorted(draw(st.sets(st.integers(0, len(axis) - 1), min_size=count, max_size=count)))]


@st.composite
def _fill(draw: st.DrawFn, draft: Draft, least: int) -> None:
    """Draw the series and put them into columns."""
    gaps = draw(st.integers(0, 2)) == 0
    axis = draw(stamp_axes(draft.stamps))
    if draft.layout == "long":
        names = draw(st.lists(st.sampled_from(draft.ids), min_size=1, max_size=3, unique=True))
        picked = [draw(_pick(axis, max(2, least // len(names)), 9)) for _ in names]
        rows = [(name, stamp) for name, stamps in zip(names, picked, strict=True) for stamp in stamps]
    else:
        rows = [(SINGLE, stamp) for stamp in draw(_pick(axis, max(3, least), 25))]
    rows = draw(_orders(rows))
    stamps = [stamp for _, stamp in rows]
    times = [draft.stamps.write(stamp, turn) for turn, stamp in enumerate(stamps)]
    if draft.layout != "values":
        draft.columns.append(Column(draw(_time_names(draft)), times, "time"))
    if draft.layout == "wide":
        for name in draw(st.lists(st.sampled_from(draft.ids), min_size=1, max_size=4, unique=True)):
            cells, values = draw(_observations(draft, len(rows), gaps))
            called = name if draft.has_header else f"column_{len(draft.columns) + 1}"
            _add_observations(draft, called, Column(name, cells, "target"), stamps, values)
        return
    if draft.layout == "long":
        owners = [name + " " * draw(st.sampled_from([0, 0, 0, 1])) for name, _ in rows]
        draft.columns.append(Column(draw(st.sampled_from(ID_NAMES)), owners, "id"))
    cells, values = draw(_observations(draft, len(rows), gaps))
    target = Column(draw(st.sampled_from(TARGET_NAMES)), cells, "target")
    if draft.layout == "values":
        _add_observations(draft, SINGLE, target, range(1, len(rows) + 1), values)
    else:
        draft.columns.append(target)
        for (name, stamp), value in zip(rows, values, strict=True):
            if value is not None:
                draft.truth.setdefault(name, []).append((stamp, value))
        for found in draft.truth.values():
            found.sort(key=lambda row: row[0])
    if draft.layout == "bars":
        target.name = draw(st.sampled_from(["Adj Close", "adj_close", "Adjusted Close"]))
        for name in ("Open", "High", "Low", "Close", "Volume"):
            draft.columns.append(Column(name, draw(_observations(draft, len(rows), False))[0]))


@st.composite
def _orders(draw: st.DrawFn, rows: list[Any]) -> list[Any]:
    """Rows as they stand in the file."""
    order = draw(st.sampled_from(["as they are", "as they are", "newest first", "by stamp", "shuffled"]))
    if order == "newest first":
        return rows[::-1]
    if order == "by stamp":
        return sorted(rows, key=lambda row: row[1])
    return draw(st.permutations(rows)) if order == "shuffled" else rows


@st.composite
def _time_names(draw: st.DrawFn, draft: Draft) -> str:
    """Name of the time column; one that says nothing leaves it to the cells."""
    pattern = draft.stamps.form.pattern
    if pattern == "step":
        return draw(st.sampled_from(["step", "period", *TIME_NAMES]))
    if draw(st.integers(0, 5)) or draft.layout == "wide":
        return draw(st.sampled_from(TIME_NAMES))
    if pattern in PER_SECOND or pattern in ("%Y%m%d", "%Y%m"):
        draft.doubts.add("columns")
    return "when"


@st.composite
def _furnish(draw: st.DrawFn, draft: Draft) -> None:
    """Add columns that nobody needs, and put all of them into some order."""
    count = len(draft.columns[0].cells)
    if draft.layout in ("wide", "values"):
        return
    kinds = draw(st.sets(st.sampled_from(["note", "constant", "number", "index"]), max_size=2))
    if draft.layout == "single" and "number" not in kinds and draw(st.integers(0, 5)) == 0:
        draft.columns[1].name = "wti"  # the only column of numbers
    if "note" in kinds:
        draft.columns.append(Column("note", draw(_comments(draft, count))))
    if "constant" in kinds:
        draft.columns.append(Column("source", ["EIA"] * count))
    if "number" in kinds and draft.has_header:
        draft.columns.append(Column("turnover", draw(_observations(draft, count, False))[0]))
    draft.columns = list(draw(st.permutations(draft.columns)))
    if "index" in kinds and draft.has_header:
        draft.columns.insert(0, Column("", [str(n) for n in range(count)]))


def doubts_of_cells(dialect: Dialect, rows: Sequence[Sequence[str]]) -> set[str]:
    """What a reader of these rows alone cannot know of their numbers and stamps."""
    doubts = set()
    for column in dialect.targets:
        if readings([row[column] for row in rows], dialect.unit, dialect.separator) > 1:
            doubts.add("marks in numbers")
    if dialect.time is not None and order_of(dialect.stamps):
        if orders_that_fit(dialect.stamps, [row[dialect.time] for row in rows]) > 1:
            doubts.add("order of day and month")
    return doubts


def _find_doubts(draft: Draft) -> None:
    """What a reader of the columns alone cannot know."""
    rows = list(zip(*(column.cells for column in draft.columns), strict=True))
    draft.doubts |= doubts_of_cells(_dialect(draft), rows)
    if order_of(draft.stamps.form) == "ymd":  # two-digit years first: no option says so
        draft.untold.add("two-digit years first")
    for column in draft.columns:
        signed = column.role == "target" and draft.numbers.unit and not draft.numbers.unit_after
        if signed and any(cell.strip()[:1] in ("-", MINUS, "(") and len(cell) > 2 for cell in column.cells):
            draft.untold.add("sign before a currency")
    if not draft.has_header:
        pattern = draft.stamps.form.pattern
        if draft.layout in ("wide", "bars", "values") or pattern in PER_SECOND or pattern in ("%Y%m%d", "%Y%m"):
            draft.doubts.add("columns")
        texts = [cell for column in draft.columns if column.role in ("", "id") for cell in column.cells]
        if any(mark in text for text in texts for mark in set(",;\t|") - {draft.separator}):
            draft.doubts.add("separator")


def _options(draft: Draft, style: Sheet) -> tuple[dict[str, Any], dict[str, Any]]:
    """What has to be said of the file, and what can be."""
    names = [column.name if draft.has_header else f"column_{n + 1}" for n, column in enumerate(draft.columns)]
    of_role = {column.role: name for column, name in zip(draft.columns, names, strict=True)}
    options: dict[str, Any] = {}
    if draft.layout == "wide":
        options["wide"] = True
    if not is_regular(draft.truth):
        options["freq"] = "1" if draft.layout == "values" or draft.stamps.form.pattern == "step" else "D"
    if not draft.has_header:
        options |= {"id_col": of_role["id"]} if "id" in of_role else {}
        options |= {"time_col": of_role["time"]} if draft.stamps.form.pattern == "step" and "time" in of_role else {}
    if draft.stamps.form.zone is not None and "time" in of_role:
        options["time_zone"] = draft.stamps.form.zone
    numbers = draft.numbers
    thousands = "space" if numbers.thousands.isspace() else numbers.thousands or "none"
    told = options | {"sep": draft.separator, "encoding": style.encoding, "decimal": numbers.decimal}
    told |= {"header": str(len(style.preamble) + 1) if draft.has_header else "none", "thousands": thousands}
    if order_of(draft.stamps.form) in ("dmy", "mdy"):
        told["dayfirst"] = order_of(draft.stamps.form) == "dmy"
    if draft.stamps.form.pattern in PER_SECOND and "time" in of_role:
        told["time_unit"] = draft.stamps.form.pattern
    for role in ("time", "id") if draft.layout == "wide" else ("time", "id", "target"):
        if role in of_role:
            told[f"{role}_col"] = of_role[role]
    return options, told


def _dialect(draft: Draft) -> Dialect:
    roles = [column.role for column in draft.columns]
    return Dialect(
        stamps=draft.stamps.form,
        time=roles.index("time") if "time" in roles else None,
        targets=tuple(n for n, role in enumerate(roles) if role == "target"),
        id=roles.index("id") if "id" in roles else None,
        wide=draft.layout == "wide",
        separator=draft.separator,
        encoding=draft.encoding,
        decimal=draft.numbers.decimal,
        thousands=draft.numbers.thousands,
        unit=draft.numbers.unit,
        has_header=draft.has_header,
    )


@st.composite
def _sheets(draw: st.DrawFn, draft: Draft) -> Sheet:
    """Cells of a draft, and how they are put down."""
    header = [tuple(column.name for column in draft.columns)] if draft.has_header else []
    records: list[tuple[str, ...]] = [*header, *zip(*(column.cells for column in draft.columns), strict=True)]
    if len(draft.columns) > 1:
        for place in draw(st.sets(st.integers(1, len(records)), max_size=2)):
            records.insert(place, ())
    comments = ["# Source: the exchange", "#", "# don't panic", '# a 5" pipe', "# é"]
    if draft.has_header:
        comments += ["# a, b; c", "# date,price"]
    preamble = draw(st.sampled_from([[], [], []] + [draw(st.lists(st.sampled_from(comments), max_size=3))]))
    blank = len(draft.columns) > 1 and draw(st.integers(0, 9)) == 0
    return Sheet(
        records=tuple(records),
        encoding=draft.encoding,
        separator=draft.separator,
        line_end=draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from(["minimal", "minimal", "all", "text", "some"])),
        pattern=tuple(draw(st.lists(st.booleans(), min_size=1, max_size=7))),
        blanks=draw(st.sampled_from([("", "")] * 5 + [(" ", ""), ("", " "), ("  ", " ")])),
        preamble=tuple(preamble + [""] * blank),
        ends_line=draw(st.sampled_from([True, True, False])),
    )


@st.composite
def good_files(draw: st.DrawFn, least: int = 1) -> GeneratedFile:
    """Files without a fault, of at least so many rows."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]))
    layout = draw(st.sampled_from(["single"] * 6 + ["long"] * 5 + ["bars", "bars", "wide", "wide", "values"]))
    separators = [","] if layout == "values" else [",", ",", ",", ";", ";", "\t", "|"]  # one column shows none
    separator = draw(st.sampled_from(separators))
    stamps = draw(STAMP_STYLES)
    draft = Draft(
        encoding=encoding,
        separator=separator,
        numbers=draw(number_styles(separator, encoding)),
        stamps=stamps,
        layout=layout,
        has_header=draw(st.integers(0, 5)) > 0,
    )
    draw(_fill(draft, least))
    draw(_furnish(draft))
    _find_doubts(draft)
    sheet = draw(_sheets(draft))
    options, told = _options(draft, sheet)
    doubts, untold = frozenset(draft.doubts | draft.untold), frozenset(draft.untold)
    return GeneratedFile(sheet, _dialect(draft), draft.truth, options, told, doubts, untold)

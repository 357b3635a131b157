"""The columns that matter of one input or of several, one under the other, whatever the layout of the files.

In wide layout the columns of numbers stand one under the other as well, so that every row is one observation.

Dimension letters: `R` rows of a file, `N` observations, `C` columns of numbers of a wide file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.options import ReadOptions
from rnncast.data.panel import Columns
from rnncast.data.reading.cells import Cells, CellsBuilder, some
from rnncast.data.reading.columns import Roles, find_columns
from rnncast.data.reading.headings import TIME_NAMES, canonical, quoted
from rnncast.data.reading.names import NameParser
from rnncast.data.reading.numbers import NumberParser
from rnncast.data.reading.styles import Styles
from rnncast.data.reading.table import Parser, Table
from rnncast.data.reading.timestamps import AmbiguousStamps, StampParser, find_form
from rnncast.errors import DataError
from rnncast.records import dataclass

COUNTED_TIME = "ds"
"""Name of the time column of an input that has none."""

WIDE_ID, WIDE_TARGET = "unique_id", "y"
"""Names of the columns that an input in wide layout does not have."""

TIME, ID, TARGET = "time", "id", "target"
"""Roles of cells, for messages."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """Observations of one input.

    Attributes
    ----------
    table : Table
        Where they come from.
    roles : Roles
        Its columns.
    columns : Columns
        Their names.
    values : Cells
        Target, float64 (N,).
    times : Cells or None
        Microseconds since 1970 or integer steps, int64 (N,); None where rows are to be counted.
    ids : Cells or None
        Numbers and names of the series, int32 (N,).
    stamps : StampParser
        How the time column was read.
    in_utc : bool
        Whether its stamps are in UTC rather than by some clock on the wall.
    file_rows : int
        R; in wide layout N is C times as much.
    notes
        What the user should know.
    """

    table: Table
    roles: Roles
    columns: Columns
    values: Cells
    times: Cells | None
    ids: Cells | None
    stamps: StampParser
    in_utc: bool
    file_rows: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def name(self) -> str:
        """The input, for messages."""
        return self.table.name

    def place(self, row: int) -> str:
        """Where an observation stands in the file."""
        return self.table.place(row % self.file_rows)

    def column(self, row: int, role: str) -> int:
        """Position of the column that holds the cell of a role."""
        if role == TIME:
            assert self.roles.time is not None
            return self.roles.time
        if role == ID:
            assert self.roles.id is not None
            return self.roles.id
        return self.roles.targets[row // self.file_rows]

    def column_name(self, row: int, role: str) -> str:
        """Name of that column."""
        return self.table.names[self.column(row, role)]

    def cell(self, row: int, role: str) -> str:
        """The cell as it stands in the file."""
        text = self.table.cell(row % self.file_rows, self.column(row, role))
        if role == TIME and self.roles.clock is not None:
            text += " " + self.table.cell(row % self.file_rows, self.roles.clock)
        return text


def load(table: Table, options: ReadOptions) -> Loaded:
    """Read the columns of a table that have a role.

    Raises
    ------
    DataError
        See the message: it names the place and how to mend it.
    """
    roles = find_columns(table, options)
    if (options.decimal or options.thousands) and not any(map(table.is_text, roles.targets)):
        raise DataError(
            "--decimal and --thousands have no effect: the numbers are not written as text",
            where=table.name,
            hint="leave them out",
        )
    stamps = _stamp_parser(table, roles, options)
    styles = Styles(table, options)
    numbers: dict[int, NumberParser] = {column: styles.parser(column) for column in roles.targets}
    parsers: dict[int, Parser] = dict(numbers)
    if roles.time is not None and roles.clock is None:
        parsers[roles.time] = stamps
    if roles.id is not None:
        parsers[roles.id] = NameParser()
    cells = _read(table, parsers)
    _read_again(table, cells, numbers, styles)
    notes = [*table.notes, *roles.notes]
    if roles.clock is not None:
        assert roles.time is not None
        cells[roles.time] = _clocked(table, roles.time, roles.clock, stamps)
        notes.append(f"the time is {table.names[roles.time]!r} and {table.names[roles.clock]!r} together")
    notes += _notes_on_numbers(table, numbers)
    times, in_utc, note = _times(table, roles, cells, stamps, options)
    if note is not None:
        notes.append(note)
    rows = len(cells[roles.targets[0]])
    loaded = Loaded(
        table=table,
        roles=roles,
        columns=_names(table, roles),
        values=cells[roles.targets[0]],
        times=times,
        ids=None if roles.id is None else cells[roles.id],
        stamps=stamps,
        in_utc=in_utc,
        file_rows=rows,
        notes=tuple(notes),
    )
    return _stacked(loaded, [cells[column] for column in roles.targets]) if roles.wide else loaded


def _names(table: Table, roles: Roles) -> Columns:
    time = COUNTED_TIME if roles.time is None else table.names[roles.time] or COUNTED_TIME
    if roles.wide:
        return Columns(time, WIDE_ID, WIDE_TARGET, wide=True)
    return Columns(time, None if roles.id is None else table.names[roles.id], table.names[roles.targets[0]])


def _read(table: Table, parsers: dict[int, Parser]) -> dict[int, Cells]:
    try:
        return table.load(parsers)
    except ValueError as error:
        column = next((c for c, parser in parsers.items() if _is_refused(table, c, parser)), next(iter(parsers)))
        raise DataError(f"column {table.names[column]!r} {error}", where=table.name) from error


def _is_refused(table: Table, column: int, parser: Parser) -> bool:
    """Whether a column is the one that its parser cannot read."""
    try:
        table.load({column: parser})
    except ValueError:
        return True
    return False


def _stamp_parser(table: Table, roles: Roles, options: ReadOptions) -> StampParser:
    if roles.time is None:
        return StampParser()
    sample = table.sample(roles.time)
    if roles.clock is not None:
        pairs = zip(sample, table.sample(roles.clock), strict=False)
        sample = [f"{day.strip()} {time.strip()}" for day, time in pairs if time.strip()]
    try:
        return find_form(sample, table.texts(roles.time), options.dayfirst)
    except AmbiguousStamps as error:
        raise DataError(
            f"column {table.names[roles.time]!r} {error}",
            where=table.name,
            hint="--dayfirst or --monthfirst says which",
        ) from error


def _clocked(table: Table, date: int, clock: int, stamps: StampParser) -> Cells:
    """Stamps of a date and a time of day in two columns."""
    import pyarrow.compute as pc

    from rnncast.data.reading.arrow import filled_text, text_scalar

    builder = CellsBuilder(0)
    for days, times in zip(table.texts(date), table.texts(clock), strict=True):
        times = pc.replace_substring_regex(filled_text(times), "^$", "?")  # no time of day is not midnight
        joined = pc.binary_join_element_wise(filled_text(days), times, text_scalar(" "))
        builder.add(stamps.parse(joined))
    return builder.cells()


def _read_again(table: Table, cells: dict[int, Cells], numbers: dict[int, NumberParser], styles: Styles) -> None:
    """Read columns with bad cells once more, if all of their cells together show another style than the first ones."""
    for column, parser in numbers.items():
        if cells[column].bad is None:
            continue
        style = styles.by_all_cells(column)
        if style != parser.style:
            numbers[column] = NumberParser(style)
            cells[column] = _read(table, {column: numbers[column]})[column]


def _notes_on_numbers(table: Table, numbers: dict[int, NumberParser]) -> list[str]:
    described = {column: parser.style.describe() for column, parser in numbers.items() if parser.style.describe()}
    notes = []
    for words in dict.fromkeys(described.values()):
        notes.append(f"{quoted(table, [c for c, text in described.items() if text == words])} is read with {words}")
    if bracketed := [column for column, parser in numbers.items() if parser.met_brackets]:
        notes.append(f"numbers in brackets in {quoted(table, bracketed)} are read as negative")
    return notes


def _times(
    table: Table, roles: Roles, cells: dict[int, Cells], stamps: StampParser, options: ReadOptions
) -> tuple[Cells | None, bool, str | None]:
    """Stamps or steps, whether they are in UTC, and what there is to say of it."""
    if roles.time is None:
        if options.time_unit is not None:
            raise DataError(
                "--time-unit does not fit: there is no time column", where=table.name, hint="name it with --time-col"
            )
        return None, False, None
    times = cells[roles.time]
    if stamps.is_dated:
        if options.time_unit is not None:
            raise DataError(
                f"--time-unit does not fit: column {table.names[roles.time]!r} holds no integers",
                where=table.name,
                hint="leave it out",
            )
        form = stamps.form
        short = form is not None and "YYYY" not in form.label and "YY" in form.label
        if form is None or not (form.order or short):
            return times, stamps.zoned, None
        years = ", years as 1950 to 2049" if short else ""
        return times, stamps.zoned, f"dates are read as {form.label}{years}"
    from rnncast.data.reading.unix_times import are_large, interpret_integers  # few files need it

    unusable = [mask for mask in (times.missing, times.bad) if mask is not None]
    usable = ~np.logical_or.reduce(unusable) if unusable else None
    name = table.names[roles.time]
    try:
        read = interpret_integers(times.values, usable, options.time_unit)
    except ValueError as error:
        raise DataError(f"column {name!r} {error}", where=table.name) from error
    present = times.values if usable is None else times.values[usable]
    if not read.is_dated and options.time_unit is None and canonical(name) in TIME_NAMES and are_large(present):
        raise DataError(
            f"column {name!r} holds integers from {present.min()} to {present.max()}, which may be steps, Excel's days "
            "or dates in a form that is not understood",
            where=table.name,
            hint="--time-unit step or --time-unit excel says which; or write dates as 2024-01-31",
        )
    stamps.is_dated = read.is_dated
    bad = times.bad if read.bad is None else read.bad if times.bad is None else read.bad | times.bad
    if bad is not None and times.missing is not None:
        bad = some(bad & ~times.missing)
    return replace(times, values=read.values, bad=bad), read.in_utc, read.note


def _stacked(loaded: Loaded, columns: Sequence[Cells]) -> Loaded:
    """Columns of a wide table one under the other."""
    table, rows = loaded.table, loaded.file_rows
    values = CellsBuilder(rows * len(columns))
    for cells in columns:
        values.add(cells)
    times = loaded.times
    if times is not None:
        times = Cells(*(_tiled(array, len(columns)) for array in (times.values, times.missing, times.bad)))
    names = tuple(table.names[c] for c in loaded.roles.targets)
    ids = Cells(np.repeat(np.arange(len(columns), dtype=np.int32), rows), names=names)
    return replace(loaded, values=values.cells(), times=times, ids=ids)


def _tiled(array: NDArray[Any] | None, times: int) -> Any:
    return None if array is None else np.tile(array, times)

"""From a CSV or Parquet file to a `Panel`: what is read, what is left out, and what is said about it.

The order of the steps matters: rows after ``--until`` go before anything is derived from the rest, so that nothing
after a cutoff can be seen in a model. Nothing is dropped silently.

Dimension letters: `R` rows that are still in, `S` series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnncast.data.arrow import encode_names
from rnncast.data.calendar import Calendar, learn_calendar, named_calendar
from rnncast.data.cells import Cells, explain_number, parse_numbers
from rnncast.data.columns import Roles, find_columns, likely_ids, quoted
from rnncast.data.faults import bad_cells, duplicate_stamps, missing_cells
from rnncast.data.panel import Columns, Panel
from rnncast.data.read_csv import CsvTable
from rnncast.data.read_parquet import ParquetTable
from rnncast.data.rows import Rows
from rnncast.data.source import open_source
from rnncast.data.summary import counted, describe_constants, describe_holes, describe_panel, format_stamp
from rnncast.data.table import Table
from rnncast.data.timestamps import explain_time, parse_times, parse_until
from rnncast.errors import DataError

COUNTED_TIME = "ds"
"""Name of the time column of an input that has none."""

_REPEATED_STAMPS = 0.1  # share of rows that repeat a stamp, from which on a file is taken for several series


def read_panel(
    sources: Sequence[str],
    *,
    id_col: str | None = None,
    time_col: str | None = None,
    target_col: str | None = None,
    freq: str | None = None,
    until: str | None = None,
    stdin: BinaryIO | None = None,
) -> tuple[Panel, tuple[str, ...]]:
    """Read one CSV or Parquet file, of one series or of several in long layout.

    Parameters
    ----------
    sources
        One path, or ``-`` for stdin.
    id_col, time_col, target_col
        Names of columns; found by name or content without them.
    freq
        Name of the step between rows; learnt from them without it.
    until
        Last date or step to let in; rows after it are left out before anything is derived from the others.
    stdin
        Stream to read for ``-``.

    Returns
    -------
    Panel, tuple of str
        The series, and the notes to show: what was found, sorted and left out, with counts.

    Raises
    ------
    UsageError, InputNotFoundError, StorageError, DataError
        See the message: it names the place and how to mend it.
    """
    calendar = None if freq is None else named_calendar(freq)
    source = open_source(sources, stdin)
    table: Table = ParquetTable(source) if source.is_parquet else CsvTable(source)
    roles = find_columns(table, id_col, time_col, target_col)
    table.load(roles.time, roles.target, roles.id)
    return _Reader(table, roles).read(calendar, until)


@dataclass
class _Reader:
    """One reading of one table."""

    table: Table
    roles: Roles
    rows: Rows = field(default_factory=Rows)
    notes: list[str] = field(default_factory=list)

    def read(self, calendar: Calendar | None, until: str | None) -> tuple[Panel, tuple[str, ...]]:
        """Panel and notes."""
        rows = self.rows
        self.notes += self.roles.notes
        if self.roles.time is not None:
            self._read_times(self.roles.time, until)
        if self.roles.id is not None:
            self._read_ids(self.roles.id)
        if self.roles.time is None:
            self._count_rows(until)
        values, left_out = self._read_target()
        values = self._arrange(values)
        indptr = rows.indptr()
        self._note_trailing(left_out, rows.times[indptr[1:] - 1])
        calendar = self._calendar(calendar, indptr)
        panel = Panel(rows.ids, indptr, rows.times, values[:, None], self._column_names(), calendar)
        self.notes += [note for note in (describe_holes(panel), describe_constants(panel)) if note is not None]
        return panel, (describe_panel(panel), *self.notes)

    def _parse(self, parse: Callable[[Any], Cells], column: int) -> Cells:
        try:
            return parse(self.table.column(column))
        except ValueError as error:
            raise DataError(f"column {self.table.names[column]!r} {error}", where=self.table.name) from error

    def _read_times(self, column: int, until: str | None) -> None:
        cells = self._parse(parse_times, column)
        if cells.bad is not None:
            raise bad_cells(self.table, column, np.flatnonzero(cells.bad), explain_time)
        if cells.missing is not None:
            raise missing_cells(self.table, column, np.flatnonzero(cells.missing), "time")
        self.rows.times = cells.values
        if cells.note is not None:
            self.notes.append(cells.note)
        self._cut(until)
        if self.roles.id is None:
            self._look_for_ids()

    def _count_rows(self, until: str | None) -> None:
        self.notes.append("there is no time column: rows are counted 1, 2, ... in the order of the file")
        self.rows.count(len(self.table.column(self.roles.target)))
        self._cut(until)
        self.rows.drop_empty_series()

    def _cut(self, until: str | None) -> None:
        """Leave out the rows after `until`."""
        if until is None:
            return
        times = self.rows.times
        inside = times <= parse_until(until, times.dtype.kind == "M")
        if not inside.any():
            raise DataError(
                f"no row at or before {until}",
                where=self.table.name,
                hint=f"the first row is at {format_stamp(times.min())}",
            )
        if dropped := self.rows.keep(inside):
            self.notes.append(f"{counted(dropped, 'row')} after {until} left out")

    def _encoded(self, column: int) -> tuple[NDArray[np.int32], list[str], NDArray[np.bool_]]:
        """Numbers (R,) and names of the series of the rows that are still in, and which rows (R,) have none."""
        codes, names = encode_names(self.table.column(column))
        codes = self.rows.pick(codes)
        return codes, names, codes == len(names) - 1  # the last name is empty

    def _read_ids(self, column: int) -> None:
        codes, names, absent = self._encoded(column)
        if absent.any():
            raise missing_cells(self.table, column, self.rows.in_file(absent), "name of the series")
        self.rows.name_series(codes, names)

    def _look_for_ids(self) -> None:
        """Take the file for several series if stamps repeat and just one column tells the repetitions apart."""
        if self.rows.repeated_share() < _REPEATED_STAMPS:
            return  # a few repetitions are faults of one series
        found = []
        for column in likely_ids(self.table, {self.roles.time, self.roles.target}):
            codes, _, absent = self._encoded(column)
            if not absent.any() and self.rows.told_apart_by(codes):
                found.append(column)
        if len(found) > 1:
            raise DataError(
                f"several columns could name the series: {quoted(self.table, found)}",
                where=self.table.name,
                hint="name it with --id-col",
            )
        if found:
            self.roles = replace(self.roles, id=found[0])

    def _read_target(self) -> tuple[NDArray[np.float64], list[tuple[str, Any]]]:
        """Values (R,) of the rows that have one; series and stamps of those that have none."""
        column, rows = self.roles.target, self.rows
        cells = self._parse(parse_numbers, column)
        if cells.bad is not None and (bad := rows.pick(cells.bad)).any():
            series = rows.series(int(np.argmax(bad)))
            raise bad_cells(self.table, column, rows.in_file(bad), explain_number, series)
        values = rows.pick(cells.values)
        if cells.missing is None or not (missing := rows.pick(cells.missing)).any():
            return values, []
        name = self.table.names[column]
        if missing.all():
            raise DataError(
                f"there is no usable value: all {len(missing):,} cells of column {name!r} are missing",
                where=self.table.name,
            )
        first = self.table.place(int(rows.in_file(missing)[0]))
        left_out = list(rows.owners(missing))
        dropped = rows.keep(~missing)
        self.notes.append(f"{counted(dropped, 'row')} without a value in {name!r} left out, the first at {first}")
        if lost := rows.drop_empty_series():
            self.notes.append(f"{len(lost):,} series without any value left out: {', '.join(map(repr, lost[:5]))}")
        return values[~missing], left_out

    def _arrange(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring the rows into the order of a panel; DataError for stamps that occur twice in a series."""
        values, order = self.rows.arrange(values)
        if order.descents:
            back = counted(order.descents, "step")
            how = "newest first" if order.newest_first else f"not in order of time ({back} back)"
            self.notes.append(f"the rows were {how}: sorted")
        again = self.rows.duplicates()
        if len(again):
            pairs = self.rows.in_file(again - 1), self.rows.in_file(again)
            stamp = format_stamp(self.rows.times[again[0]])
            raise duplicate_stamps(self.table, pairs, stamp, self.rows.series(int(again[0])))
        return values

    def _note_trailing(self, left_out: list[tuple[str, Any]], last: NDArray[Any]) -> None:
        """Say it where a series ends in rows without a value; `last` (S,) are the stamps of the last rows."""
        if not left_out:
            return
        ends = dict(zip(self.rows.ids, last.tolist(), strict=True))
        late = [name for name, stamp in left_out if stamp > ends.get(name, stamp)]
        if not late:
            return
        first, others = late[0], len(set(late)) - 1
        series = "" if self.rows.codes is None else f" of series {first!r}"
        stamp = format_stamp(last[self.rows.ids.index(first)])
        self.notes.append(
            f"{counted(late.count(first), 'row')} without a value at the end{series}: the last value is at {stamp}"
            + (f"; so it is in {others:,} further series" if others else "")
        )

    def _column_names(self) -> Columns:
        names, roles = self.table.names, self.roles
        time = COUNTED_TIME if roles.time is None else names[roles.time] or COUNTED_TIME
        return Columns(time, None if roles.id is None else names[roles.id], names[roles.target])

    def _calendar(self, named: Calendar | None, indptr: NDArray[np.int64]) -> Calendar:
        times = self.rows.times
        if named is None:
            try:
                return learn_calendar(times, indptr, self.rows.ids)
            except DataError as error:
                error.where = self.table.name
                raise
        if named.is_dated != (times.dtype.kind == "M"):
            found = "integer steps" if named.is_dated else "dates"
            raise DataError(
                f"--freq {named.freq} does not fit: the time column holds {found}",
                where=self.table.name,
                hint="leave --freq out, or name the time column with --time-col",
            )
        return named

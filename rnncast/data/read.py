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
from rnncast.data.order import count_rows, find_duplicates, find_order, renumber
from rnncast.data.panel import Columns, Panel
from rnncast.data.read_csv import CsvTable
from rnncast.data.read_parquet import ParquetTable
from rnncast.data.source import open_source
from rnncast.data.summary import counted, describe_holes, describe_panel, format_stamp
from rnncast.data.table import Table
from rnncast.data.timestamps import explain_time, parse_times, parse_until
from rnncast.errors import DataError

COUNTED_TIME = "ds"
"""Name of the time column of an input that has none."""

SINGLE_ID = "series"
"""Name of the series of an input that is one series."""

_SHARED_STAMPS = (
    0.2  # share of rows that shares its stamp with others, from which on a file is taken for several series
)


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
    """One reading of one table; the arrays hold the rows that are still in, and go along with each other."""

    table: Table
    roles: Roles
    notes: list[str] = field(default_factory=list)
    rows: NDArray[np.int64] | None = None  # (R,) rows of the file; None for all of them
    times: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.int64))  # (R,)
    codes: NDArray[np.int32] | None = None  # (R,) number of the series; None for one series
    ids: tuple[str, ...] = (SINGLE_ID,)  # (S,)

    def read(self, calendar: Calendar | None, until: str | None) -> tuple[Panel, tuple[str, ...]]:
        """Panel and notes."""
        self.notes += self.roles.notes
        self._read_times(until)
        if self.roles.id is not None:
            self._read_ids(self.roles.id)
            if self.roles.time is None:
                self._count_rows(until)
        values, left_out = self._read_target()
        values = self._arrange(values)
        sizes = np.array([len(self.times)]) if self.codes is None else np.bincount(self.codes)
        indptr = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        self._note_trailing(left_out, self.times[indptr[1:] - 1])
        panel = Panel(
            self.ids,
            indptr,
            self.times,
            values[:, None],
            self._column_names(),
            self._calendar(calendar, indptr),
        )
        if (holes := describe_holes(panel)) is not None:
            self.notes.append(holes)
        return panel, (describe_panel(panel), *self.notes)

    def _parse(self, parse: Callable[[Any], Cells], column: int) -> Cells:
        try:
            return parse(self.table.column(column))
        except ValueError as error:
            raise DataError(f"column {self.table.names[column]!r} {error}", where=self.table.name) from error

    def _file_rows(self, places: NDArray[Any]) -> NDArray[np.int64]:
        """Rows of the file at these places, given by number or mask, of the rows that are still in."""
        places = np.flatnonzero(places) if places.dtype == bool else places
        return places if self.rows is None else self.rows[places]

    def _still_in(self, array: NDArray[Any] | None) -> NDArray[Any] | None:
        """Rows that are still in, of an array over all rows of the file."""
        return array if array is None or self.rows is None else array[self.rows]

    def _keep(self, mask: NDArray[np.bool_]) -> None:
        """Let only the rows of `mask` (R,) stay in."""
        if mask.all():
            return
        self.rows = self._file_rows(mask)
        self.times = self.times[mask]
        if self.codes is not None:
            self.codes = self.codes[mask]

    def _series(self, place: int) -> str | None:
        return None if self.codes is None else self.ids[self.codes[place]]

    # ---- time

    def _read_times(self, until: str | None) -> None:
        column = self.roles.time
        if column is None:
            self.notes.append("there is no time column: rows are counted 1, 2, ... in the order of the file")
            if self.roles.id is None:
                self._count_rows(until)
            return
        cells = self._parse(parse_times, column)
        if cells.bad is not None:
            raise bad_cells(self.table, column, np.flatnonzero(cells.bad), explain_time)
        if cells.missing is not None:
            raise missing_cells(self.table, column, np.flatnonzero(cells.missing), "time")
        self.times = cells.values
        if cells.note is not None:
            self.notes.append(cells.note)
        self._cut(until)
        if self.roles.id is None:
            self._look_for_ids()

    def _count_rows(self, until: str | None) -> None:
        rows = len(self.table.column(self.roles.target))
        self.times = count_rows(self.codes, rows)
        self._cut(until)
        if self.codes is not None:
            self._drop_empty_series()

    def _cut(self, until: str | None) -> None:
        """Leave out the rows after `until`."""
        if until is None:
            return
        cutoff = parse_until(until, self.times.dtype.kind == "M")
        inside = self.times <= cutoff
        dropped = len(inside) - int(np.count_nonzero(inside))
        if dropped == len(inside):
            raise DataError(
                f"no row at or before {until}",
                where=self.table.name,
                hint=f"the first row is at {format_stamp(self.times.min())}",
            )
        self._keep(inside)
        if dropped:
            self.notes.append(f"{counted(dropped, 'row')} after {until} left out")

    # ---- series

    def _read_ids(self, column: int) -> None:
        codes, names = encode_names(self.table.column(column))
        kept = self._still_in(codes)
        assert kept is not None
        missing = np.array([not name for name in names], dtype=bool)
        if missing.any() and (absent := missing[kept]).any():
            raise missing_cells(self.table, column, self._file_rows(absent), "name of the series")
        self.codes, old = renumber(kept, len(names))
        self.ids = tuple(names[code] for code in old)

    def _look_for_ids(self) -> None:
        """Take the file for several series if stamps repeat and just one column tells the repetitions apart."""
        order = find_order(self.times, None).rows
        repeated = find_duplicates(self.times if order is None else self.times[order], None)
        if 2 * len(repeated) < _SHARED_STAMPS * len(self.times):
            return  # a few repetitions are faults of one series
        taken = {self.roles.time, self.roles.target}
        found = [column for column in likely_ids(self.table, taken) if self._tells_apart(column)]
        if len(found) > 1:
            raise DataError(
                f"several columns could name the series: {quoted(self.table, found)}",
                where=self.table.name,
                hint="name it with --id-col",
            )
        if found:
            self.roles = replace(self.roles, id=found[0])

    def _tells_apart(self, column: int) -> bool:
        codes, names = encode_names(self.table.column(column))
        kept = self._still_in(codes)
        assert kept is not None
        absent = [code for code, name in enumerate(names) if not name]
        order = find_order(self.times, kept).rows
        times, kept = (self.times, kept) if order is None else (self.times[order], kept[order])
        return len(find_duplicates(times, kept)) == 0 and not np.isin(kept, absent).any()

    def _drop_empty_series(self) -> tuple[str, ...]:
        """Number the series without those that have lost all rows; the names of those."""
        assert self.codes is not None
        self.codes, old = renumber(self.codes, len(self.ids))
        lost = tuple(name for code, name in enumerate(self.ids) if code not in set(old.tolist()))
        self.ids = tuple(self.ids[code] for code in old)
        return lost

    # ---- target

    def _read_target(self) -> tuple[NDArray[np.float64], tuple[NDArray[Any], NDArray[Any]] | None]:
        """Values (R,) of the rows that have one, and the stamps and names of series of those that have none."""
        column = self.roles.target
        cells = self._parse(parse_numbers, column)
        bad, missing = self._still_in(cells.bad), self._still_in(cells.missing)
        if bad is not None and bad.any():
            first = int(np.argmax(bad))
            raise bad_cells(self.table, column, self._file_rows(bad), explain_number, self._series(first))
        values = self._still_in(cells.values)
        assert values is not None
        if missing is None or not missing.any():
            return values, None
        name, count = self.table.names[column], int(np.count_nonzero(missing))
        if count == len(missing):
            raise DataError(
                f"there is no usable value: all {count:,} cells of column {name!r} are missing", where=self.table.name
            )
        first_place = self.table.place(int(self._file_rows(missing)[0]))
        self.notes.append(f"{counted(count, 'row')} without a value in {name!r} left out, the first at {first_place}")
        codes = np.zeros(count, np.int32) if self.codes is None else self.codes[missing]
        stamps, owners = self.times[missing], np.array(self.ids)[codes]
        self._keep(~missing)
        if self.codes is not None and (lost := self._drop_empty_series()):
            self.notes.append(f"{len(lost):,} series without any value left out: {', '.join(map(repr, lost[:5]))}")
        return values[~missing], (stamps, owners)

    def _arrange(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring the rows into the order of a panel; DataError for stamps that occur twice in a series."""
        order = find_order(self.times, self.codes)
        if order.descents:
            how = (
                "newest first"
                if order.newest_first
                else f"not in order of time ({counted(order.descents, 'step')} back)"
            )
            self.notes.append(f"the rows were {how}: sorted")
        if order.rows is not None:
            self.rows = self._file_rows(order.rows)
            self.times, values = self.times[order.rows], values[order.rows]
            self.codes = None if self.codes is None else self.codes[order.rows]
        again = find_duplicates(self.times, self.codes)
        if len(again):
            pairs = self._file_rows(again - 1), self._file_rows(again)
            first = int(again[0])
            raise duplicate_stamps(self.table, pairs, format_stamp(self.times[first]), self._series(first))
        return values

    # ---- what is known in the end

    def _note_trailing(self, left_out: tuple[NDArray[Any], NDArray[Any]] | None, last: NDArray[Any]) -> None:
        """Say it where a series ends in rows without a value; `last` (S,) are the stamps of the last rows."""
        if left_out is None:
            return
        ends = dict(zip(self.ids, last.tolist(), strict=True))
        after = zip(left_out[0].tolist(), left_out[1].tolist(), strict=True)
        late = [name for stamp, name in after if stamp > ends.get(name, stamp)]
        if not late:
            return
        first = late[0]
        series = "" if self.codes is None else f" of series {first!r}"
        stamp = format_stamp(last[self.ids.index(first)])
        others = len(set(late)) - 1
        self.notes.append(
            f"{counted(late.count(first), 'row')} without a value at the end{series}: the last value is at {stamp}"
            + (f"; so it is in {others:,} further series" if others else "")
        )

    def _column_names(self) -> Columns:
        names, roles = self.table.names, self.roles
        time = COUNTED_TIME if roles.time is None else names[roles.time] or COUNTED_TIME
        return Columns(time, None if roles.id is None else names[roles.id], names[roles.target])

    def _calendar(self, named: Calendar | None, indptr: NDArray[np.int64]) -> Calendar:
        dated = self.times.dtype.kind == "M"
        if named is None:
            try:
                return learn_calendar(self.times, indptr, self.ids)
            except DataError as error:
                error.where = self.table.name
                raise
        if named.is_dated != dated:
            found = "dates" if dated else "integer steps"
            raise DataError(
                f"--freq {named.freq} does not fit: the time column holds {found}",
                where=self.table.name,
                hint="leave --freq out, or name the time column with --time-col",
            )
        return named

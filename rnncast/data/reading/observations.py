"""The observations of an input in the order of a panel: without those that are missing, each stamp of a series once.

Dimension letters: `R` rows that are still in, `S` series.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.reading.faults import bad_cells, duplicate_stamps, missing_cells
from rnncast.data.reading.loaded import TARGET
from rnncast.data.reading.numbers import explain_number
from rnncast.data.reading.timing import Timing
from rnncast.data.summary import counted, format_stamp
from rnncast.errors import DataError


class Observations:
    """Values of the rows of an input, arranged.

    Parameters
    ----------
    timing
        Stamps and series of the rows; the rows that go, go there as well.

    Attributes
    ----------
    values : float64 (R,)
        One value a row, series after series, in ascending time.
    indptr : int64 (S + 1,)
        Rows of each series.
    notes
        What was left out, sorted, filled and merged.

    Raises
    ------
    DataError
        A value is not understood, none is there, or a stamp occurs twice in a series.
    """

    def __init__(self, timing: Timing) -> None:
        self.joined, self.options = timing.joined, timing.options
        self.rows, self.zone = timing.rows, timing.zone
        self.notes: list[str] = []
        if not len(self.rows.times):
            raise DataError("there is no row with a value", where=self.joined.name)
        values, left_out = self._read_target()
        self.values = self._fill(self._arrange(values))
        self.indptr = self.rows.indptr()
        self._note_trailing(left_out, self.rows.times[self.indptr[1:] - 1])

    def _read_target(self) -> tuple[NDArray[np.float64], list[tuple[str, Any]]]:
        """Values (R,) of the rows that are kept; series and stamps of those without one."""
        cells, rows, joined = self.joined.values, self.rows, self.joined
        if cells.bad is not None and (bad := rows.pick(cells.bad)).any():
            series = rows.series(int(np.argmax(bad)))
            raise bad_cells(joined, TARGET, rows.in_file(bad), explain_number, series)
        values = rows.pick(cells.values)
        if cells.missing is None or not (missing := rows.pick(cells.missing)).any():
            return values, []
        if missing.all():
            named = f"column {joined.columns.target!r}" if not joined.columns.wide else "all columns"
            raise DataError(
                f"there is no usable value: all {len(missing):,} cells of {named} are missing", where=joined.name
            )
        if self.options.missing == "error":
            hint = "fill it in; --missing drop leaves the row out, --missing ffill takes the value before"
            raise missing_cells(joined, TARGET, rows.in_file(missing), "value", hint)
        if self.options.missing == "ffill":
            return np.where(missing, np.nan, values), []
        first = joined.place(int(rows.in_file(missing)[0]))
        left_out = list(rows.owners(missing))
        dropped = rows.keep(~missing)
        column = "" if joined.columns.wide else f" in {joined.columns.target!r}"
        self.notes.append(f"{counted(dropped, 'row')} without a value{column} left out, the first at {first}")
        if lost := rows.drop_empty_series():
            self.notes.append(f"{len(lost):,} series without any value left out: {', '.join(map(repr, lost[:5]))}")
        return values[~missing], left_out

    def _arrange(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring the rows into the order of a panel, each stamp of a series once."""
        if self.rows.are_arranged():
            return values
        values, order = self.rows.arrange(values)
        if order.descents:
            back = counted(order.descents, "step")
            how = "newest first" if order.newest_first else f"not in order of time ({back} back)"
            self.notes.append(f"the rows were {how}: sorted")
        again = self.rows.duplicates()
        if not len(again):
            return values
        stamp = format_stamp(self.rows.times[again[0]], self.zone)
        if self.options.duplicates == "error":
            pairs = self.rows.in_file(again - 1), self.rows.in_file(again)
            series = self.rows.series(int(again[0]))
            may_go_back = self.joined.is_dated and self.zone is None and ":" in stamp
            raise duplicate_stamps(self.joined, pairs, stamp, series, may_go_back)
        self.notes.append(
            f"{counted(len(again), 'row')} with a stamp that occurs again, the first at {stamp}: "
            f"{self.options.duplicates} taken"
        )
        return self.rows.merge_duplicates(again, values, self.options.duplicates)

    def _fill(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """With ``--missing ffill``, the value before in the series for each that is missing; rows before any go."""
        if self.options.missing != "ffill" or not (absent := np.isnan(values)).any():
            return values
        indptr = self.rows.indptr()
        place = np.where(absent, -1, np.arange(len(values)))  # (R,)
        last = np.maximum.accumulate(place)
        known = last >= np.repeat(indptr[:-1], np.diff(indptr))
        values = values[np.maximum(last, 0)]
        dropped = self.rows.keep(known)
        self.notes.append(
            f"{counted(int(absent.sum()) - dropped, 'missing value')} filled with the value before"
            + (f"; {counted(dropped, 'row')} before any value left out" if dropped else "")
        )
        if lost := self.rows.drop_empty_series():
            self.notes.append(f"{len(lost):,} series without any value left out: {', '.join(map(repr, lost[:5]))}")
        return values[known]

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
        stamp = format_stamp(last[self.rows.ids.index(first)], self.zone)
        self.notes.append(
            f"{counted(late.count(first), 'row')} without a value at the end{series}: the last value is at {stamp}"
            + (f"; so it is in {others:,} further series" if others else "")
        )

"""When the rows of an input were, and of which series: stamps in their zone, cut at ``--until``, and the names.

Dimension letters: `R` rows that are still in, `S` series.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendars.zone import check_zone, to_local, to_utc
from rnncast.data.options import ReadOptions
from rnncast.data.panel import Columns
from rnncast.data.reading.columns import likely_ids
from rnncast.data.reading.faults import bad_cells, missing_cells, place
from rnncast.data.reading.headings import quoted
from rnncast.data.reading.joined import Joined
from rnncast.data.reading.loaded import ID, TIME
from rnncast.data.reading.names import NameParser
from rnncast.data.reading.rows import Rows
from rnncast.data.reading.timestamps import exchange_days, explain_time, parse_until
from rnncast.data.summary import counted, format_stamp
from rnncast.errors import DataError

_REPEATED_STAMPS = 0.1  # share of rows that repeat a stamp, from which on a file is taken for several series
_FAR_FUTURE = 7_258_118_400_000_000  # microseconds: the year 2200
_FEWEST_STEPS = 20  # between rows, that show which of two readings of dates is in order
_FILL_IN = "fill it in, or remove the row"


class Timing:
    """Stamps and series of the rows of an input.

    Parameters
    ----------
    joined, options
        The input, and what the user said of it.

    Attributes
    ----------
    rows : Rows
        The rows that are in, with their stamps and series; not yet in the order of a panel.
    columns : Columns
        Names of the columns.
    zone
        Zone of the stamps, which are then in UTC; None where they have none.
    notes
        What was found and left out.

    Raises
    ------
    DataError
        A stamp or a name is missing or not understood, or nothing lies before ``--until``.
    """

    def __init__(self, joined: Joined, options: ReadOptions) -> None:
        self.joined, self.options = joined, options
        self.rows = Rows()
        self.columns = joined.columns
        self.zone: str | None = None
        self.notes: list[str] = []
        self._refuse_idle_options()
        if joined.times is None:
            self._count_rows()
            return
        self._read_times()
        if self.columns.id is None:
            self.columns = self._look_for_ids()

    def _refuse_idle_options(self) -> None:
        """DataError for options that speak of dates where there are none."""
        if self.joined.is_dated:
            return
        for option, value in (("--time-zone", self.options.time_zone), ("--holidays", self.options.holidays)):
            if value is not None:
                raise DataError(
                    f"{option} does not fit: the input has no dates",
                    where=self.joined.name,
                    hint="leave it out, or name the time column with --time-col",
                )

    def _read_times(self) -> None:
        joined, cells = self.joined, self.joined.times
        assert cells is not None
        if cells.bad is not None:
            rows = np.flatnonzero(cells.bad)
            stamps = joined.part_of(int(rows[0])).stamps
            error = bad_cells(joined, TIME, rows, lambda cell: explain_time(stamps, cell))
            if rows[0] == 0 and len(rows) == 1 and len(cells) > 1 and joined.parts[0].table.separator:
                error.hint = f"if this line is the header, name it: --header {joined.place(0).rpartition(':')[2]}"
            raise error
        if cells.missing is not None and (lacking := cells.missing & ~self._blank_rows()).any():
            raise missing_cells(joined, TIME, np.flatnonzero(lacking), "time", _FILL_IN)
        self.rows.times = cells.values.view("datetime64[us]") if joined.is_dated else cells.values
        self._read_ids()
        if cells.missing is not None:
            dropped = self.rows.keep(~cells.missing)
            first = joined.place(int(np.argmax(cells.missing)))
            self.notes.append(
                f"{counted(dropped, 'row')} with neither a time nor a value left out, the first at {first}"
            )
        self._cut()
        if joined.is_dated:
            self._refuse_exchanged_days()
            self._place_in_zone()
            self._refuse_far_future()

    def _blank_rows(self) -> NDArray[np.bool_]:
        """Rows (R,) with neither a time nor a value nor a name, as spreadsheets leave them behind."""
        joined = self.joined
        blank = np.ones(len(joined.values), dtype=bool)
        named = joined.ids if joined.columns.id is not None and not joined.columns.wide else None
        for cells in (joined.times, joined.values, *([named] if named is not None else [])):
            missing = None if cells is None else cells.missing
            blank &= False if missing is None else missing
        return blank

    def _refuse_exchanged_days(self) -> None:
        """DataError for dates that are in order only if day and month change places wherever they can.

        Spreadsheets do that to dates of another country, where the day is 12 or less, and leave the others.
        """
        form = self.joined.parts[0].stamps.form
        if form is None or form.order not in ("dmy", "mdy") or self.rows.goes_one_way(self.rows.times):
            return
        if len(self.rows.times) - len(self.rows.ids) < _FEWEST_STEPS:
            return  # few rows come into order by chance
        if not self.rows.goes_one_way(exchange_days(self.rows.times)):
            return
        days = self.rows.times.astype("datetime64[D]")
        first = int(np.flatnonzero(days != exchange_days(days.astype("datetime64[us]")).astype("datetime64[D]"))[0])
        cell = self.joined.cell(first, TIME)
        raise DataError(
            f"{cell!r} seems to have day and month exchanged: read so ({form.label}) the rows are out of order, and in "
            "order if they change places wherever the day is 12 or less",
            where=place(self.joined, first, TIME),
            hint="a spreadsheet does that to dates of another country: write the dates anew from their source",
        )

    def _count_rows(self) -> None:
        self.notes.append("there is no time column: rows are counted 1, 2, ... in the order of the file")
        self._read_ids()
        self.rows.count(len(self.joined.values))
        self._cut()

    def _read_ids(self) -> None:
        cells = self.joined.ids
        if cells is None:
            return
        self.rows.codes, self.rows.ids = cells.values, tuple(cells.names)
        self.rows.unnamed = cells.missing

    def _place_in_zone(self) -> None:
        """Bring stamps to UTC if they have a zone or are given one."""
        joined, asked = self.joined, self.options.time_zone
        if joined.in_utc:
            named = {check_zone(zone) for zone in joined.zones(self._kept())} or {"UTC"}
            self.zone = check_zone(asked) if asked is not None else named.pop() if len(named) == 1 else "UTC"
            if asked is None and named:
                self.notes.append(
                    "stamps with several offsets are written in UTC; --time-zone names a zone, Europe/London say"
                )
            return
        if asked is None:
            return
        self.zone = check_zone(asked)
        local = self.rows.times
        times, skipped, repeated = to_utc(local, self.zone)
        if repeated is not None:
            times, skipped, _ = to_utc(local, self.zone, self.rows.second_time(repeated))
        if skipped is not None:
            raise bad_cells(
                joined,
                TIME,
                self.rows.in_file(skipped),
                lambda cell: (
                    f"does not exist in {self.zone}: clocks go forward then",
                    "leave --time-zone out if the stamps are no clock times of that zone",
                ),
            )
        self.rows.times = times

    def _cut(self) -> None:
        """Leave out the rows after ``--until``, as the clock on the wall shows it, then the series without any."""
        rows, until = self.rows, self.options.until
        if until is not None:
            times = self._wall_clock()
            inside = times <= parse_until(until, times.dtype.kind == "M")
            if not inside.any():
                raise DataError(
                    f"no row at or before {until}",
                    where=self.joined.name,
                    hint=f"the first row is at {format_stamp(times.min())}",
                )
            if dropped := rows.keep(inside):
                self.notes.append(f"{counted(dropped, 'row')} after {until} left out")
        if rows.unnamed is not None and rows.unnamed.any():
            raise missing_cells(self.joined, ID, rows.in_file(rows.unnamed), "name of the series", _FILL_IN)
        rows.drop_empty_series()

    def _wall_clock(self) -> NDArray[Any]:
        """Stamps or steps (R,) as they are written, or in the zone that is asked for."""
        times, asked = self.rows.times, self.options.time_zone
        if not self.joined.in_utc:
            return times
        zone = asked or self.joined.typed_zone
        if zone is not None:
            return np.asarray(to_local(times, check_zone(zone)))
        return np.asarray(times + self.rows.pick(self.joined.offsets()).astype("timedelta64[us]"))

    def _kept(self) -> NDArray[np.bool_] | None:
        """Which rows of the files (N,) are still in; None for all of them."""
        if self.rows.rows is None:
            return None
        kept = np.zeros(len(self.joined.values), dtype=bool)
        kept[self.rows.rows] = True
        return kept

    def _refuse_far_future(self) -> None:
        stamps = self.rows.times.view(np.int64)
        if len(stamps) and stamps.max() >= _FAR_FUTURE:
            far = np.flatnonzero(stamps >= _FAR_FUTURE)
            raise bad_cells(
                self.joined,
                TIME,
                self.rows.in_file(far),
                lambda cell: ("lies beyond the year 2200", "remove the row if it only marks the end, or use --until"),
            )

    def _look_for_ids(self) -> Columns:
        """Take the file for several series if stamps repeat and just one column tells the repetitions apart."""
        if len(self.joined.parts) > 1 or self.rows.are_arranged() or self.rows.repeated_share() < _REPEATED_STAMPS:
            return self.columns  # a few repetitions are faults of one series
        table, roles = self.joined.parts[0].table, self.joined.parts[0].roles
        found = []
        for column in likely_ids(table, {roles.time, roles.clock, *roles.targets}):
            cells = table.load({column: NameParser()})[column]
            codes = self.rows.pick(cells.values)
            if cells.missing is None and self.rows.told_apart_by(codes):
                found.append((column, codes, cells.names))
        if len(found) > 1:
            raise DataError(
                f"several columns could name the series: {quoted(table, [column for column, *_ in found])}",
                where=table.name,
                hint="name it with --id-col",
            )
        if not found:
            return self.columns
        column, codes, names = found[0]
        self.rows.name_series(codes, list(names))
        return replace(self.columns, id=table.names[column])

"""From files to a `Panel`: what is read, what is left out, and what is said about it.

The order of the steps matters: rows after ``--until`` go before anything is derived from the rest, so that nothing
after a cutoff can be seen in a model. Nothing is dropped silently.

Dimension letters: `R` rows that are still in, `S` series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendar import Calendar, learn_calendar
from rnncast.data.calendars.holidays import read_holidays
from rnncast.data.options import ReadOptions
from rnncast.data.panel import Columns, Panel
from rnncast.data.reading.encodings import WINDOWS
from rnncast.data.reading.files import File, find_files
from rnncast.data.reading.joined import join
from rnncast.data.reading.loaded import Loaded, load
from rnncast.data.reading.observations import Observations
from rnncast.data.reading.opening import open_source
from rnncast.data.reading.read_csv import CsvTable, OtherEncodingError
from rnncast.data.reading.source import Source
from rnncast.data.reading.table import Table
from rnncast.data.reading.timing import Timing
from rnncast.data.summary import describe_constants, describe_holes, describe_panel
from rnncast.errors import DataError, UsageError
from rnncast.records import dataclass


@dataclass(frozen=True, eq=False)
class Reading:
    """An input as it was read.

    Attributes
    ----------
    panel : Panel
        The series.
    notes : tuple of str
        What was found, sorted and left out, with counts.
    names : tuple of str
        All columns of the (first) file but one that holds the time of day.
    """

    panel: Panel
    notes: tuple[str, ...]
    names: tuple[str, ...]


def read_panel(
    sources: Sequence[str], options: ReadOptions | None = None, *, stdin: BinaryIO | None = None
) -> tuple[Panel, tuple[str, ...]]:
    """Panel of an input, and the notes to show; see `read_input`."""
    reading = read_input(sources, options or ReadOptions(), stdin=stdin)
    return reading.panel, reading.notes


def read_input(
    sources: Sequence[str],
    options: ReadOptions,
    *,
    stdin: BinaryIO | None = None,
    columns: Columns | None = None,
    calendar: Calendar | None = None,
) -> Reading:
    """Read CSV or Parquet files, in single, long or wide layout, or with a file for each series.

    Parameters
    ----------
    sources
        Paths of files or folders, patterns, or ``-`` for stdin.
    options
        What the user said of the input; the rest is found.
    stdin
        Stream to read for ``-``.
    columns, calendar
        Those of a trained model: its columns are taken where the input has them, its zone where stamps name none, its
        step where none can be learnt.

    Raises
    ------
    UsageError, InputNotFoundError, StorageError, DataError
        See the message: it names the place and how to mend it.
    """
    holidays = () if options.holidays is None else read_holidays(options.holidays)
    files = find_files(sources)
    parts = [_load(file, options, stdin, columns) for file in files]
    joined = join(files, parts, options)
    if options.time_zone is None and calendar is not None and joined.is_dated and calendar.zone is not None:
        options = replace(options, time_zone=calendar.zone)
    timing = Timing(joined, options)
    observed = Observations(timing)
    rows, values = timing.rows, observed.values[:, None]
    learnt = _calendar(timing, observed.indptr, holidays, calendar)
    panel = Panel(rows.ids, observed.indptr, rows.times, values, timing.columns, learnt)
    notes = [*joined.notes, *timing.notes, *observed.notes, describe_holes(panel), describe_constants(panel)]
    names, clock = parts[0].table.names, parts[0].roles.clock
    names = tuple(name for column, name in enumerate(names) if column != clock)
    return Reading(panel, (describe_panel(panel), *(note for note in notes if note is not None)), names)


def _load(file: File, options: ReadOptions, stdin: BinaryIO | None, columns: Columns | None) -> Loaded:
    source = open_source(file.path, stdin, options.encoding)
    try:
        return _load_source(source, file, options, columns)
    except OtherEncodingError:
        note = f"not UTF-8: read as {WINDOWS} (western Windows); --encoding names another"
        return _load_source(source.decoded(WINDOWS, note), file, options, columns)


def _load_source(source: Source, file: File, options: ReadOptions, columns: Columns | None) -> Loaded:
    table: Table = _parquet(source, options) if source.is_parquet else CsvTable(source, options)
    if options.id_col in dict(file.partition) and options.id_col not in table.names:
        options = replace(options, id_col=None)
    return load(table, options if columns is None else _as_trained(options, columns, table))


def _parquet(source: Source, options: ReadOptions) -> Table:
    """The table of a Parquet file; UsageError for options that speak of text."""
    from rnncast.data.reading.read_parquet import ParquetTable

    for option, value in (("--sep", options.sep), ("--header", options.header), ("--encoding", options.encoding)):
        if value is not None:
            raise UsageError(f"{option} has no effect on a Parquet file", hint="leave it out")
    return ParquetTable(source)


def _as_trained(options: ReadOptions, columns: Columns, table: Table) -> ReadOptions:
    """The options with the columns of a model, where nothing else is said and the table has them."""
    names = set(table.names)
    wide = options.wide or (columns.wide and not (options.id_col or options.target_col))
    return replace(
        options,
        wide=wide,
        time_col=options.time_col or (columns.time if columns.time in names else None),
        id_col=None if wide else options.id_col or (columns.id if columns.id in names else None),
        target_col=None if wide else options.target_col or (columns.target if columns.target in names else None),
    )


def _calendar(
    timing: Timing, indptr: NDArray[np.int64], holidays: tuple[str, ...], fallback: Calendar | None
) -> Calendar:
    """Calendar of the rows, or that of a model where none can be learnt from them."""
    times, options = timing.rows.times, timing.options
    try:
        calendar = learn_calendar(
            times,
            indptr,
            timing.rows.ids,
            freq=options.freq,
            zone=timing.zone,
            holidays=holidays,
            irregular=options.irregular,
        )
    except DataError as error:
        if fallback is not None and fallback.is_dated == (times.dtype.kind == "M"):
            return fallback
        error.where = error.where or timing.joined.name
        raise
    if calendar.is_dated != (times.dtype.kind == "M"):
        found = "integer steps" if calendar.is_dated else "dates"
        raise DataError(
            f"--freq {calendar.freq} does not fit: the time column holds {found}",
            where=timing.joined.name,
            hint="leave --freq out, or name the time column with --time-col",
        )
    return calendar

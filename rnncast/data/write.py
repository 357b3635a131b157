"""Tables written out: CSV, JSON, newline-delimited JSON, Parquet, and a table for the eyes.

Numbers keep their full precision, times are ISO 8601, and what is absent is empty in CSV and null elsewhere. Files go
through `rnncast.data.atomic.atomic_write`.

Dimension letter: `N` rows.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.atomic import atomic_write
from rnncast.data.grid import Grid
from rnncast.data.isotime import format_times
from rnncast.data.text import printable, terminal_width, to_json
from rnncast.errors import StorageError, UsageError

__all__ = [
    "FORMATS",
    "atomic_write",
    "choose_format",
    "format_times",
    "records",
    "render",
    "write_csv_rows",
    "write_table",
]

FORMATS = ("csv", "json", "ndjson", "parquet", "table")
_ENDINGS = {
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_SHOWN_DIGITS = 6  # in a table for the eyes

Columns = Mapping[str, NDArray[Any]]
Zones = Mapping[str, str | None]


def write_table(
    table: Columns,
    destination: str | None,
    fmt: str | None,
    stream: IO[Any],
    *,
    clobber: bool = True,
    zones: Zones | None = None,
    bold: bool = False,
) -> None:
    """Write a table to a file, or to a stream.

    Parameters
    ----------
    table
        Columns by name: arrays (N,) of floats, integers, datetime64 or strings.
    destination
        Path of the file; None for `stream`.
    fmt
        One of `FORMATS`; chosen by `choose_format` without it.
    stream
        Where to write without a destination: a text stream such as `sys.stdout`, or a binary one.
    clobber
        Whether a file may be replaced.
    zones
        Zones by name of column: their stamps are in UTC, and written on the wall clock of the zone, with its offset. A
        name that is no column of stamps is passed over.
    bold
        Whether a table for the eyes has its heading in bold letters.

    Raises
    ------
    UsageError, OutputError, StorageError
        No such format; the file cannot be created; writing failed. BrokenPipeError of the stream goes through.
    """
    table = {name: np.asarray(column) for name, column in table.items()}
    fmt = choose_format(destination, fmt, stream)
    if destination is not None:
        atomic_write(destination, lambda file: file.write(render(table, fmt, zones)), clobber=clobber)
        return
    try:
        if fmt == "table":
            width = terminal_width(stream) if stream.isatty() else None
            data = _show(_with_offsets(table, zones), width, bold=bold).encode()
        else:
            data = render(table, fmt, zones)
        if fmt == "csv" and stream.isatty():  # JSON has its control characters escaped wherever it goes
            data = "".join(f"{printable(line)}\n" for line in data.decode().split("\n")[:-1]).encode()
        write_bytes(data, stream)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(
            f"the output could not be written: {error.strerror or error}", hint="make room, or write elsewhere"
        ) from error


def named_once(columns: Iterable[tuple[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Columns by name; one called like an earlier one, of the input say, gets an underscore."""
    table: dict[str, NDArray[Any]] = {}
    for name, column in columns:
        while name in table:
            name += "_"
        table[name] = column
    return table


def choose_format(destination: str | None, fmt: str | None, stream: IO[Any]) -> str:
    """The format named; else by the ending of the file; else a table on a terminal and CSV in a pipe."""
    if fmt is not None:
        if fmt not in FORMATS:
            raise UsageError(f"there is no format {fmt!r}", hint=f"use one of {', '.join(FORMATS)}")
        return fmt
    if destination is not None:
        ending = os.path.splitext(destination)[1].lower()
        if ending and ending not in _ENDINGS:
            known = ", ".join(_ENDINGS)
            raise UsageError(f"no format has the ending {ending!r}", hint=f"use {known}, or name a --format")
        return _ENDINGS.get(ending, "csv")
    return "table" if stream.isatty() else "csv"


def render(table: Columns, fmt: str, zones: Zones | None = None) -> bytes:
    """A table as the content of a file."""
    if fmt == "parquet":
        return _parquet(table, zones or {})
    table = _with_offsets(table, zones)
    if fmt == "table":
        return _show(table).encode()
    renderers: dict[str, Callable[[Columns], str]] = {"csv": _csv, "json": _json, "ndjson": _ndjson}
    return renderers[fmt](table).encode()


def _with_offsets(table: Columns, zones: Zones | None) -> Columns:
    """The columns of stamps that have a zone as texts; the others as they are."""

    def text(name: str, column: NDArray[Any]) -> NDArray[Any]:
        zone = (zones or {}).get(name)
        if zone is None or column.dtype.kind != "M":
            return column
        return np.array([stamp or None for stamp in format_times(column, zone)], dtype=object)

    return {name: text(name, column) for name, column in table.items()}


def _csv(table: Columns) -> str:
    text = io.StringIO()
    cells = zip(*(_csv_cells(column) for column in table.values()), strict=True)
    write_csv_rows(text, chain([tuple(table)], cells))
    return text.getvalue()


def write_csv_rows(stream: IO[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV with lines that end as on UNIX.

    Before Python 3.13 the writer leaves a carriage return unquoted that is no part of its line end; so its line end has
    one, which is taken off again.
    """
    import csv

    sink = SimpleNamespace(write=lambda line: stream.write(line[:-2] + "\n"))
    csv.writer(sink, lineterminator="\r\n").writerows(rows)


def _csv_cells(column: NDArray[Any]) -> list[str]:
    if column.dtype.kind == "M":
        return format_times(column)
    if column.dtype.kind == "f":
        return ["" if value != value else repr(value) for value in column.tolist()]
    if column.dtype.kind == "b":
        return ["true" if value else "false" for value in column.tolist()]
    return ["" if value is None else str(value) for value in column.tolist()]


def records(table: Columns, zones: Zones | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a table as JSON values."""
    columns = [_json_cells(column) for column in _with_offsets(table, zones).values()]
    return (dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True))


def _json_rows(table: Columns) -> Iterator[str]:
    return map(to_json, records(table))


def _json_cells(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind == "M":
        return [text or None for text in format_times(column)]
    if column.dtype.kind == "f":
        finite = np.isfinite(column).tolist()
        return [value if is_number else None for value, is_number in zip(column.tolist(), finite, strict=True)]
    cells: list[Any] = column.tolist()
    return cells


def _json(table: Columns) -> str:
    rows = ",\n".join(_json_rows(table))
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def _ndjson(table: Columns) -> str:
    return "".join(f"{row}\n" for row in _json_rows(table))


def _parquet(table: Columns, zones: Zones) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rnncast.data.reading.arrow import from_numpy

    def column_of(name: str, values: NDArray[Any]) -> Any:
        zone = zones.get(name)
        if zone is None or values.dtype.kind != "M":
            return from_numpy(values)
        return from_numpy(values.astype("datetime64[us]")).cast(pa.timestamp("us", tz=zone))

    columns = pa.Table.from_arrays([column_of(name, values) for name, values in table.items()], names=list(table))
    buffer = io.BytesIO()
    pq.write_table(columns, buffer)
    return buffer.getvalue()


def _show(table: Columns, width: int | None = None, *, bold: bool = False) -> str:
    """A table for the eyes. Nothing in the data can act as markup or as a control code."""
    names = [_short_name(name, table) for name in table]
    rows = list(zip(*(_shown_cells(column) for column in table.values()), strict=True))
    right = [column.dtype.kind in "fiu" for column in table.values()]
    kinds = [column.dtype.kind for column in table.values()]
    keys = kinds.index("f") if "f" in kinds else len(kinds)  # ids and stamps come first
    return "".join(f"{line}\n" for line in Grid(names, rows, right, max(keys, 1)).drawn(width, bold=bold))


def _short_name(name: str, table: Columns) -> str:
    """``lo-80`` for ``rnncast-lo-80`` beside a column ``rnncast``: seven columns have to fit into 80 characters."""
    whole = (other for other in table if name.startswith(f"{other}-"))
    return name.removeprefix(f"{next(whole, name)}-")


def _shown_cells(column: NDArray[Any]) -> list[str]:
    if column.dtype.kind == "f":
        return ["" if value != value else f"{value:.{_SHOWN_DIGITS}g}" for value in column.tolist()]
    return _csv_cells(column)


def write_bytes(data: bytes, stream: IO[Any]) -> None:
    """Write to the bytes beneath a text stream, or to a binary or purely textual one."""
    stream.flush()
    if isinstance(stream, io.TextIOBase):
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(data.decode())
            return
        stream = binary
    stream.write(data)
    stream.flush()

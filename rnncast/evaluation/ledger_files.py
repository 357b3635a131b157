"""The two forms of a ledger's file, CSV and Parquet: its columns read as they stand, and rows added behind them.

What stands in a file is not written anew number by number: a CSV file's text is copied, a Parquet file's columns are
kept in their types. A file is replaced whole, or not at all.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from numpy.typing import NDArray

from rnncast.data.reading.parquet import damages, open_parquet, read_sound
from rnncast.data.write import atomic_write, render, write_csv_rows
from rnncast.errors import DataError, InputNotFoundError, UsageError

Table = Mapping[str, NDArray[Any]]
Zones = Mapping[str, str | None]

_ENDINGS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


def ledger_format(path: str) -> str:
    """``csv`` or ``parquet`` by the ending of a ledger's name; UsageError for another."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in _ENDINGS:
        raise UsageError(
            f"the ledger {path} has {f'the ending {ending!r}' if ending else 'no ending'}, expected .csv or .parquet",
            hint=f"name it {os.path.splitext(path)[0]}.csv, say",
        )
    return _ENDINGS[ending]


def column_names(path: str) -> tuple[str, ...]:
    """Names of the columns of a ledger's file; DataError for a file that is not of the form that its ending says."""
    with _understood(path):
        if ledger_format(path) == "parquet":
            return tuple(_parquet_file(path).schema_arrow.names)
        with open(path, encoding="utf-8-sig", newline="") as text:
            return tuple(next(csv.reader(text), ()))


def read_columns(path: str, types: Mapping[str, str | None]) -> dict[str, Any]:
    """Columns of a ledger's file as pyarrow columns, by name.

    Parameters
    ----------
    path
        The file.
    types
        Name -> pyarrow's name of the type of numbers, ``double`` or ``int64``; None for texts in CSV, and for what the
        file holds in Parquet.
    """
    import pyarrow as pa

    with _understood(path):
        if ledger_format(path) == "parquet":
            table = read_sound(_parquet_file(path), list(types))
            named = {name: table.column(name) for name in types}
            return {name: column.cast(types[name]) if types[name] else column for name, column in named.items()}
        from pyarrow import csv as pacsv

        table = pacsv.read_csv(
            path,
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(types),
                column_types={name: pa.type_for_alias(kind or "string") for name, kind in types.items()},
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
        return {name: table.column(name) for name in types}


def write_first(path: str, table: Table, zones: Zones) -> None:
    """Begin a ledger with these rows."""
    content = render(table, ledger_format(path), zones)
    atomic_write(path, lambda file: file.write(content))


def write_behind(path: str, table: Table, zones: Zones) -> None:
    """Put rows behind those of a ledger; columns that it lacks are added to it, empty for the rows before.

    Parameters
    ----------
    path
        A ledger, which is replaced.
    table
        The rows to add, with all the columns of the file in its order, and perhaps more after them.
    zones
        Zones of its columns of stamps.
    """
    with _understood(path):
        if ledger_format(path) == "parquet":
            content = _joined_parquet(path, table, zones)
            atomic_write(path, lambda file: file.write(content))
            return
        names = column_names(path)
        header = render({name: column[:0] for name, column in table.items()}, "csv")
        rows = render(table, "csv", zones)[len(header) :]
        copy = _copy_text if len(names) == len(table) else _copy_widened(tuple(table)[len(names) :])
        atomic_write(path, lambda file: (copy(path, file), file.write(rows)))


def _copy_text(path: str, file: BinaryIO) -> None:
    """The bytes of a CSV file as they are, and a line end if it has none."""
    with open(path, "rb") as old:
        shutil.copyfileobj(old, file, 1 << 20)
        old.seek(-1, os.SEEK_END)
        if old.read(1) not in (b"\n", b"\r"):
            file.write(b"\n")


def _copy_widened(added: Sequence[str]) -> Any:
    """How to copy a CSV file with further columns, empty but for their names; the text of its cells stays."""

    def rows(old: Iterator[list[str]]) -> Iterator[list[str]]:
        yield [*next(old), *added]
        empty = [""] * len(added)
        yield from (row + empty for row in old if row)

    def copy(path: str, file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        with open(path, encoding="utf-8-sig", newline="") as old:
            write_csv_rows(text, rows(csv.reader(old)))
        text.flush()
        text.detach()  # the file stays open for the rows that follow

    return copy


def _joined_parquet(path: str, table: Table, zones: Zones) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    old = read_sound(_parquet_file(path))
    new = pq.ParquetFile(pa.BufferReader(render(table, "parquet", zones))).read()
    columns = [
        new.column(name).cast(old.schema.field(name).type) if name in old.schema.names else new.column(name)
        for name in new.schema.names
    ]
    aligned = pa.Table.from_arrays(columns, names=new.schema.names)
    buffer = io.BytesIO()
    pq.write_table(pa.concat_tables([old, aligned], promote_options="default"), buffer, write_page_checksum=True)
    return buffer.getvalue()


def _parquet_file(path: str) -> Any:
    return open_parquet(path, pre_buffer=False)


@contextmanager
def _understood(path: str) -> Iterator[None]:
    """DataError for what is no CSV or Parquet file, or a damaged one, where pyarrow and csv have their own errors."""
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InputNotFoundError(f"cannot open the ledger: {error.strerror}", where=path) from error
    except damages(csv.Error, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of what is on it
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(
            f"this is no ledger, or a damaged one: {reason}",
            where=path,
            hint="restore it from a copy, or name another file",
        ) from error

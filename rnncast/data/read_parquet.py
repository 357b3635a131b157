"""Parquet files: columns in the types that the file gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnncast.data.arrow import is_text
from rnncast.data.source import Source
from rnncast.data.table import Kind, kind_of_text
from rnncast.errors import DataError

_SAMPLE_ROWS = 256


class ParquetTable:
    """A Parquet file. Satisfies `rnncast.data.table.Table`."""

    def __init__(self, source: Source) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.name = source.name
        self.data = source.data
        try:
            # `pyarrow.parquet.read_table` imports pandas, this does not.
            self.file = pq.ParquetFile(pa.BufferReader(source.data))
            self.schema = self.file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                "this is not a valid Parquet file: its end is missing or damaged",
                where=source.name,
                hint="it may be cut off: get it again",
            ) from error
        self.names: tuple[str, ...] = tuple(self.schema.names)
        if twice := [name for name in self.names if self.names.count(name) > 1]:
            raise DataError(
                f"{self.names.count(twice[0])} columns are named {twice[0]!r}",
                where=self.name,
                hint="give every column a name of its own",
            )
        if self.file.metadata.num_rows == 0:
            raise DataError("the file holds no row", where=self.name)
        self._columns: dict[int, Any] = {}

    def kind(self, column: int) -> Kind:
        """What the type, or the first cells of a text column, say."""
        import pyarrow as pa

        kinds, dtype = pa.types, self.schema.field(column).type
        if kinds.is_dictionary(dtype):
            dtype = dtype.value_type
        if kinds.is_integer(dtype) or kinds.is_floating(dtype) or kinds.is_decimal(dtype):
            return Kind.NUMBER
        if kinds.is_timestamp(dtype) or kinds.is_date(dtype):
            return Kind.TIME
        if kinds.is_string(dtype) or kinds.is_large_string(dtype) or kinds.is_string_view(dtype):
            return kind_of_text([cell or "" for cell in self.column(column).slice(0, _SAMPLE_ROWS).to_pylist()])
        return Kind.UNUSABLE

    def load(self, time: int | None, target: int, series: int | None) -> None:
        """Read the columns of these roles in one pass; that of `series` may stay a dictionary.

        Raises
        ------
        DataError
            The file is damaged.
        """
        self._read([column for column in (time, target, series) if column is not None], series)

    def _read(self, columns: Sequence[int], encoded: int | None = None) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = [self.names[c] for c in columns]
        file = self.file
        if encoded is not None and "string" in str(self.schema.field(encoded).type):
            file = pq.ParquetFile(pa.BufferReader(self.data), read_dictionary=[self.names[encoded]])
        try:
            table = file.read(columns=names)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                "the Parquet file is damaged", where=self.name, hint=str(error).splitlines()[0][:200]
            ) from error
        for column, name in zip(columns, names, strict=True):
            self._columns[column] = _plain(table[name], keep_dictionary=column == encoded)

    def column(self, column: int) -> Any:
        """Cells of a column in the file's type: a pyarrow ChunkedArray, dictionaries decoded."""
        if column not in self._columns:
            self._read([column])
        return self._columns[column]

    def place(self, row: int) -> str:
        """File and number of a row, from 1."""
        return f"{self.name}, row {row + 1}"


def _plain(column: Any, keep_dictionary: bool) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type) and not keep_dictionary:
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if is_text(column) and column.type != pa.string() else column

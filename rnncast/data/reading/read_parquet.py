"""Parquet files: columns in the types that the file gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rnncast.data.reading.arrow import is_text
from rnncast.data.reading.cells import Cells, CellsBuilder
from rnncast.data.reading.names import NameParser
from rnncast.data.reading.parquet import damages, open_parquet, read_sound
from rnncast.data.reading.source import Source
from rnncast.data.reading.table import Kind, Parser, kind_of_text
from rnncast.errors import DataError

_SAMPLE_ROWS = 256


class ParquetTable:
    """A Parquet file. Satisfies `rnncast.data.reading.table.Table`."""

    separator = ""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.source = source
        self.notes = source.notes
        try:
            self.file = open_parquet(self._input())
            self.schema = self.file.schema_arrow
            self.names: tuple[str, ...] = tuple(self.schema.names)
        except damages() as error:
            raise DataError(
                "this is not a valid Parquet file: its end is missing or damaged",
                where=source.name,
                hint="it may be cut off: get it again",
            ) from error
        if twice := [name for name in self.names if self.names.count(name) > 1]:
            raise DataError(
                f"{self.names.count(twice[0])} columns are named {twice[0]!r}",
                where=self.name,
                hint="give every column a name of its own",
            )
        if self.file.metadata.num_rows == 0:
            raise DataError("the file holds no row", where=self.name)

    def _input(self) -> Any:
        import pyarrow as pa

        return self.source.path or pa.BufferReader(self.source.read(0, self.source.size))

    def kind(self, column: int) -> Kind:
        """What the type of a column says, or its first cells if it is text."""
        import pyarrow as pa

        kinds, dtype = pa.types, self.schema.field(column).type
        if kinds.is_dictionary(dtype):
            dtype = dtype.value_type
        if kinds.is_integer(dtype) or kinds.is_floating(dtype) or kinds.is_decimal(dtype):
            return Kind.NUMBER
        if kinds.is_null(dtype):
            return Kind.EMPTY
        if kinds.is_timestamp(dtype) or kinds.is_date(dtype):
            return Kind.TIME
        if kinds.is_time(dtype):
            return Kind.CLOCK
        if self.is_text(column):
            return kind_of_text(self.sample(column))
        return Kind.UNUSABLE

    def is_text(self, column: int) -> bool:
        """Whether the cells of a column are written as text."""
        import pyarrow as pa

        dtype = self.schema.field(column).type
        dtype = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
        return any(test(dtype) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))

    def sample(self, column: int) -> list[str]:
        """First cells of a column as text; none of one whose type says what it holds."""
        import pyarrow as pa

        kinds, dtype = pa.types, self.schema.field(column).type
        asked = (kinds.is_integer, kinds.is_date, kinds.is_time)
        if not self.is_text(column) and not any(test(dtype) for test in asked):
            return []
        try:
            batch = next(self.file.iter_batches(_SAMPLE_ROWS, columns=[self.names[column]]), None)
            cells = [] if batch is None else batch.column(0).to_pylist()
        except damages(OverflowError) as error:  # of a date beyond Python's calendar
            raise self._damaged(error) from error
        return ["" if cell is None else str(cell) for cell in cells]

    def texts(self, column: int) -> Iterator[Any]:
        """All cells of a column of text, of dates or of times of day, one pyarrow array a piece; none of others."""
        import pyarrow as pa

        dtype = self.schema.field(column).type
        if self.is_text(column) or pa.types.is_date(dtype) or pa.types.is_time(dtype):
            yield from (_plain(chunk).cast(pa.string()) for chunk in self._read([column])[0].chunks)

    def load(self, parsers: Mapping[int, Parser]) -> dict[int, Cells]:
        """Read and parse columns in one pass.

        Raises
        ------
        DataError
            The file is damaged.
        """
        named = [column for column, parser in parsers.items() if isinstance(parser, NameParser)]
        cells = {}
        for column, chunks in zip(parsers, self._read(list(parsers), named), strict=True):
            builder = CellsBuilder(len(chunks))
            for chunk in chunks.chunks:
                builder.add(parsers[column].parse(chunk if column in named else _plain(chunk)))
            cells[column] = builder.cells()
        return cells

    def _read(self, columns: list[int], encoded: list[int] | None = None) -> list[Any]:
        names = [self.names[c] for c in columns]
        dictionaries = [self.names[c] for c in encoded or () if self.is_text(c)]
        try:
            table = self._read_encoded(names, dictionaries) if dictionaries else read_sound(self.file, names)
        except damages() as error:
            raise self._damaged(error) from error
        return [table[name] for name in names]

    def _read_encoded(self, names: list[str], dictionaries: list[str]) -> Any:
        """Columns as they are, those of `dictionaries` with a dictionary where pyarrow can give them one."""
        try:
            return read_sound(open_parquet(self._input(), read_dictionary=dictionaries), names)
        except damages():  # not of text that is stored as what it adds to the text before; or damaged, then so is this
            return read_sound(self.file, names)

    def _damaged(self, error: Exception) -> DataError:
        return DataError("the Parquet file is damaged", where=self.name, hint=str(error).splitlines()[0][:200])

    def place(self, row: int) -> str:
        """File and number of a row, from 1."""
        return f"{self.name}, row {row + 1}"

    def cell(self, row: int, column: int) -> str:
        """A cell as it stands in the file."""
        found = self._read([column])[0][row]
        try:
            return str(found.as_py())
        except OverflowError:  # a stamp beyond Python's calendar
            return str(found.value)


def _plain(column: Any) -> Any:
    """A column without a dictionary, its text in pyarrow's common type."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if is_text(column) and column.type != pa.string() else column

"""CSV files through one strict reader: every cell is what it should be, or is named; so is a row of too many fields.

The text is read block by block; pyarrow converts the blocks on all cores, straight to numbers where it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from rnncast.data.options import ReadOptions
from rnncast.data.reading.blocks import Block, Blocks
from rnncast.data.reading.cells import Cells, CellsBuilder
from rnncast.data.reading.dialect import find_dialect, sample_rows
from rnncast.data.reading.faults import misplaced_quote, nul_byte
from rnncast.data.reading.look import SAMPLE, fields_of
from rnncast.data.reading.markers import SPELLINGS, is_missing
from rnncast.data.reading.numbers import NumberParser
from rnncast.data.reading.source import HEAD, Source, may_be_windows
from rnncast.data.reading.table import Kind, Parser, kind_of_text
from rnncast.errors import DataError

_PIECE = 1 << 20
"""Bytes that pyarrow gives to a core at a time."""


class CsvTable:
    """A CSV file: the names of its header, and its cells. Satisfies `rnncast.data.reading.table.Table`."""

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self.options = options
        self._kinds: dict[int, Kind] = {}
        self._open(source)

    def _open(self, source: Source) -> None:
        dialect = find_dialect(source, self.options)
        self.source, self.name = source, source.name
        self.names, self.separator = dialect.names, dialect.separator
        self.notes = dialect.notes
        if dialect.start >= source.size:
            raise DataError("there is a header and no row after it", where=self.name)
        self.blocks = Blocks(source, dialect.start, len(self.names) > 1, dialect.separator)
        if source.read(source.size - 1, source.size) not in (b"\n", b"\r"):
            self.notes += ("the last line has no line end: if the file was cut off, its last value may be, too",)

    @cached_property
    def _sample(self) -> Sequence[Sequence[str]]:
        text = self.source.read(self.blocks.start, self.blocks.start + HEAD)
        return sample_rows(text, self.separator, len(self.names))

    def sample(self, column: int) -> list[str]:
        """First cells of a column."""
        return [row[column] for row in self._sample]

    def kind(self, column: int) -> Kind:
        """What the first cells of a column look like."""
        if column not in self._kinds:
            kind = kind_of_text(self.sample(column))
            if kind is Kind.EMPTY:  # a series may begin late
                kind = kind_of_text(self._first_present(column))
            self._kinds[column] = kind
        return self._kinds[column]

    def _first_present(self, column: int) -> list[str]:
        """First cells of a column that are not missing, wherever they are."""
        for texts in self.texts(column):
            if present := [cell for cell in texts.to_pylist() if not is_missing(cell)]:
                return present[:SAMPLE]
        return []

    def is_text(self, column: int) -> bool:
        """Whether the cells of a column are written as text: all are."""
        return True

    def texts(self, column: int) -> Iterator[Any]:
        """All cells of a column as text, one pyarrow array a block."""
        for block in self.blocks:
            self._check(block)
            yield from self._read_text(block, [column])[column].chunks

    def load(self, parsers: Mapping[int, Parser]) -> dict[int, Cells]:
        """Read and parse columns in one pass.

        The reader converts dates and numbers itself if every cell of a block is one, in the form met most often; if any
        is not, the block's cells are read as text, for the parsers that know the other forms and can tell which is bad.

        Raises
        ------
        DataError
            A row has more or fewer fields than the header, a quote is out of place, or a cell is not UTF-8.
        """
        self.blocks.forget()
        types, decimal = _types(parsers)
        builders: dict[int, CellsBuilder] = {}
        for block, columns in self._columns(types, decimal):
            pieces = self._parsed(block, columns, types, parsers)
            rows = sum(map(len, next(iter(pieces.values()))))
            self.blocks.found(block, rows)
            if not builders:
                share = len(block) / (self.source.size - self.blocks.start)
                builders = {c: CellsBuilder(rows if share == 1 else round(1.02 * rows / share)) for c in parsers}
            for column, cells in pieces.items():
                for piece in cells:
                    builders[column].add(piece)
        return {column: builder.cells() for column, builder in builders.items()}

    def _columns(self, types: Mapping[int, Any], decimal: str) -> Iterator[tuple[Block, dict[int, Any] | None]]:
        """Blocks and their columns; None where they hold a cell that is not of its type.

        One is read while another is at work, by pyarrow on all cores.
        """
        import pyarrow as pa

        def convert(block: Block) -> dict[int, Any] | None:
            self._check(block)
            if pa.int64() in types.values() and (block.find(b"0x") or block.find(b"0X")):
                return None  # the reader takes these for integers
            try:
                return self._read(block, types, decimal)
            except pa.ArrowInvalid:
                return None

        blocks = iter(self.blocks)
        first = next(blocks, None)
        second = next(blocks, None)
        if first is None or second is None:  # a small file needs no thread
            yield from ((block, convert(block)) for block in (first,) if block is not None)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            block, work = first, pool.submit(convert, first)
            for following in chain((second,), blocks):
                next_work = pool.submit(convert, following)
                yield block, work.result()
                block, work = following, next_work
            yield block, work.result()

    def _parsed(
        self, block: Block, columns: dict[int, Any] | None, types: Mapping[int, Any], parsers: Mapping[int, Parser]
    ) -> dict[int, list[Cells]]:
        """Cells of a block by column, in pieces: converted by the reader, or else parsed from text."""
        import pyarrow as pa

        if columns is not None:
            cells = {c: [parser.parse(piece) for piece in columns[c].chunks] for c, parser in parsers.items()}
            if all(
                _is_plain(piece, chunk)
                for column, dtype in types.items()
                if dtype != pa.string()
                for piece, chunk in zip(cells[column], columns[column].chunks, strict=True)
            ):
                return cells
        texts = self._read_text(block, parsers)
        return {c: [parser.parse(piece) for piece in texts[c].chunks] for c, parser in parsers.items()}

    def _read_text(self, block: Block, columns: Iterable[int]) -> dict[int, Any]:
        import pyarrow as pa

        if (nul := block.find(b"\0")) is not None:
            raise nul_byte(self._line(nul))
        try:
            return self._read(block, {column: pa.string() for column in columns})
        except pa.ArrowInvalid as error:
            raise self._explained(block, error) from error

    def _check(self, block: Block) -> None:
        """DataError for a block whose quotes are out of place."""
        if block.has_quotes and (quote := self.blocks.records(block.data).misplaced_quote()) is not None:
            raise misplaced_quote(self._line(block.position + quote))

    def _read(self, block: Block, types: Mapping[int, Any], decimal: str = ".") -> dict[int, Any]:
        """Columns of these types, cell by cell or not at all (pyarrow.ArrowInvalid)."""
        import pyarrow as pa

        try:
            return self._read_pieces(block, types, decimal, _PIECE)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):  # a row longer than a piece
                raise
            return self._read_pieces(block, types, decimal, len(block))

    def _read_pieces(self, block: Block, types: Mapping[int, Any], decimal: str, size: int) -> dict[int, Any]:
        import pyarrow as pa
        import pyarrow.csv as pcsv

        wanted = {str(column): dtype for column, dtype in types.items()}
        table = pcsv.read_csv(
            pa.BufferReader(pa.py_buffer(block.view)),
            # Names may be empty or occur twice: columns go by their number.
            read_options=pcsv.ReadOptions(
                column_names=[str(column) for column in range(len(self.names))],
                block_size=min(size, len(block)) + 1,
            ),
            parse_options=pcsv.ParseOptions(
                delimiter=self.separator,
                newlines_in_values=block.has_quotes,
                ignore_empty_lines=self.blocks.skip_blank,
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=wanted,
                include_columns=list(wanted),
                null_values=list(SPELLINGS),
                strings_can_be_null=False,
                decimal_point=decimal,
            ),
            memory_pool=pa.system_memory_pool(),  # gives blocks back; the default pool is slower here and keeps them
        )
        return {int(name): table[name] for name in wanted}

    def _explained(self, block: Block, error: Exception) -> Exception:
        """Which row of a block it was that the reader refused."""
        expected = len(self.names)
        data = block.data
        records = self.blocks.records(data)
        counts = records.field_counts(self.separator)
        ragged = (counts != expected).nonzero()[0]
        if len(ragged):
            row = int(ragged[0])
            found = int(counts[row])
            further = ("", "; 1 more row differs", f"; {len(ragged) - 1:,} more rows differ")[min(len(ragged) - 1, 2)]
            return DataError(
                f"the row has {found} {'field' if found == 1 else 'fields'}, the header {expected}{further}",
                where=self._line(block.position + int(records.spans[0][row])),
                hint="a field is missing, or the row was cut off; a line that is no row must go"
                if found < expected
                else "a separator inside a field needs quotes around the field; a line that is no row must go",
            )
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as broken:
            text = self.source.read(0, self.source.size)
            if self.options.encoding is None and "".join(self.names).isascii() and may_be_windows(text):
                return OtherEncodingError()
            return DataError(
                "a cell is not encoded in UTF-8",
                where=self._line(block.position + broken.start),
                hint="save the file as UTF-8, or name its encoding with --encoding",
            )
        return DataError(f"the rows cannot be read: {str(error).splitlines()[0][:200]}", where=self.name)

    def _line(self, byte: int) -> str:
        return f"{self.name}:{self.blocks.line_of_byte(byte)}"

    def place(self, row: int) -> str:
        """File and line, from 1, that a row begins in; right with blank lines and line ends in quotes before it."""
        return f"{self.name}:{self.blocks.line_of_row(row)}"

    def cell(self, row: int, column: int) -> str:
        """A cell as it stands in the file."""
        text = self.blocks.record_of_row(row).decode("utf-8", "replace")
        return fields_of(text, self.separator)[column]


class OtherEncodingError(Exception):
    """A cell is not UTF-8, and the text may be western Windows as a whole: it is to be read anew."""


def _is_plain(cells: Cells, column: Any) -> bool:
    """Whether a converted column holds finite values and missing markers alone.

    The reader takes "nan(1)" and "infinity" for numbers, too.
    """
    missing = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
    return cells.bad is None and missing == column.null_count


def _types(parsers: Mapping[int, Parser]) -> tuple[dict[int, Any], str]:
    """Types that the reader may convert columns to, and the decimal mark; it knows but one mark at a time."""
    import pyarrow as pa

    styles = {column: parser.style for column, parser in parsers.items() if isinstance(parser, NumberParser)}
    decimals = {style.decimal for style in styles.values()}
    decimal = decimals.pop() if len(decimals) == 1 else "."
    types = {
        column: None if column in styles and styles[column].decimal != decimal else parser.csv_type
        for column, parser in parsers.items()
    }
    return {column: pa.string() if dtype is None else dtype for column, dtype in types.items()}, decimal

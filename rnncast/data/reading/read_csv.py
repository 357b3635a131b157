"""CSV files through one strict reader: every cell is what it should be, or is named; so is a row of too many fields.

The text is read block by block; pyarrow converts the blocks on two threads, straight to numbers where it can.
"""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from rnncast.data.options import ReadOptions
from rnncast.data.reading.arrow import one_chunk
from rnncast.data.reading.blocks import BUFFERS, Block, Blocks
from rnncast.data.reading.cells import Cells, CellsBuilder
from rnncast.data.reading.dialect import find_dialect, sample_rows
from rnncast.data.reading.faults import misplaced_quote, nul_byte
from rnncast.data.reading.markers import SPELLINGS
from rnncast.data.reading.numbers import NumberParser
from rnncast.data.reading.source import HEAD, WINDOWS, Source, may_be_windows
from rnncast.data.reading.table import Kind, Parser, kind_of_text
from rnncast.errors import DataError

_WORKERS = 2
"""Threads that convert blocks: the reader of the file is seldom faster than two of them."""


class CsvTable:
    """A CSV file: the names of its header, and its cells. Satisfies `rnncast.data.reading.table.Table`."""

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self.options = options
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
        return kind_of_text(self.sample(column))

    def texts(self, column: int) -> Iterator[Any]:
        """All cells of a column as text, one pyarrow array a block."""
        for block in self.blocks:
            self._check(block)
            yield self._read_text(block, [column])[column]

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
        builders: dict[int, CellsBuilder] = {}
        try:
            for block, pieces in _in_order(self.blocks, lambda block: self._parse(block, parsers)):
                rows = len(next(iter(pieces.values())))
                self.blocks.found(block, rows)
                if not builders:
                    share = len(block) / (self.source.size - self.blocks.start)
                    builders = {c: CellsBuilder(rows if share == 1 else round(1.02 * rows / share)) for c in parsers}
                for column, piece in pieces.items():
                    builders[column].add(piece)
        except _OtherEncodingError:
            note = f"not UTF-8: read as {WINDOWS} (western Windows); --encoding names another"
            self._open(self.source.decoded(WINDOWS, note))
            return self.load(parsers)
        return {column: builder.cells() for column, builder in builders.items()}

    def _parse(self, block: Block, parsers: Mapping[int, Parser]) -> dict[int, Cells]:
        import pyarrow as pa

        self._check(block)
        styles = [parser.style for parser in parsers.values() if isinstance(parser, NumberParser)]
        decimals = {style.decimal for style in styles}
        decimal = decimals.pop() if len(decimals) == 1 else "."  # the reader knows one at a time
        types = {column: self._type(parser, decimal) for column, parser in parsers.items()}
        if any(dtype is not None for dtype in types.values()):
            try:
                columns = self._read(block, {c: dtype or pa.string() for c, dtype in types.items()}, decimal)
            except pa.ArrowInvalid:
                pass
            else:
                cells = {column: parser.parse(columns[column]) for column, parser in parsers.items()}
                if all(_is_plain(cells[c], columns[c]) for c, dtype in types.items() if dtype is not None):
                    return cells
        columns = self._read_text(block, parsers)
        return {column: parser.parse(columns[column]) for column, parser in parsers.items()}

    def _read_text(self, block: Block, columns: Iterable[int]) -> dict[int, Any]:
        import pyarrow as pa

        if (nul := block.find(b"\0")) is not None:
            raise nul_byte(self._line(nul))
        try:
            return self._read(block, {column: pa.string() for column in columns})
        except pa.ArrowInvalid as error:
            raise self._explained(block, error) from error

    @staticmethod
    def _type(parser: Parser, decimal: str) -> Any | None:
        other = isinstance(parser, NumberParser) and parser.style.decimal != decimal
        return None if other else parser.csv_type

    def _check(self, block: Block) -> None:
        """DataError for a block whose quotes are out of place."""
        if block.has_quotes and (quote := self.blocks.records(block.data).misplaced_quote()) is not None:
            raise misplaced_quote(self._line(block.position + quote))

    def _read(self, block: Block, types: Mapping[int, Any], decimal: str = ".") -> dict[int, Any]:
        """Columns of these types, cell by cell or not at all (pyarrow.ArrowInvalid)."""
        import pyarrow as pa
        import pyarrow.csv as pcsv

        wanted = {str(column): dtype for column, dtype in types.items()}
        table = pcsv.read_csv(
            pa.BufferReader(pa.py_buffer(block.view)),
            # Names may be empty or occur twice: columns go by their number.
            read_options=pcsv.ReadOptions(
                column_names=[str(column) for column in range(len(self.names))],
                use_threads=False,
                block_size=len(block) + 1,
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
        )
        return {int(name): one_chunk(table[name]) for name in wanted}

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
                return _OtherEncodingError()
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
        lines = text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True) or [""]
        return next(csv.reader(lines, delimiter=self.separator))[column]


class _OtherEncodingError(Exception):
    """A cell is not UTF-8, and the text may be in another encoding as a whole."""


def _is_plain(cells: Cells, column: Any) -> bool:
    """Whether a converted column holds finite values and missing markers alone.

    The reader takes "nan(1)" and "infinity" for numbers, too.
    """
    missing = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
    return cells.bad is None and missing == column.null_count


def _in_order(blocks: Iterable[Block], work: Callable[[Block], Any]) -> Iterator[tuple[Block, Any]]:
    """Blocks and what `work` gives for each, in order, done on a few threads; the first block on this one."""
    iterator = iter(blocks)
    first = next(iterator, None)
    if first is None:
        return
    second = next(iterator, None)
    if second is None or (os.cpu_count() or 1) < 2:
        yield first, work(first)
        while second is not None:
            yield second, work(second)
            second = next(iterator, None)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    with ThreadPoolExecutor(_WORKERS) as pool:
        waiting: deque[tuple[Block, Future[Any]]] = deque((b, pool.submit(work, b)) for b in (first, second))
        for block in iterator:
            waiting.append((block, pool.submit(work, block)))
            if len(waiting) >= BUFFERS - 1:
                done, result = waiting.popleft()
                yield done, result.result()
        for done, result in waiting:
            yield done, result.result()

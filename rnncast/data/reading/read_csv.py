"""CSV files through one strict reader: every cell is what it should be, or is named; so is a row of too many fields.

The text is read block by block; pyarrow converts several at once, straight to numbers where it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from rnncast.data.options import ReadOptions
from rnncast.data.reading.blocks import Block, Blocks
from rnncast.data.reading.cells import Cells, CellsBuilder
from rnncast.data.reading.conversion import Converter, in_order, threads
from rnncast.data.reading.dialect import find_dialect, sample_rows
from rnncast.data.reading.encodings import may_be_windows
from rnncast.data.reading.faults import misplaced_quote, nul_byte
from rnncast.data.reading.look import SAMPLE, fields_of
from rnncast.data.reading.markers import is_missing
from rnncast.data.reading.source import HEAD, Source
from rnncast.data.reading.table import Kind, Parser, kind_of_text
from rnncast.errors import DataError


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
        skip_blank = len(self.names) > 1
        self.blocks = Blocks(source, dialect.start, skip_blank)
        if not self.blocks.is_one:  # one block takes no threads, and maybe no pyarrow, which counts them
            self.blocks.in_use = threads() + 1
        self.converter = Converter(len(self.names), dialect.separator, skip_blank)
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
            yield self._texts(block, [column])[column]

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
        for block, cells in self._cells(parsers):
            rows = len(next(iter(cells.values())))
            self.blocks.found(block, rows)
            if not builders:
                share = len(block) / (self.source.size - self.blocks.start)
                builders = {c: CellsBuilder(rows if share == 1 else round(1.02 * rows / share)) for c in parsers}
            for column, builder in builders.items():
                builder.add(cells[column])
        return {column: builder.cells() for column, builder in builders.items()}

    def _cells(self, parsers: Mapping[int, Parser]) -> Iterator[tuple[Block, dict[int, Cells]]]:
        """Blocks in order, and the cells of their columns."""

        def convert(block: Block) -> dict[int, Any] | None:
            return self.converter.cells(block, parsers)

        for block, converted in in_order(convert, self.blocks, self.blocks.in_use - 1):
            columns = self._texts(block, parsers) if converted is None else converted
            yield (
                block,
                {c: found if isinstance(found, Cells) else parsers[c].parse(found) for c, found in columns.items()},
            )

    def _texts(self, block: Block, columns: Iterable[int]) -> dict[int, Any]:
        """Columns of a block as text; DataError for what is wrong with its rows."""
        import pyarrow as pa

        if (quote := self.converter.misplaced_quote(block)) is not None:
            raise misplaced_quote(self._line(quote))
        if (nul := block.find(b"\0")) is not None:
            raise nul_byte(self._line(nul))
        try:
            return self.converter.texts(block, columns)
        except pa.ArrowInvalid as error:
            raise self._explained(block, error) from error

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
            more = self._count_ragged(block.position) - 1
            further = ("", "; 1 more row differs", f"; {more:,} more rows differ")[min(more, 2)]
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

    def _count_ragged(self, position: int) -> int:
        """Number of rows with more or fewer fields than the header, from a byte of the text on."""
        rest = (self.blocks.records(block.data) for block in self.blocks if block.position >= position)
        return sum(int((records.field_counts(self.separator) != len(self.names)).sum()) for records in rest)

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

"""CSV files through one strict reader: every cell is what it should be, or is named; so is a row of too many fields.

What is not understood yet (other separators and encodings, comment lines) is an error that says so; nothing is guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cached_property
from itertools import islice
from typing import Any, NoReturn

import numpy as np

from rnncast.data.arrow import to_numpy
from rnncast.data.records import Records
from rnncast.data.source import Source
from rnncast.data.table import COMMON_MARKERS, ISO_DATE, NUMBER, Kind, kind_of_text
from rnncast.errors import DataError

_SAMPLE_ROWS = 256
_SAMPLE_BYTES = 1 << 18
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class CsvTable:
    """A CSV file: the names of its header, and its cells as text. Satisfies `rnncast.data.table.Table`."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.data = source.data.removeprefix(b"\xef\xbb\xbf")
        if (nul := self.data.find(b"\0")) >= 0:
            raise DataError(
                "the text holds a NUL byte", where=self._line(nul), hint="the file is damaged: get it again"
            )
        first = len(self.data) - len(self.data.lstrip(b"\r\n"))
        self.has_quotes = b'"' in self.data
        if self.has_quotes and (quote := Records(self.data, first).misplaced_quote()) is not None:
            raise DataError(
                "a quotation mark stands where no field begins or ends, or is never closed",
                where=self._line(quote),
                hint='a field that holds one is written in quotes, with the mark doubled: "5"" pipe"',
            )
        self.names, self.start = self._read_header(first)
        self._refuse_headless()
        self.records = Records(self.data, self.start, skip_blank=len(self.names) > 1)
        self._columns: dict[int, Any] = {}

    def _line(self, byte: int) -> str:
        return f"{self.name}:{Records(self.data).line_of_byte(byte)}"

    def _read_header(self, start: int) -> tuple[tuple[str, ...], int]:
        """Names of the columns in the line that begins at byte `start`, and the byte at which the rows begin."""
        if start == len(self.data):
            raise DataError("the input holds blank lines only", where=self.name)
        head = self.data[start : start + _SAMPLE_BYTES]
        records = Records(head)
        stop = int(records.spans[1][0])
        line = head[:stop]
        try:
            text = line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise DataError(
                "the header is not encoded in UTF-8", where=self._line(start), hint="save the file as UTF-8"
            ) from None
        if text.startswith("#"):
            self._refuse_comments(head, start)
        if "," not in text:
            for separator, name in _OTHER_SEPARATORS.items():
                if separator in text:
                    raise DataError(
                        f"the columns are separated by {name}, expected commas",
                        where=self._line(start),
                        hint="save the file with commas between columns and points in numbers",
                    )
        try:
            return tuple(name.strip() for name in next(csv.reader([text]))), start + stop
        except csv.Error as error:
            raise DataError(f"the header cannot be read: {error}", where=self._line(start)) from error

    def _refuse_comments(self, head: bytes, start: int) -> NoReturn:
        first = self.data.count(b"\n", 0, start) + 1
        lines = head.splitlines()
        header = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith(b"#")), None)
        hint = "remove the lines that begin with #"
        if header is not None:
            hint += f"; the header seems to be line {first + header}"
        raise DataError("the file begins with comment lines, expected a header", where=self._line(start), hint=hint)

    def _refuse_headless(self) -> None:
        names = [name for name in self.names if name]
        dates = [name for name in names if ISO_DATE.fullmatch(name) and len(name) >= 10]
        if not names or dates or all(NUMBER.fullmatch(name) for name in names):
            raise DataError(
                f"the first line holds no column names: {','.join(self.names)[:60]!r}",
                where=self.name,
                hint="put a line of names before it, such as date,price",
            )

    @cached_property
    def _sample(self) -> list[list[str]]:
        """First rows, for a look at what the columns hold."""
        text = self.data[self.start : self.start + _SAMPLE_BYTES].decode("utf-8", "replace")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if self.start + _SAMPLE_BYTES < len(self.data):
            lines.pop()  # cut off in the middle
        rows = csv.reader([line + "\n" for line in lines if line])
        try:
            return [row for row in islice(rows, _SAMPLE_ROWS) if len(row) == len(self.names)]
        except csv.Error:  # a field longer than the module takes
            return []

    def kind(self, column: int) -> Kind:
        """What the first cells of a column look like."""
        return kind_of_text([row[column] for row in self._sample])

    def load(self, time: int | None, target: int, series: int | None) -> None:
        """Read the columns of these roles in one pass, that of `series` as a dictionary.

        The reader converts dates and numbers itself if every cell is one, in the form met most often; if any is not,
        cells are read as text, for the parsers that know the other forms and can tell which cell is bad.

        Raises
        ------
        DataError
            A row has more or fewer fields than the header, or a cell is not UTF-8.
        """
        import pyarrow as pa

        text = {column: pa.string() for column in (time, target) if column is not None}
        encoded = {} if series is None else {series: pa.dictionary(pa.int32(), pa.string())}
        if time is None or self.kind(time) is Kind.TIME:
            typed = {column: pa.timestamp("us") if column == time else pa.float64() for column in text}
            try:
                columns = self._read(typed | encoded)
            except pa.ArrowInvalid:
                pass
            else:
                # The parser takes "nan(1)" and "infinity" for numbers.
                if np.isfinite(to_numpy(columns[target], "f8")).all():
                    self._columns |= columns
                    return
        self._columns |= self._read_text(text | encoded)

    def _read_text(self, types: Mapping[int, Any]) -> dict[int, Any]:
        import pyarrow as pa

        try:
            return self._read(types)
        except pa.ArrowInvalid as error:
            self._explain(error)

    def _read(self, types: Mapping[int, Any]) -> dict[int, Any]:
        """Columns of these types, cell by cell or not at all (pyarrow.ArrowInvalid)."""
        import pyarrow as pa
        import pyarrow.csv as pcsv

        if self.start == len(self.data):
            raise DataError("there is a header and no row after it", where=self.name)
        wanted = {str(column): dtype for column, dtype in types.items()}
        body: Any = pa.BufferReader(pa.py_buffer(self.data).slice(self.start))
        table = pcsv.read_csv(
            body,
            # Names may be empty or occur twice: columns go by their number.
            read_options=pcsv.ReadOptions(column_names=[str(column) for column in range(len(self.names))]),
            parse_options=pcsv.ParseOptions(
                newlines_in_values=self.has_quotes, ignore_empty_lines=self.records.skip_blank
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=wanted,
                include_columns=list(wanted),
                null_values=list(COMMON_MARKERS),
                strings_can_be_null=False,
            ),
        )
        return {int(name): table[name] for name in wanted}

    def _explain(self, error: Exception) -> NoReturn:
        """Say which row it was that the reader refused."""
        expected = len(self.names)
        ragged = (self.records.field_counts != expected).nonzero()[0]
        if len(ragged):
            row = int(ragged[0])
            found = int(self.records.field_counts[row])
            further = ("", "; 1 more row differs", f"; {len(ragged) - 1:,} more rows differ")[min(len(ragged) - 1, 2)]
            raise DataError(
                f"the row has {found} {'field' if found == 1 else 'fields'}, the header {expected}{further}",
                where=self.place(row),
                hint="a comma inside a field needs quotes around the field; a line that is no row must go",
            ) from error
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError as broken:
            raise DataError(
                "a cell is not encoded in UTF-8", where=self._line(broken.start), hint="save the file as UTF-8"
            ) from error
        raise DataError(f"the rows cannot be read: {str(error).splitlines()[0][:200]}", where=self.name) from error

    def column(self, column: int) -> Any:
        """Cells of a column, as a pyarrow ChunkedArray: stamps, numbers or a dictionary if so loaded, else text."""
        if column not in self._columns:
            import pyarrow as pa

            self._columns |= self._read_text({column: pa.string()})
        return self._columns[column]

    def place(self, row: int) -> str:
        """File and line, from 1, that a row begins in; right with blank lines and line ends in quotes before it."""
        return f"{self.name}:{self.records.line(row)}"

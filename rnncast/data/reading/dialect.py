"""How a CSV text is written: what separates its fields, and where its header stands. Found from its head.

Dimension letter: `R` records of the head.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.data.options import ReadOptions
from rnncast.data.reading.records import Records, count_lines, last_end
from rnncast.data.reading.source import HEAD, Source
from rnncast.data.reading.table import Kind, is_data, is_full_date, kind_of_text
from rnncast.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_MARK = b"\xef\xbb\xbf"
_SAMPLE = 256  # records by which a text is judged
_LEAST_SHARE = 0.8  # of records that have as many fields as most
_MOST_PREAMBLE = 30  # records that may stand before a header


@dataclass(frozen=True)
class Dialect:
    """How a CSV text is written.

    Attributes
    ----------
    separator
        Character between fields.
    names
        Names of the columns; numbered ones for a text without a header.
    start
        Byte at which the rows begin.
    notes
        What was found and is not plain.
    """

    separator: str
    names: tuple[str, ...]
    start: int
    notes: tuple[str, ...] = ()


def find_dialect(source: Source, options: ReadOptions) -> Dialect:
    """Judge a text by its head.

    Raises
    ------
    DataError
        There is no row, a quote is out of place, several separators fit, or no line can be a header.
    """
    head = source.read(0, HEAD)
    first = len(_MARK) if head.startswith(_MARK) else 0
    _refuse_nul(source.name, head)
    notes = list(source.notes)
    if options.header not in (None, "none"):
        start = _start_of_line(source, head, first, int(options.header or 1))
    else:
        start, comment = _after_comments(head, first, notes)
    if len(head) < source.size:
        stop = last_end(head, start, len(head))
        head = head[: stop if stop > start else len(head)]
    if not head[start:].strip(b"\r\n"):
        raise DataError("the input holds blank lines only", where=source.name)
    look = _Look(source.name, Records(head, start, separators="".join(SEPARATORS) + (options.separator or "")))
    separator = options.separator or look.separator()
    if separator != ",":
        notes.append(f"fields are separated by {SEPARATORS.get(separator, repr(separator))}")
    if options.header == "none" or (options.header is None and look.begins_with_data(separator)):
        named = None if options.header else look.header_in_comment(comment, separator)
        names = named or tuple(f"column_{n + 1}" for n in range(len(look.cells(0, separator))))
        notes.append(
            "the header stands in a comment line"
            if named
            else f"there is no header: the columns are called {names[0]}" + (f" to {names[-1]}" if names[1:] else "")
        )
        return Dialect(separator, names, start, tuple(notes))
    record = look.header(separator) if options.header is None else 0
    if record:
        skipped = look.records.text(0).decode("utf-8", "replace")
        notes.append(
            f"the header is line {look.records.line(record)}; {record} line{'s' * (record > 1)} before it left out: "
            f"{skipped[:60]!r}"
        )
    names = look.names(record, separator)
    return Dialect(separator, names, int(look.records.spans[1][record]), tuple(notes))


def _refuse_nul(name: str, head: bytes) -> None:
    if (nul := head.find(b"\0")) >= 0:
        raise nul_byte(f"{name}:{count_lines(head[:nul]) + 1}")


def nul_byte(where: str) -> DataError:
    """Error for a byte that no text holds."""
    return DataError("the text holds a NUL byte", where=where, hint="the file is damaged: get it again")


def _start_of_line(source: Source, head: bytes, first: int, line: int) -> int:
    """Byte at which a line, from 1, begins."""
    start = first
    for _ in range(line - 1):
        ends = [end for end in (head.find(b"\n", start), head.find(b"\r", start)) if end >= 0]
        if not ends:
            raise DataError(f"there is no line {line} for a header", where=source.name, hint="--header 1, for instance")
        start = min(ends) + (2 if head[min(ends) : min(ends) + 2] == b"\r\n" else 1)
    return start


def _after_comments(head: bytes, start: int, notes: list[str]) -> tuple[int, str]:
    """Byte after the blank lines and comments at the beginning, and the last comment."""
    count, comment = 0, ""
    for line in head[start:].splitlines(keepends=True):
        if line.startswith(b"#"):
            count, comment = count + 1, line.lstrip(b"# \t").decode("utf-8", "replace").strip()
        elif line.strip(b"\r\n"):
            break
        start += len(line)
    if count:
        notes.append(f"{count} comment line{'s' if count > 1 else ''} at the beginning left out")
    return start, comment


@dataclass(frozen=True)
class _Look:
    """A look at the records of the head."""

    name: str
    records: Records

    def __post_init__(self) -> None:
        if (quote := self.records.misplaced_quote()) is not None:
            raise misplaced_quote(f"{self.name}:{self.records.line_of_byte(quote)}")

    def cells(self, record: int, separator: str) -> list[str]:
        """Fields of a record."""
        text = self.records.text(record)
        try:
            line = text.decode("utf-8")
        except UnicodeDecodeError:
            raise DataError(
                "a cell is not encoded in UTF-8",
                where=f"{self.name}:{self.records.line(record)}",
                hint="save the file as UTF-8, or name its encoding with --encoding",
            ) from None
        try:
            return next(csv.reader([line], delimiter=separator), [""])
        except csv.Error as error:
            raise DataError(
                f"the line cannot be read: {error}", where=f"{self.name}:{self.records.line(record)}"
            ) from error

    def _counts(self, separator: str) -> NDArray[np.int64]:
        return self.records.field_counts(separator)[:_SAMPLE]  # (R,)

    def _most_common(self, separator: str) -> tuple[int, float]:
        """Most common number of fields, and the share of records after the first that have it."""
        counts = self._counts(separator)
        counts = counts[1:] if len(counts) > 1 else counts
        common = int(np.bincount(counts).argmax())
        return common, float(np.mean(counts == common))

    def separator(self) -> str:
        """The character that divides the records into equally many fields; DataError if several do."""
        fit = []
        for separator in SEPARATORS:
            common, share = self._most_common(separator)
            if common > 1 and share >= _LEAST_SHARE and self._counts(separator)[self.header(separator)] == common:
                fit.append(separator)
        if len(fit) > 1:
            scores = [self._typed_columns(separator) for separator in fit]
            fit = [separator for separator, score in zip(fit, scores, strict=True) if score == max(scores)]
        if len(fit) > 1:
            raise DataError(
                f"fields may be separated by {' or by '.join(SEPARATORS[s] for s in fit)}",
                where=f"{self.name}:{self.records.line(0)}",
                hint=" or ".join(f"--sep {'tab' if s == chr(9) else repr(s)}" for s in fit),
            )
        if fit:
            return fit[0]
        first = {separator: int(self._counts(separator)[0]) for separator in SEPARATORS}
        return max(first, key=lambda separator: first[separator])  # its rows are named, or there is one column

    def _typed_columns(self, separator: str) -> int:
        """Columns that hold nothing but numbers or stamps, or nothing at all."""
        width, _ = self._most_common(separator)
        start = self.header(separator) + 1
        rows = [self.cells(record, separator) for record in range(start, min(len(self.records.spans[0]), start + 40))]
        columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
        return sum(kind_of_text(column) in (Kind.NUMBER, Kind.TIME) for column in columns)

    def header(self, separator: str) -> int:
        """Record that is the header: the first that has as many fields as most, if those before it have fewer."""
        common, share = self._most_common(separator)
        counts = self._counts(separator)[:_MOST_PREAMBLE]
        fitting = np.flatnonzero(counts == common)
        if common < 2 or share < _LEAST_SHARE or not len(fitting) or counts[: fitting[0]].max(initial=0) > common:
            return 0
        record = int(fitting[0])
        return 0 if is_data(self.cells(record, separator)) else record

    def begins_with_data(self, separator: str) -> bool:
        """Whether the first record is a row; DataError if its dates run across the columns."""
        cells = self.cells(0, separator)
        if len(cells) > 2 and not is_data(cells[:1]) and all(is_full_date(cell) for cell in cells[1:]):
            raise DataError(
                "the dates run across the columns",
                where=f"{self.name}:{self.records.line(0)}",
                hint="turn the table, so that each row is a date and each column a series, and read it with --wide",
            )
        if not is_data(cells):
            return False
        common, share = self._most_common(separator)
        if share >= _LEAST_SHARE and len(cells) < common:
            raise DataError(
                f"the first line has {len(cells)} fields, the rows have {common}",
                where=f"{self.name}:{self.records.line(0)}",
                hint="name the line of the header with --header",
            )
        return True

    def header_in_comment(self, comment: str, separator: str) -> tuple[str, ...] | None:
        """Names in the last comment line, if they are as many as there are columns."""
        names = [name.strip() for name in next(csv.reader([comment], delimiter=separator), [])]
        fits = len(names) > 1 and len(names) == len(self.cells(0, separator)) and all(names)
        return tuple(names) if fits and not is_data(names) else None

    def names(self, record: int, separator: str) -> tuple[str, ...]:
        """Names in the header; DataError if there are none."""
        names = tuple(name.strip() for name in self.cells(record, separator))
        if not any(names):
            raise DataError(
                f"the first line holds no column names: {','.join(names)[:60]!r}",
                where=f"{self.name}:{self.records.line(record)}",
                hint="put a line of names before it, such as date,price, or say --header none",
            )
        return names


def misplaced_quote(where: str) -> DataError:
    """Error for a quotation mark inside of a field without quotes."""
    return DataError(
        "a quotation mark stands where no field begins or ends, or is never closed",
        where=where,
        hint='a field that holds one is written in quotes, with the mark doubled: "5"" pipe"',
    )


def sample_rows(text: bytes, separator: str, width: int) -> Sequence[Sequence[str]]:
    """First rows of a text that are as wide as they should be, for a look at what the columns hold."""
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(text) >= HEAD:
        lines.pop()  # cut off in the middle
    rows = []
    try:
        for row in csv.reader([line + "\n" for line in lines if line], delimiter=separator):
            if len(row) == width:
                rows.append(row)
            if len(rows) == _SAMPLE:
                break
    except csv.Error:  # a field longer than the module takes
        return []
    return rows

"""A look at the first records of a CSV text: what separates their fields, and which of them is the header.

Dimension letter: `R` records of the head.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rnncast.data.reading.faults import misplaced_quote
from rnncast.data.reading.records import Records
from rnncast.data.reading.table import Kind, is_full_date, is_row, is_typed, kind_of_text
from rnncast.errors import DataError
from rnncast.records import dataclass

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

SAMPLE = 256
"""Records by which a text is judged."""

_LONGEST_FIELD = 2**31 - 1
_TYPED = 40  # records by which separators that fit equally well are compared
_MOST, _MORE = 0.8, 0.5  # shares of records that have as many fields as most: what is asked first, and what will do
_MOST_PREAMBLE = 30  # records that may stand before a header


def fields_of(record: str, separator: str) -> list[str]:
    """Fields of one record, whose quoted fields may hold line ends; csv.Error if it cannot be divided."""
    csv.field_size_limit(_LONGEST_FIELD)
    lines = record.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # and at no other character
    return next(csv.reader([line + "\n" for line in lines], delimiter=separator), [""])


@dataclass(frozen=True)
class Fit:
    """How well a character divides the records.

    Attributes
    ----------
    separator
        The character.
    width
        Number of fields of most records after the first.
    share
        Share of them that have so many.
    header
        Record that would be the header: the first of that width.
    """

    separator: str
    width: int
    share: float
    header: int


class Look:
    """A look at the records of the head of a text.

    Parameters
    ----------
    name
        The input, for messages.
    records
        The records.
    """

    def __init__(self, name: str, records: Records) -> None:
        self.name, self.records = name, records

    def check_quotes(self, separator: str) -> None:
        """DataError for a quotation mark out of place."""
        if (quote := self.records.misplaced_quote(separator)) is not None:
            raise self._misplaced(quote)

    def _misplaced(self, quote: int) -> DataError:
        return misplaced_quote(f"{self.name}:{self.records.line_of_byte(quote)}")

    def cells(self, record: int, separator: str, errors: str = "strict") -> list[str]:
        """Fields of a record; DataError if it cannot be divided, or is not UTF-8 and `errors` is strict."""
        try:
            line = self.records.text(record).decode("utf-8", errors)
        except UnicodeDecodeError:
            raise DataError(
                "a cell is not encoded in UTF-8",
                where=self.place(record),
                hint="save the file as UTF-8, or name its encoding with --encoding",
            ) from None
        try:
            return fields_of(line, separator)
        except csv.Error as error:
            raise DataError(f"the line cannot be read: {error}", where=self.place(record)) from error

    def place(self, record: int) -> str:
        """File and line of a record."""
        return f"{self.name}:{self.records.line(record)}"

    def fit(self, separator: str) -> Fit:
        """How well a character divides the records."""
        counts = self._counts(separator)
        after = counts[1:] if len(counts) > 1 else counts
        width = int(np.bincount(after).argmax())
        first = np.flatnonzero(counts[:_MOST_PREAMBLE] == width)
        return Fit(separator, width, float(np.mean(after == width)), int(first[0]) if len(first) else -1)

    def _counts(self, separator: str) -> NDArray[np.int64]:
        return self.records.field_counts(separator)[:SAMPLE]  # (R,)

    @cached_property
    def separator(self) -> str:
        """The character that divides the records into equally many fields; DataError if several do equally well.

        Asked for are, in this order: nearly all records as wide as the first; most of them; nearly all as wide as a
        header further down. Quotation marks must stand at the edges of its fields.
        """
        quotes = {separator: self.records.misplaced_quote(separator) for separator in SEPARATORS}
        able = [separator for separator, quote in quotes.items() if quote is None]
        if not able:  # the true one has its first quote out of place where it was damaged, the others at once
            raise self._misplaced(max(quote for quote in quotes.values() if quote is not None))
        fits = [fit for fit in map(self.fit, able) if fit.width > 1]
        for found in (
            [fit for fit in fits if fit.header == 0 and fit.share >= _MOST],
            [fit for fit in fits if fit.header == 0 and fit.share > _MORE],
            [fit for fit in fits if fit.share >= _MOST and self.header(fit.separator)],
        ):
            if found:
                return self._best(found).separator
        first = {separator: int(self._counts(separator)[0]) for separator in able}
        return max(first, key=lambda separator: first[separator])  # its rows are named, or there is one column

    def _best(self, fits: Sequence[Fit]) -> Fit:
        """The one that gives most columns of numbers and stamps."""
        if len(fits) == 1:
            return fits[0]
        scores = [sum(map(is_typed, self._columns(fit))) for fit in fits]
        best = [fit for fit, score in zip(fits, scores, strict=True) if score == max(scores)]
        if len(best) > 1:
            raise DataError(
                f"fields may be separated by {' or by '.join(SEPARATORS[fit.separator] for fit in best)}",
                where=self.place(0),
                hint=" or ".join(f"--sep {'tab' if fit.separator == chr(9) else repr(fit.separator)}" for fit in best),
            )
        return best[0]

    def _columns(self, fit: Fit) -> list[tuple[str, ...]]:
        """Cells of the first records after the header, by column; none where a record cannot be divided so."""
        stop = min(len(self.records.spans[0]), fit.header + 1 + _TYPED)
        try:
            rows = [self.cells(record, fit.separator, "replace") for record in range(fit.header + 1, stop)]
        except DataError:
            return []
        return list(zip(*(row for row in rows if len(row) == fit.width), strict=True))

    def header(self, separator: str) -> int:
        """Record that is the header: the first, or one after lines of fewer fields that holds nothing but names."""
        fit = self.fit(separator)
        if fit.width < 2 or fit.share < _MOST or fit.header < 1:
            return 0
        if self._counts(separator)[: fit.header].max() > fit.width:
            return 0
        names = self.cells(fit.header, separator)
        return 0 if any(kind_of_text([name]) is not Kind.TEXT for name in names if name.strip()) else fit.header

    def begins_with_data(self, separator: str) -> bool:
        """Whether the first record is a row; DataError if it cannot be told, or dates run across the columns."""
        cells = self.cells(0, separator)
        if len(cells) > 2 and not is_full_date(cells[0]) and all(map(is_full_date, cells[1:])):
            raise DataError(
                "the dates run across the columns",
                where=self.place(0),
                hint="turn the table, so that each row is a date and each column a series, and read it with --wide",
            )
        fit = self.fit(separator)
        if fit.header != 0:
            return False
        if not is_row(cells, self._columns(fit)):
            return False
        if cells == [str(number) for number in range(len(cells))]:
            raise DataError(
                f"the first line, {','.join(cells)[:40]}, may be names or a row",
                where=self.place(0),
                hint="--header 1 or --header none says which",
            )
        return True

    def header_in_comment(self, comment: str, separator: str) -> tuple[str, ...] | None:
        """Names in the last comment line, if they are as many as there are columns."""
        names = [name.strip() for name in next(csv.reader([comment], delimiter=separator), [])]
        fits = len(names) > 1 and len(names) == len(self.cells(0, separator)) and all(names)
        return tuple(names) if fits and all(kind_of_text([name]) is Kind.TEXT for name in names) else None

    def names(self, record: int, separator: str) -> tuple[str, ...]:
        """Names in the header; DataError if there are none."""
        names = tuple(name.strip() for name in self.cells(record, separator))
        if not any(names):
            raise DataError(
                f"the first line holds no column names: {','.join(names)[:60]!r}",
                where=self.place(record),
                hint="put a line of names before it, such as date,price, or say --header none",
            )
        return names

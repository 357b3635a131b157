"""A table as it stands in a file, before its columns have roles; CSV and Parquet files offer the same view."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from rnncast.data.reading.cells import Cells
from rnncast.data.reading.forms import CLOCK, forms_of, is_stamp
from rnncast.data.reading.markers import is_missing

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Marks between thousands, currency signs, brackets: meant as a number, whatever becomes of it.
_NEAR_NUMBER = r"[(+\-\u2212$€£¥ ]*[0-9.,][0-9.,'’ \u00a0\u202f\u2009]*([eE][+-]?[0-9]+)?[)%$€£¥ *+-]*"


# Atomic groups: a text of many numbers that fails at its end must not be tried in all ways.
_ONE = r"(?>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_NUMBERS = re.compile(rf"{_ONE}(?>\n{_ONE})*+")
_LONGEST_NUMBER = 400  # characters; those of a double in full are fewer
_NEARLY_ALL = 0.8
_DECIMALS = re.compile(r"\.(?![0-9]{3}(?![0-9]))[0-9]")
_ISO_STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
ISO_STAMPS = re.compile(rf"(?>{_ISO_STAMP})(?>\n{_ISO_STAMP})*+")


class Kind(Enum):
    """What the cells of a column look like."""

    TIME = "dates"
    CLOCK = "times of day"
    NUMBER = "numbers"
    TEXT = "text"
    EMPTY = "nothing yet"
    UNUSABLE = "neither numbers, dates nor text"


_TYPED = (Kind.NUMBER, Kind.TIME, Kind.CLOCK)


class Parser(Protocol):
    """Turns the cells of a column into numbers or stamps, piece by piece."""

    @property
    def csv_type(self) -> Any | None:
        """The pyarrow type in which a CSV reader may hand over cells already converted; None for text alone."""
        ...

    @property
    def in_order(self) -> bool:
        """Whether it must be given the pieces of a column in the order of the file, one after the other."""
        ...

    def parse(self, column: Any) -> Cells:
        """Values of a pyarrow column, of text or typed; shapes (R,)."""
        ...


class Table(Protocol):
    """Columns of a file, by position; rows count from 0 in the order of the file."""

    name: str
    names: tuple[str, ...]
    separator: str
    notes: tuple[str, ...]

    def kind(self, column: int) -> Kind:
        """What the first cells of a column look like."""
        ...

    def is_text(self, column: int) -> bool:
        """Whether the cells of a column are written as text."""
        ...

    def sample(self, column: int) -> Sequence[str]:
        """First cells of a column as text."""
        ...

    def texts(self, column: int) -> Any:
        """All cells of a column as text, as an iterator over pyarrow arrays."""
        ...

    def load(self, parsers: Mapping[int, Parser]) -> dict[int, Cells]:
        """Read and parse columns in one pass."""
        ...

    def place(self, row: int) -> str:
        """Where a row stands: ``prices.csv:42`` or ``prices.parquet, row 42``."""
        ...

    def cell(self, row: int, column: int) -> str:
        """A cell as it stands in the file."""
        ...


def kind_of_text(cells: Sequence[str]) -> Kind:
    """Kind of most of these cells."""
    if (kind := _kind_at_once(cells)) is not None:
        return kind
    present = _present(cells)
    if not present:
        return Kind.EMPTY
    if (kind := _kind_at_once(present)) is not None:
        return kind
    tests = (
        (Kind.NUMBER, lambda cell: NUMBER.fullmatch(cell) is not None),
        (Kind.TIME, is_stamp),
        (Kind.CLOCK, CLOCK.fits),
        (Kind.NUMBER, _is_near_number),
    )
    for kind, test in tests:
        if sum(map(test, present)) > len(present) / 2:
            return kind
    return Kind.TEXT


def _is_near_number(cell: str) -> bool:
    """Whether a cell was meant as a number; of letters alone none is, and their pattern need not be compiled."""
    return not cell.isalpha() and len(cell) <= _LONGEST_NUMBER and re.fullmatch(_NEAR_NUMBER, cell) is not None


def _present(cells: Sequence[str]) -> list[str]:
    """The cells that are not missing, without blanks around them."""
    return [cell.strip() for cell in cells if not is_missing(cell)]


def _kind_at_once(cells: Sequence[str]) -> Kind | None:
    """Kind of cells that are all written in the most common ways; None for others."""
    text = "\n".join(cells)
    return Kind.NUMBER if _NUMBERS.fullmatch(text) else Kind.TIME if ISO_STAMPS.fullmatch(text) else None


def are_plain_numbers(cells: Sequence[str]) -> bool:
    """Whether all cells are numbers with at most a decimal point, and some point has not just three digits after it."""
    text = "\n".join(map(str.strip, cells))
    return _NUMBERS.fullmatch(text) is not None and _DECIMALS.search(text) is not None


def is_full_date(cell: str) -> bool:
    """Whether a cell is a date with a day, or finer."""
    return any("day" in form.regex.groupindex for form in forms_of(cell.strip()))


def is_typed(cells: Sequence[str]) -> bool:
    """Whether these cells of a column hold numbers or stamps."""
    return kind_of_text(cells) in _TYPED


def _kind_of_all(cells: Sequence[str]) -> Kind:
    """Kind of nearly all of these cells; text if they do not agree, as names may look like numbers: 007."""
    if (kind := _kind_at_once(cells)) is not None:
        return kind
    present = _present(cells)
    if (kind := _kind_at_once(present)) is not None:
        return kind
    kinds = Counter(kind_of_text([cell]) for cell in present).most_common(1)
    return kinds[0][0] if kinds and kinds[0][1] >= _NEARLY_ALL * len(present) else Kind.TEXT


def is_row(cells: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Whether the fields of a first line are a row like those after it, rather than names.

    Parameters
    ----------
    cells
        The fields.
    columns
        Cells of the lines after it, by column; none if there is no line after it.
    """
    kinds = [_kind_of_all(column) for column in columns] or [kind_of_text([cell]) for cell in cells]
    typed = [(cell.strip(), kind) for cell, kind in zip(cells, kinds, strict=True) if kind in _TYPED]
    if any(kind is Kind.TIME and is_full_date(cell) for cell, kind in typed):
        return True  # no column of dates has a date for its name, whatever else is wrong with the row
    timed = any(kind is Kind.TIME for _, kind in typed)
    for cell, kind in typed:
        empty = cell == "" and (kind is Kind.TIME or not timed)  # an index often has no name
        if empty or (not is_missing(cell) and not is_typed([cell])):
            return False
    return any(not is_missing(cell) for cell, _ in typed)

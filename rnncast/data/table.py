"""A table as it stands in a file, before its columns have roles; CSV and Parquet files offer the same view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol

MISSING_MARKERS = ("", ".", "na", "n/a", "null", "nan")
"""Cells that stand for no observation, in lower case."""

COMMON_MARKERS = ("", ".", "NA", "N/A", "null", "NULL", "NaN", "nan")
"""The spellings of them that pyarrow's reader is told of."""

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([ T][0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?")
_OTHER_DATE = re.compile(
    r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}.*|[0-9]{1,2}[ -]?[A-Za-z]{3,9}[ -]?[0-9]{2,4}.*"
    r"|[A-Za-z]{3,9}[ -][0-9]{1,2},?[ -][0-9]{2,4}.*|[0-9]{4}[- ]?[QqWw][0-9]{1,2}"
)
# Marks between thousands, currency signs, brackets: meant as a number, and refused as one by its cell.
_NEAR_NUMBER = re.compile(r"[(+\-\u2212$€£¥ ]*[0-9][0-9.,'\s]*([eE][+-]?[0-9]+)?[)%$€£¥ *]*")


class Kind(Enum):
    """What the cells of a column look like."""

    TIME = "dates"
    NUMBER = "numbers"
    TEXT = "text"
    FOREIGN_TIME = "dates in another form than ISO 8601"
    UNUSABLE = "neither numbers, dates nor text"


class Table(Protocol):
    """Columns of a file, by position; rows count from 0 in the order of the file."""

    name: str
    names: tuple[str, ...]

    def kind(self, column: int) -> Kind:
        """What the first cells of a column look like."""
        ...

    def load(self, time: int | None, target: int, series: int | None) -> None:
        """Read the columns of these roles in one pass. `column` reads what was not loaded."""
        ...

    def column(self, column: int) -> Any:
        """Cells of a column, as a pyarrow ChunkedArray; text unless all cells fit the type."""
        ...

    def place(self, row: int) -> str:
        """Where a row stands: ``prices.csv:42`` or ``prices.parquet, row 42``."""
        ...


def kind_of_text(cells: Sequence[str]) -> Kind:
    """Kind of most of these cells; a column without any observation passes for numbers."""
    present = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING_MARKERS]
    if not present:
        return Kind.NUMBER
    forms = (
        (Kind.NUMBER, NUMBER),
        (Kind.TIME, ISO_DATE),
        (Kind.FOREIGN_TIME, _OTHER_DATE),
        (Kind.NUMBER, _NEAR_NUMBER),
    )
    for kind, pattern in forms:
        if sum(pattern.fullmatch(cell) is not None for cell in present) > len(present) / 2:
            return kind
    return Kind.TEXT

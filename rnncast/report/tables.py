"""Small tables as plain text, and numbers as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncast.data.grid import Grid
from rnncast.data.text import display_width
from rnncast.records import dataclass

SIGNIFICANT = 4
"""Digits of the largest number of a row of scores."""

ABSENT = "-"
"""What stands where a number is missing."""


@dataclass(frozen=True)
class TextTable:
    """A table of strings.

    Attributes
    ----------
    header : tuple of str
        Names of the columns.
    rows : tuple of tuple of str
        Cells, as many in each row as there are columns.
    right_aligned : tuple of bool
        For each column.
    title : str
        A line above it; empty for none.
    keys : int
        How many of the first columns say what a row is; a terminal that is too narrow shows them again and again.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right_aligned: tuple[bool, ...]
    title: str = ""
    keys: int = 1

    def __post_init__(self) -> None:
        columns = len(self.header)
        if len(self.right_aligned) != columns or any(len(row) != columns for row in self.rows):
            raise ValueError(f"expected {columns} cells in every row")

    @property
    def grid(self) -> Grid:
        """The table without its title."""
        return Grid(self.header, self.rows, self.right_aligned, self.keys)

    def lines(self) -> list[str]:
        """Title, if there is one, and the table in columns of equal width, as long as they are."""
        return [self.title, *self.grid.lines()] if self.title else self.grid.lines()


def label_width(pairs: Sequence[tuple[str, str]]) -> int:
    """Column at which the texts begin beside their labels."""
    return max((display_width(label) for label, _ in pairs), default=0) + 2


def labelled(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of a label and a text each, the texts below one another."""
    width = label_width(pairs)
    return [f"{label}{' ' * (width - display_width(label))}{text}".rstrip() for label, text in pairs]


def numbers(values: Sequence[float], *, significant: int = SIGNIFICANT) -> list[str]:
    """Numbers with as many decimals as the largest of them needs for its digits, so that they compare at a glance."""
    finite = [abs(value) for value in values if math.isfinite(value)]
    largest = max(finite, default=0.0)
    if largest and not 1e-4 <= largest < 1e9:
        return [f"{value:.{significant - 1}e}" if math.isfinite(value) else ABSENT for value in values]
    decimals = significant - 1 - math.floor(math.log10(largest)) if largest else 0
    decimals = min(max(decimals, 0), 7)
    return [f"{value:,.{decimals}f}" if math.isfinite(value) else ABSENT for value in values]


def number(value: float) -> str:
    """One number: whole numbers with all their digits, others with six."""
    if not math.isfinite(value):
        return ABSENT
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.2f}" if abs(value) < 1e15 else f"{value:.6g}"


def size(count: int) -> str:
    """Bytes in the unit that suits: ``812 bytes``, ``64 kB``, ``1.2 MB``."""
    if count < 1000:
        return f"{count} bytes"
    for unit, scale in (("kB", 1e3), ("MB", 1e6)):
        if count < 999.5 * scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count / 1e9:.3g} GB"

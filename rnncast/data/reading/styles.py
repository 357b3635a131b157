"""How the columns of numbers of a table are written: by their first cells, by all of them, or by their neighbours."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rnncast.data.options import ReadOptions
from rnncast.data.reading.numbers import AmbiguousNumbers, NumberParser, NumberStyle, find_style, shape_of, shapes_of
from rnncast.data.reading.table import Kind, Table, are_plain_numbers
from rnncast.errors import DataError


class Styles:
    """Styles of the columns of numbers of a table; what cells prove is asked once."""

    def __init__(self, table: Table, options: ReadOptions) -> None:
        if all(name.startswith("<") and name.endswith(">") for name in table.names) and options.decimal is None:
            options = replace(options, decimal=".")  # a trading program, MetaTrader for one: they write points
        self.table, self.options = table, options
        self._proven: dict[int, str | None] = {}

    def parser(self, column: int) -> NumberParser:
        """Parser of a column, by its first cells; by all of them where those prove nothing."""
        table, options = self.table, self.options
        if not table.is_text(column):
            return NumberParser()
        cells = table.sample(column)
        if are_plain_numbers(cells) and options.decimal is None and options.thousands is None:
            return NumberParser()
        shapes = Counter(map(shape_of, cells))
        try:
            style, proven = find_style(shapes, table.separator, options.decimal, options.thousands)
        except AmbiguousNumbers:
            return NumberParser(self.by_all_cells(column))
        if proven and not (table.separator == "," and _are_all_groups(shapes)):
            return NumberParser(style)
        # Beside commas, a number with one point is decimal, unless its neighbours are written with decimal commas.
        if table.separator == "," and self._of_neighbours(column) != ",":
            return NumberParser(style)
        return NumberParser(self.by_all_cells(column))

    def by_all_cells(self, column: int) -> NumberStyle:
        """Style of a column by all of its cells, or else by its neighbours; DataError if they allow several."""
        shapes = shapes_of(self.table.texts(column))
        neighbours = self._of_neighbours(column)
        separator = "" if neighbours == "," else self.table.separator
        try:
            return find_style(shapes, separator, self.options.decimal, self.options.thousands)[0]
        except AmbiguousNumbers as error:
            if neighbours is not None and self.options.decimal is None:
                try:
                    return find_style(shapes, separator, neighbours, self.options.thousands)[0]
                except AmbiguousNumbers:
                    pass
            hint = "--decimal . or --decimal , says which"
            if "written in two ways" in str(error):
                hint = "write all of them in one way"
            raise DataError(f"column {self.table.names[column]!r} {error}", where=self.table.name, hint=hint) from error

    def _of_neighbours(self, column: int) -> str | None:
        """Decimal mark that the first cells of another column of numbers prove."""
        for other in range(len(self.table.names)):
            if other != column and (decimal := self._decimal(other)) is not None:
                return decimal
        return None

    def _decimal(self, column: int) -> str | None:
        """Decimal mark that the first cells of a column prove, if it holds numbers."""
        if column not in self._proven:
            self._proven[column] = None
            if self.table.kind(column) is Kind.NUMBER:
                shapes = Counter(map(shape_of, self.table.sample(column)))
                try:
                    style, proven = find_style(shapes, ";", None, self.options.thousands)
                    self._proven[column] = style.decimal if proven else None
                except AmbiguousNumbers:
                    pass
        return self._proven[column]


def _are_all_groups(shapes: Counter[str]) -> bool:
    """Whether every point may as well stand between thousands."""
    return all(re.fullmatch(r"[^.]*[1-9][0-9]{0,2}(\.[0-9]{3})+[^.]*|[^.]*", shape) for shape in shapes)

"""Tables in columns of text, fitted to the width of a terminal, or as wide as they are.

What is too wide is first given headings of several lines, then set as blocks of columns below one another, each with
the columns that name its rows; only a text that is wider than that goes on below itself, and one of many lines is cut.
No figure is ever broken or cut, and nothing at all without a limit.

Dimension letters: `C` columns, `N` rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rnncast.data.text import display_width, folded, printable
from rnncast.records import dataclass

_SPACE = 2
_LEAST = 8  # columns that a text is given at least, however narrow the terminal
_MOST_LINES = 3  # of a text that goes on below itself
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class Grid:
    """A table of strings, whose control characters are made visible.

    Attributes
    ----------
    header, right_aligned : (C,)
        Headings, and on which side the cells of each column line up.
    rows : (N, C)
        The cells.
    keys : int
        How many of the first columns say what a row is.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right_aligned: Sequence[bool]
    keys: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", tuple(map(printable, self.header)))
        object.__setattr__(self, "rows", [tuple(map(printable, row)) for row in self.rows])

    def lines(self, width: int | None = None) -> list[str]:
        """Heading and rows in columns of equal width, in blocks that fit `width` columns if there is a limit."""
        return list(self._lines(width, rule=False, bold=False))

    def drawn(self, width: int | None, *, bold: bool = False) -> list[str]:
        """The same with a rule below the heading, which may be in bold letters."""
        return list(self._lines(width, rule=True, bold=bold))

    def _lines(self, width: int | None, *, rule: bool, bold: bool) -> Iterator[str]:
        for place, (columns, widths) in enumerate(self._blocks(width)):
            if place:
                yield ""
            for line in self._row(self.header, columns, widths, heading=True):
                yield f"{_BOLD}{line}{_PLAIN}" if bold else line
            if rule:
                yield "─" * _total(widths)
            for row in self.rows:
                yield from self._row(row, columns, widths)

    def _widths(self) -> list[int]:
        return [max(display_width(cell) for cell in cells) for cells in zip(self.header, *self.rows, strict=True)]

    def _blocks(self, width: int | None) -> list[tuple[Sequence[int], list[int]]]:
        """Columns of each block, and how wide they are."""
        widths = self._widths()
        everything = list(range(len(widths)))
        if width is None or _total(widths) <= width:
            return [(everything, widths)]
        widths = self._narrowed(widths, width)
        blocks: list[list[int]] = []
        for column in everything[self.keys :]:
            if not blocks or _total([widths[c] for c in (*blocks[-1], column)]) > width:
                blocks.append(everything[: self.keys])
            blocks[-1].append(column)
        return [(block, [widths[c] for c in block]) for block in blocks or [everything]]

    def _narrowed(self, widths: Sequence[int], width: int) -> list[int]:
        """Widths with headings broken at spaces, as few as need be, and with texts of no more than their share."""
        words = [max(map(display_width, name.split(" "))) for name in self.header]
        cells = [max((display_width(row[c]) for row in self.rows), default=0) for c in range(len(widths))]
        least = [max(pair) for pair in zip(words, cells, strict=True)]
        share = max(width // (self.keys + 2), _LEAST)
        for column, right in enumerate(self.right_aligned):
            if not right:  # a text can go on below itself
                least[column] = min(least[column], share if column < self.keys else max(width // 2, _LEAST))
        room = width - _total(least)
        if room < 0:  # blocks: each column has the room beside those that name the rows
            beside = width - _total(least[: self.keys]) - _SPACE
            return [
                own if column < self.keys else max(own, min(whole, beside))
                for column, (own, whole) in enumerate(zip(least, widths, strict=True))
            ]
        for column, name in enumerate(self.header):
            choices = range(least[column], min(widths[column], least[column] + room) + 1)
            best = min(choices, key=lambda own: len(_broken(name, own, at_spaces=True)))
            room -= best - least[column]
            least[column] = best
        return least

    def _row(
        self, row: Sequence[str], columns: Sequence[int], widths: Sequence[int], *, heading: bool = False
    ) -> list[str]:
        """Lines of the cells in some columns; a heading stands on the rule below it, other cells begin on one line."""
        cells = [_broken(row[c], width, at_spaces=heading) for c, width in zip(columns, widths, strict=True)]
        height = max(map(len, cells))
        for cell in cells:
            missing = [""] * (height - len(cell))
            cell[:] = [*missing, *cell] if heading else [*cell, *missing]
        return [
            (" " * _SPACE)
            .join(
                _padded(text, width, self.right_aligned[c])
                for c, text, width in zip(columns, line, widths, strict=True)
            )
            .rstrip()
            for line in zip(*cells, strict=True)
        ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _SPACE * (len(widths) - 1)


def _broken(text: str, width: int, *, at_spaces: bool) -> list[str]:
    """A cell in lines of at most `width` columns, those of a heading broken at spaces as far as that goes."""
    if display_width(text) <= width:
        return [text]
    if not at_spaces:
        pieces = folded(text, width)
        if len(pieces) > _MOST_LINES:
            pieces[_MOST_LINES - 1 :] = [pieces[_MOST_LINES - 1][:-1] + "…"]
        return pieces
    lines = [""]
    for word in text.split(" "):
        for piece in folded(word, width):
            joined = f"{lines[-1]} {piece}".strip()
            if lines[-1] and display_width(joined) > width:
                lines.append(piece)
            else:
                lines[-1] = joined
    return lines


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space

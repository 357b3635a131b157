"""Small plain texts made into columns without pyarrow, whose loading takes as long as the reading of thousands of rows.

Plain is a text without quotes whose rows are as wide as the header, and whose cells are written so that they mean one
thing alone: decimal numbers, ISO stamps that exist, integers, names, missing markers. What they mean does not depend on
who reads them: the nearest double, the stamp, the integer, the name. Whatever is not plain is left to pyarrow and the
parsers, which also say what is wrong with it.

Dimension letter: `R` rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from rnncast.data.reading.blocks import Block
from rnncast.data.reading.cells import Cells
from rnncast.data.reading.forms import ISO
from rnncast.data.reading.markers import is_missing
from rnncast.data.reading.names import NameParser
from rnncast.data.reading.numbers import PLAIN, NumberParser
from rnncast.data.reading.table import ISO_STAMPS, Parser
from rnncast.data.reading.timestamps import StampParser

MOST_BYTES = 1 << 18
"""Bytes of a text up to which Python is done with it before pyarrow is loaded."""

_LONGEST = 40  # characters of a number; with exponents of two digits, none is out of the range of a double
_NUMBER = r"(?>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?)"
_NUMBERS = re.compile(rf"{_NUMBER}(?>\n{_NUMBER})*+")
_INTEGERS = re.compile(r"-?[0-9]{1,18}(?>\n-?[0-9]{1,18})*+")
_EARLIEST = np.datetime64("0001-01-01", "us")


def plain_cells(
    block: Block, width: int, separator: str, skip_blank: bool, parsers: Mapping[int, Parser]
) -> dict[int, Cells] | None:
    """Cells (R,) of columns, or None unless the block is small and all of them are plain.

    Parameters
    ----------
    width, separator, skip_blank
        Fields of a row, the character between them, and whether blank lines are no rows.
    """
    if len(block) > MOST_BYTES or block.has_quotes or block.find(b"\0") is not None:
        return None
    rows = _rows(block, width, separator, skip_blank)
    if rows is None:
        return None
    columns = list(zip(*rows, strict=True))
    cells: dict[int, Cells] = {}
    for column, parser in parsers.items():
        found = _read(columns[column], parser)
        if found is None:
            return None
        cells[column] = found
    return cells


def _rows(block: Block, width: int, separator: str, skip_blank: bool) -> list[list[str]] | None:
    """Fields of each row; None for no row, for rows of another width, and for what is not UTF-8."""
    try:
        text = block.data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    lines = text.replace("\r\n", "\n").split("\n")
    if "\r" in text and any("\r" in line for line in lines):
        return None
    if not lines[-1]:
        lines.pop()
    rows = [line.split(separator) for line in lines if line or not skip_blank]
    return rows if rows and all(len(row) == width for row in rows) else None


def _read(cells: Sequence[str], parser: Parser) -> Cells | None:
    if isinstance(parser, NumberParser):
        return _numbers(cells) if parser.style == PLAIN else None
    if isinstance(parser, StampParser):
        if not parser.is_dated:
            return _integers(cells)
        return _stamps(cells) if parser.form is ISO and not parser.zoned else None
    return _names(cells) if isinstance(parser, NameParser) else None


def _numbers(cells: Sequence[str]) -> Cells | None:
    missing = None
    if not _NUMBERS.fullmatch("\n".join(cells)):
        missing = np.array([is_missing(cell) for cell in cells])  # (R,)
        cells = ["0" if absent else cell for cell, absent in zip(cells, missing.tolist(), strict=True)]
        if not missing.any() or not _NUMBERS.fullmatch("\n".join(cells)):
            return None
    if max(map(len, cells)) > _LONGEST:
        return None
    return Cells(np.array([float(cell) for cell in cells]), missing)


def _integers(cells: Sequence[str]) -> Cells | None:
    if not _INTEGERS.fullmatch("\n".join(cells)):
        return None
    return Cells(np.array([int(cell) for cell in cells], dtype=np.int64))


def _stamps(cells: Sequence[str]) -> Cells | None:
    """Microseconds since 1970; None also for a date that does not exist."""
    if not ISO_STAMPS.fullmatch("\n".join(cells)):
        return None
    try:
        stamps = np.array(cells, dtype="datetime64[us]")  # (R,)
    except ValueError:
        return None
    return None if (stamps < _EARLIEST).any() else Cells(stamps.view(np.int64))


def _names(cells: Sequence[str]) -> Cells | None:
    """Numbers of names in the order in which they come; None where one is empty."""
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(cell.strip(), len(numbers)) for cell in cells]
    return None if "" in numbers else Cells(np.array(codes, dtype=np.int32), names=tuple(numbers))

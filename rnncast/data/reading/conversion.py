"""Blocks of a CSV text made into columns by pyarrow, and their cells parsed: several blocks at once, one on each core.

Nothing here knows where a block stands in the file, so that threads share no state.

Dimension letter: `R` rows of a block.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from rnncast.data.reading.arrow import one_chunk
from rnncast.data.reading.blocks import Block
from rnncast.data.reading.cells import Cells
from rnncast.data.reading.markers import SPELLINGS
from rnncast.data.reading.numbers import NumberParser
from rnncast.data.reading.plain import plain_cells
from rnncast.data.reading.records import Records
from rnncast.data.reading.table import Parser

MOST_THREADS = 8
"""Blocks at work at a time, at most: a block takes about four times its bytes while it is converted."""

Result = TypeVar("Result")


def threads() -> int:
    """Blocks that are worked on at a time."""
    import pyarrow as pa

    return min(int(pa.cpu_count()), MOST_THREADS)


def in_order(work: Callable[[Block], Result], blocks: Iterable[Block], count: int) -> Iterator[tuple[Block, Result]]:
    """Blocks and what was made of each, in order; `count` threads work on later ones while the caller has one.

    Of one block alone no thread is made.
    """
    rest = iter(blocks)
    first = list(islice(rest, 2))
    if len(first) < 2:
        yield from ((block, work(block)) for block in first)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(count) as pool:
        ahead = deque((block, pool.submit(work, block)) for block in (*first, *islice(rest, count - 1)))
        while ahead:
            block, future = ahead.popleft()
            yield block, future.result()
            ahead.extend((following, pool.submit(work, following)) for following in islice(rest, 1))


class Converter:
    """Makes blocks into columns.

    Parameters
    ----------
    width
        Fields of a row.
    separator
        Character between fields.
    skip_blank
        Whether blank lines are no rows.
    """

    def __init__(self, width: int, separator: str, skip_blank: bool) -> None:
        self.width, self.separator, self.skip_blank = width, separator, skip_blank

    def misplaced_quote(self, block: Block) -> int | None:
        """Place in the text of the first quote that is out of place, or None."""
        if not block.has_quotes:
            return None
        quote = Records(block.data).misplaced_quote(self.separator)
        return None if quote is None else block.position + quote

    def texts(self, block: Block, columns: Iterable[int]) -> dict[int, Any]:
        """Columns as text; pyarrow.ArrowInvalid for rows of another width, and for cells that are not UTF-8."""
        import pyarrow as pa

        return self._read(block, {column: pa.string() for column in columns}, ".")

    def cells(self, block: Block, parsers: Mapping[int, Parser]) -> dict[int, Cells | Any] | None:
        """Cells (R,) of columns, of those that must be parsed in the order of the file only their text.

        None if a cell is not as the first ones are, or the block has a fault that is to be explained.
        """
        plain = plain_cells(block, self.width, self.separator, self.skip_blank, parsers)
        if plain is not None:
            return dict(plain)
        import pyarrow as pa

        types, decimal = _types(parsers)
        if self.misplaced_quote(block) is not None:
            return None
        if pa.int64() in types.values() and (block.find(b"0x") or block.find(b"0X")):
            return None  # the reader takes these for integers
        try:
            columns = self._read(block, types, decimal)
        except pa.ArrowInvalid:
            return None
        cells = {c: columns[c] if parser.in_order else parser.parse(columns[c]) for c, parser in parsers.items()}
        sound = (_is_sound(cells[c], columns[c]) for c, dtype in types.items() if dtype != pa.string())
        return cells if all(sound) else None

    def _read(self, block: Block, types: Mapping[int, Any], decimal: str) -> dict[int, Any]:
        """Columns of these types (R,), cell by cell or not at all (pyarrow.ArrowInvalid)."""
        import pyarrow as pa
        import pyarrow.csv as pcsv

        wanted = {str(column): dtype for column, dtype in types.items()}
        table = pcsv.read_csv(
            pa.BufferReader(pa.py_buffer(block.view)),
            # Names may be empty or occur twice: columns go by their number.
            read_options=pcsv.ReadOptions(
                column_names=[str(column) for column in range(self.width)],
                block_size=len(block) + 1,
                use_threads=False,
            ),
            parse_options=pcsv.ParseOptions(
                delimiter=self.separator,
                newlines_in_values=block.has_quotes,
                ignore_empty_lines=self.skip_blank,
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=wanted,
                include_columns=list(wanted),
                null_values=list(SPELLINGS),
                strings_can_be_null=False,
                decimal_point=decimal,
            ),
            memory_pool=pa.system_memory_pool(),  # gives blocks back; the default pool is slower here and keeps them
        )
        return {int(name): one_chunk(table[name]) for name in wanted}


def _is_sound(cells: Cells, column: Any) -> bool:
    """Whether a converted column holds finite values and missing markers alone.

    The reader takes "nan(1)" and "infinity" for numbers, too.
    """
    missing = 0 if cells.missing is None else int(np.count_nonzero(cells.missing))
    return cells.bad is None and missing == column.null_count


def _types(parsers: Mapping[int, Parser]) -> tuple[dict[int, Any], str]:
    """Types that the reader may convert columns to, and the decimal mark; it knows but one mark at a time."""
    import pyarrow as pa

    styles = {column: parser.style for column, parser in parsers.items() if isinstance(parser, NumberParser)}
    decimals = {style.decimal for style in styles.values()}
    decimal = decimals.pop() if len(decimals) == 1 else "."
    types = {
        column: None if column in styles and styles[column].decimal != decimal else parser.csv_type
        for column, parser in parsers.items()
    }
    return {column: pa.string() if dtype is None else dtype for column, dtype in types.items()}, decimal

"""A CSV text in pieces of whole records, so that it need not lie in memory as one; and where in it a row stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from rnncast.data.reading.records import Records, count_lines, last_end
from rnncast.data.reading.source import Source
from rnncast.records import dataclass

BLOCK = 1 << 21
"""Bytes of a piece: enough work for a core, and little beside what is read."""


@dataclass(frozen=True, eq=False)
class Block:
    """A piece of a text: whole records, of which the last may have no line end.

    Attributes
    ----------
    position
        Byte of the text at which it begins.
    holder, start, stop
        What holds its bytes, and where in it they are.
    has_quotes
        Whether a quotation mark is among them.
    """

    position: int
    holder: bytes | bytearray
    start: int
    stop: int
    has_quotes: bool

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def view(self) -> memoryview:
        """Its bytes where they are."""
        return memoryview(self.holder)[self.start : self.stop]

    @property
    def data(self) -> bytes:
        """A copy of its bytes."""
        return bytes(self.view)

    def find(self, byte: bytes) -> int | None:
        """Place in the text of the first of these bytes, or None."""
        found = self.holder.find(byte, self.start, self.stop)
        return None if found < 0 else self.position + found - self.start


class Blocks:
    """Division of a text into blocks, and the rows that each was found to hold.

    Parameters
    ----------
    source
        The text.
    start
        Byte at which the rows begin.
    skip_blank
        Whether blank lines are no rows.
    in_use
        Blocks that may be in use at a time.
    """

    def __init__(self, source: Source, start: int, skip_blank: bool, in_use: int = 1) -> None:
        self.source, self.start, self.skip_blank, self.in_use = source, start, skip_blank, in_use
        self._starts: list[int] = []  # byte at which each block begins
        self._rows: list[int] = []  # first row of each block
        self._total = 0

    @property
    def is_one(self) -> bool:
        """Whether there is but one block."""
        return self.source.size - self.start <= BLOCK

    def __iter__(self) -> Iterator[Block]:
        """Blocks in order. The bytes of one are overwritten when as many others as may be in use came after it."""
        buffers = [bytearray() for _ in range(self.in_use)]
        position, size, turn = self.start, BLOCK, 0
        while position < self.source.size:
            if not self.source.is_in_memory and len(buffers[turn]) < min(size, self.source.size - position):
                buffers[turn] = bytearray(min(size, self.source.size - position))
            holder, start, stop = self.source.fill(position, size, buffers[turn])
            if position + stop - start < self.source.size:
                end = last_end(holder, start, stop)
                if end == start:  # a record longer than a block
                    size *= 2
                    continue
                stop = end
            yield Block(position, holder, start, stop, holder.find(b'"', start, stop) >= 0)
            position, size, turn = position + stop - start, BLOCK, (turn + 1) % self.in_use

    def found(self, block: Block, rows: int) -> None:
        """Note that a block, the next one in order, holds so many rows."""
        self._starts.append(block.position)
        self._rows.append(self._total)
        self._total += rows

    def forget(self) -> None:
        """Forget the rows, before the text is read again."""
        self._starts, self._rows, self._total = [], [], 0

    def records(self, data: bytes) -> Records:
        """Division of a block into records."""
        return Records(data, 0, self.skip_blank)

    def line_of_byte(self, position: int) -> int:
        """Line of the text, from 1, that a byte stands in."""
        lines, at = 1, 0
        while at < position:
            piece = self.source.read(at, min(at + BLOCK, position))
            lines += count_lines(piece)
            at += len(piece)
            if piece.endswith(b"\r") and self.source.read(at, at + 1) == b"\n":
                lines -= 1  # the pair counts once, with its second byte
        return lines

    def line_of_row(self, row: int) -> int:
        """Line, from 1, that a row begins in."""
        return self.line_of_byte(self._span(row)[0])

    def record_of_row(self, row: int) -> bytes:
        """Bytes of a row."""
        start, stop = self._span(row)
        return self.source.read(start, stop).rstrip(b"\r\n")

    def _span(self, row: int) -> tuple[int, int]:
        block = bisect_right(self._rows, row) - 1
        start = self._starts[block]
        stop = self._starts[block + 1] if block + 1 < len(self._starts) else self.source.size
        starts, stops = self.records(self.source.read(start, stop)).spans
        record = row - self._rows[block]
        return start + int(starts[record]), start + int(stops[record])

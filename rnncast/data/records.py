"""Where the records and fields of a CSV text begin and end, for messages that name a line and for checks of the quotes.

Works on bytes, by NumPy over all of them; a good file without a quote never comes here.

Dimension letters: `B` bytes, `R` records.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_QUOTE, _COMMA, _NEWLINE, _RETURN = b'",\n\r'


class Records:
    """Division of a CSV text into records, by the rules of RFC 4180; line ends are LF, CR LF or CR.

    Parameters
    ----------
    data
        The whole text.
    start
        Byte at which the first record begins.
    skip_blank
        Whether blank lines are no records.
    """

    def __init__(self, data: bytes, start: int = 0, skip_blank: bool = True) -> None:
        self.bytes = np.frombuffer(data, np.uint8)  # (B,)
        self.start = start
        self.skip_blank = skip_blank

    def misplaced_quote(self) -> int | None:
        """Byte of the first quote that neither opens nor closes a field; None if all quotes are in place.

        Quotes alternate between opening and closing; a doubled quote in a field closes and opens it again. So an
        opening one must follow a comma, a line end or a quote, and a closing one must stand before one of them.
        """
        quotes = np.flatnonzero(self.bytes[self.start :] == _QUOTE) + self.start
        opening, closing = quotes[::2], quotes[1::2]
        before = self._byte_at(opening - 1)
        before[opening == self.start] = _NEWLINE
        follows = self._byte_at(closing + 1)
        bad = np.concatenate((opening[~np.isin(before, self._edges)], closing[~np.isin(follows, self._edges)]))
        if len(bad):
            return int(bad.min())
        return int(quotes[-1]) if len(quotes) % 2 else None

    _edges = np.frombuffer(b'",\n\r', np.uint8)

    def _byte_at(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        inside = (positions >= 0) & (positions < len(self.bytes))
        return np.where(inside, self.bytes[np.where(inside, positions, 0)], _NEWLINE).astype(np.uint8)

    @cached_property
    def _outside(self) -> NDArray[np.bool_]:
        """Whether each byte from `start` on stands outside of quotes, shape (B - start,)."""
        outside: NDArray[np.bool_] = ~np.logical_xor.accumulate(self.bytes[self.start :] == _QUOTE)
        return outside

    @cached_property
    def _line_ends(self) -> NDArray[np.int64]:
        """Byte of every line end in the whole text, inside of quotes too; of CR LF, the LF."""
        return self._ends(self.bytes)

    @staticmethod
    def _ends(text: NDArray[np.uint8]) -> NDArray[np.int64]:
        lone_return = text == _RETURN
        lone_return[:-1] &= text[1:] != _NEWLINE
        return np.flatnonzero((text == _NEWLINE) | lone_return)

    @cached_property
    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First byte of every record (R,), and the byte after its last, line end included (R,)."""
        text = self.bytes[self.start :]
        ends = self._ends(text)
        ends = ends[self._outside[ends]] + self.start
        starts = np.concatenate(([self.start], ends + 1))
        stops = np.concatenate((ends + 1, [len(self.bytes)]))
        kept = stops > starts
        if self.skip_blank:
            crlf = (stops - starts == 2) & (self._byte_at(starts) == _RETURN)
            blank = np.isin(self._byte_at(starts), self._edges[2:]) & ((stops - starts == 1) | crlf)
            kept &= ~blank
        return starts[kept], stops[kept]

    @cached_property
    def field_counts(self) -> NDArray[np.int64]:
        """Number of fields of every record, shape (R,)."""
        commas = np.flatnonzero((self.bytes[self.start :] == _COMMA) & self._outside) + self.start
        starts, stops = self.spans
        return np.searchsorted(commas, stops) - np.searchsorted(commas, starts) + 1

    def line_of_byte(self, position: int) -> int:
        """Line, from 1, that a byte stands in."""
        return int(np.searchsorted(self._line_ends, position)) + 1

    def line(self, record: int) -> int:
        """Line, from 1, that a record begins in."""
        return self.line_of_byte(int(self.spans[0][record]))

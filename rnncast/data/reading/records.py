"""Where the records and fields of a CSV text begin and end, for messages that name a line and for checks of the quotes.

Works on bytes, by NumPy over all of them; a good file without a quote never comes here but for its head.

Dimension letters: `B` bytes, `R` records.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_QUOTE, _NEWLINE, _RETURN = b'"\n\r'


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

    def misplaced_quote(self, separator: str) -> int | None:
        """Byte of the first quote that neither opens nor closes a field; None if all quotes are in place.

        Quotes alternate between opening and closing; a doubled quote in a field closes and opens it again. So an
        opening one must follow a separator, a line end or a quote, and a closing one must stand before one of them.
        """
        quotes = np.flatnonzero(self.bytes[self.start :] == _QUOTE) + self.start
        if not len(quotes):
            return None
        edges = np.frombuffer(b'"\n\r' + separator.encode(), np.uint8)
        opening, closing = quotes[::2], quotes[1::2]
        before = self._byte_at(opening - 1)
        before[opening == self.start] = _NEWLINE
        follows = self._byte_at(closing + 1)
        bad = np.concatenate((opening[~np.isin(before, edges)], closing[~np.isin(follows, edges)]))
        if len(bad):
            return int(bad.min())
        return int(quotes[-1]) if len(quotes) % 2 else None

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
        return _ends(self.bytes)

    @cached_property
    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First byte of every record (R,), and the byte after its last, line end included (R,)."""
        ends = _ends(self.bytes[self.start :])
        ends = ends[self._outside[ends]] + self.start
        starts = np.concatenate(([self.start], ends + 1))
        stops = np.concatenate((ends + 1, [len(self.bytes)]))
        kept = stops > starts
        if self.skip_blank:
            crlf = (stops - starts == 2) & (self._byte_at(starts) == _RETURN)
            blank = np.isin(self._byte_at(starts), (_NEWLINE, _RETURN)) & ((stops - starts == 1) | crlf)
            kept &= ~blank
        return starts[kept], stops[kept]

    def field_counts(self, separator: str) -> NDArray[np.int64]:
        """Number of fields of every record, shape (R,)."""
        marks = np.flatnonzero((self.bytes[self.start :] == ord(separator)) & self._outside) + self.start
        starts, stops = self.spans
        return np.searchsorted(marks, stops) - np.searchsorted(marks, starts) + 1

    def line_of_byte(self, position: int) -> int:
        """Line, from 1, that a byte stands in."""
        return int(np.searchsorted(self._line_ends, position)) + 1

    def line(self, record: int) -> int:
        """Line, from 1, that a record begins in."""
        return self.line_of_byte(int(self.spans[0][record]))

    def text(self, record: int) -> bytes:
        """Bytes of a record, without its line end."""
        start, stop = (int(edge[record]) for edge in self.spans)
        return self.bytes[start:stop].tobytes().rstrip(b"\r\n")


def count_lines(text: bytes) -> int:
    """Number of line ends: LF, CR LF or CR."""
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def last_end(text: bytes | bytearray, start: int, stop: int) -> int:
    """Byte after the last line end from `start` to before `stop` that stands outside of quotes; `start` if none does.

    The text begins at `start` outside of quotes.
    """
    end = text.rfind(b"\n", start, stop) + 1 or text.rfind(b"\r", start, stop) + 1
    if end == 0:
        return start
    if text.find(b'"', start, end) < 0 or text.count(b'"', start, end) % 2 == 0:
        return end
    piece = bytes(text[start:stop])
    ends = Records(piece).spans[1]
    if piece[-1:] not in (b"\n", b"\r") or piece.count(b'"') % 2:
        ends = ends[:-1]  # the rest is no whole record
    return start + int(ends[-1]) if len(ends) else start


def _ends(text: NDArray[np.uint8]) -> NDArray[np.int64]:
    lone_return = text == _RETURN
    lone_return[:-1] &= text[1:] != _NEWLINE
    return np.flatnonzero((text == _NEWLINE) | lone_return)

"""How a CSV text is written: what separates its fields, and where its header stands. Found from its head."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from rnncast.data.options import ReadOptions
from rnncast.data.reading.encodings import UTF8_MARK
from rnncast.data.reading.faults import nul_byte
from rnncast.data.reading.look import SAMPLE, SEPARATORS, Look
from rnncast.data.reading.records import Records, count_lines, last_end
from rnncast.data.reading.source import HEAD, Source
from rnncast.errors import DataError
from rnncast.records import dataclass


@dataclass(frozen=True)
class Dialect:
    """How a CSV text is written.

    Attributes
    ----------
    separator
        Character between fields.
    names
        Names of the columns; numbered ones for a text without a header.
    start
        Byte at which the rows begin.
    notes
        What was found and is not plain.
    """

    separator: str
    names: tuple[str, ...]
    start: int
    notes: tuple[str, ...] = ()


def find_dialect(source: Source, options: ReadOptions) -> Dialect:
    """Judge a text by its head.

    Raises
    ------
    DataError
        There is no row, a quote is out of place, several separators fit, or no line can be a header.
    """
    head = source.read(0, HEAD)
    first = len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0
    _refuse_nul(source.name, head)
    notes = list(source.notes)
    if options.header not in (None, "none"):
        start = _start_of_line(source, head, first, int(options.header or 1))
    else:
        start, comment = _after_comments(head, first, notes)
    if len(head) < source.size:
        stop = last_end(head, start, len(head))
        head = head[: stop if stop > start else len(head)]
    if not head[start:].strip(b"\r\n"):
        raise DataError("the input holds blank lines only", where=source.name)
    look = Look(source.name, Records(head, start))
    separator = options.separator or look.separator
    look.check_quotes(separator)
    if separator != ",":
        notes.append(f"fields are separated by {SEPARATORS.get(separator, repr(separator))}")
    if options.header == "none" or (options.header is None and look.begins_with_data(separator)):
        named = None if options.header else look.header_in_comment(comment, separator)
        names = named or tuple(f"column_{n + 1}" for n in range(len(look.cells(0, separator))))
        notes.append(
            "the header stands in a comment line"
            if named
            else f"there is no header: the columns are called {names[0]}" + (f" to {names[-1]}" if names[1:] else "")
        )
        return Dialect(separator, names, start, tuple(notes))
    record = look.header(separator) if options.header is None else 0
    if record:
        skipped = look.records.text(0).decode("utf-8", "replace")
        notes.append(
            f"the header is line {look.records.line(record)}; {record} line{'s' * (record > 1)} before it left out: "
            f"{skipped[:60]!r}"
        )
    names = look.names(record, separator)
    return Dialect(separator, names, int(look.records.spans[1][record]), tuple(notes))


def _refuse_nul(name: str, head: bytes) -> None:
    if (nul := head.find(b"\0")) >= 0:
        raise nul_byte(f"{name}:{count_lines(head[:nul]) + 1}")


def _start_of_line(source: Source, head: bytes, first: int, line: int) -> int:
    """Byte at which a line, from 1, begins."""
    start = first
    for _ in range(line - 1):
        ends = [end for end in (head.find(b"\n", start), head.find(b"\r", start)) if end >= 0]
        if not ends:
            raise DataError(f"there is no line {line} for a header", where=source.name, hint="--header 1, for instance")
        start = min(ends) + (2 if head[min(ends) : min(ends) + 2] == b"\r\n" else 1)
    return start


def _after_comments(head: bytes, start: int, notes: list[str]) -> tuple[int, str]:
    """Byte after the blank lines and comments at the beginning, and the last comment."""
    count, comment = 0, ""
    for line in head[start:].splitlines(keepends=True):
        if line.startswith(b"#"):
            count, comment = count + 1, line.lstrip(b"# \t").decode("utf-8", "replace").strip()
        elif line.strip(b"\r\n"):
            break
        start += len(line)
    if count:
        notes.append(f"{count} comment line{'s' if count > 1 else ''} at the beginning left out")
    return start, comment


def sample_rows(text: bytes, separator: str, width: int) -> Sequence[Sequence[str]]:
    """First rows of a text that are as wide as they should be, for a look at what the columns hold."""
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(text) >= HEAD:
        lines.pop()  # cut off in the middle
    rows = []
    try:
        for row in csv.reader([line + "\n" for line in lines if line], delimiter=separator):
            if len(row) == width:
                rows.append(row)
            if len(rows) == SAMPLE:
                break
    except csv.Error:  # a field longer than the module takes
        return []
    return rows

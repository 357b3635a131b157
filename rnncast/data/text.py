"""Text as it is shown and written: what does not print made visible, widths on a terminal, JSON for every reader."""

from __future__ import annotations

import os
import unicodedata
from typing import IO, Any

DEFAULT_WIDTH = 80
"""Columns of a terminal that does not say how many it has."""

NARROWEST = 20
"""Columns below which nothing is fitted any more."""


def printable(text: str) -> str:
    """Text with its control characters, marks of direction and the like escaped; what a person reads stays as it is."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\xa0" else c.encode("unicode_escape").decode("ascii") for c in text)


def in_unicode(path: str) -> str:
    r"""A file's name as text for every writer: bytes of it that are no UTF-8 become ``\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON without a NaN token, in which what does not print is escaped.

    So a name with the bytes of a terminal's control sequence, or that is no valid Unicode (bytes of a file's name),
    comes out of every parser as it is, and does nothing before.
    """
    import json

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    if text.isprintable():
        return text
    for character in set(text):
        if not character.isprintable() and character != "\n":
            text = text.replace(character, json.dumps(character)[1:-1])
    return text


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def folded(text: str, width: int) -> list[str]:
    """A text in pieces of at most `width` columns."""
    pieces, room = [""], width
    for character in text:
        room -= _width(character)
        if room < 0:
            pieces.append("")
            room = width - _width(character)
        pieces[-1] += character
    return pieces


def terminal_width(stream: IO[Any]) -> int:
    """Columns of the terminal that a stream is: as COLUMNS says, as the terminal says, or 80."""
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() else 0
    if width <= 0:
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (AttributeError, OSError, ValueError):  # a stream without a descriptor, or a device without a size
            width = DEFAULT_WIDTH
    return max(width or DEFAULT_WIDTH, NARROWEST)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

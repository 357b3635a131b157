"""In which encoding a text is written, told from its bytes."""

from __future__ import annotations

import re

from rnncast.data.reading.source import HEAD, Source
from rnncast.errors import UsageError

WINDOWS = "cp1252"
"""Encoding of western Windows: what a text that is not UTF-8 is taken for."""

UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def in_utf8(source: Source, encoding: str | None) -> Source:
    """A text in UTF-8, without a byte order mark.

    Raises
    ------
    UsageError, DataError
        There is no such encoding; the text is not in it.
    """
    if encoding is not None:
        try:
            "a".encode(encoding)  # LookupError also for codecs that are no encodings of text
        except (LookupError, UnicodeError):
            raise UsageError(
                f"--encoding: there is no encoding {encoding!r}", hint="for instance utf-8, utf-16, cp1252, latin-1"
            ) from None
        return source.decoded(encoding)
    head = source.read(0, HEAD)
    if (half := utf16_of(head)) is not None:
        return source.decoded(half, "encoded in UTF-16")
    if not _is_utf8(head) and b"\0" not in head and may_be_windows(head):
        return source.decoded(WINDOWS, f"not UTF-8: read as {WINDOWS} (western Windows); --encoding names another")
    return source


def utf16_of(head: bytes) -> str | None:
    """Name of the encoding of a text in UTF-16, by its mark or its zero bytes; None for any other."""
    return "utf-16" if head.startswith(_UTF16_MARKS) else _utf16_without_mark(head)


def may_be_windows(text: bytes) -> bool:
    """Whether a text that is not UTF-8 may be western Windows: more of its letters are none in UTF-8 than are."""
    if text.startswith(UTF8_MARK):
        return False
    decoded = text.decode("utf-8", "surrogateescape")
    broken = len(re.findall("[\udc80-\udcff]", decoded))
    return broken > sum(map(len, re.findall("[^\x00-\x7f\udc80-\udcff]+", decoded)))


def _is_utf8(head: bytes) -> bool:
    """Whether the head is UTF-8, but for a character cut off at its end."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start > HEAD - 4 and error.reason == "unexpected end of data"
    return True


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 by the zero bytes of its western letters: nearly every second byte, and none of the others."""
    even, odd = head[:4096:2], head[1:4096:2]
    for name, empty, full in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if len(head) >= 8 and empty.count(0) > 0.9 * len(empty) and not full.count(0):
            return name
    return None

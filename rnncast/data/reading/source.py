"""Where rows come from: a file or stdin, what kind of file it is, and its bytes, piece by piece.

A file is taken for what its first bytes say, and its name only serves to find a contradiction. A regular file stays on
the disk and is read in pieces; what comes through a pipe, is packed, or is not UTF-8 is held in memory.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import weakref
from typing import BinaryIO

from rnncast.data.reading.records import count_lines
from rnncast.errors import DataError, InputNotFoundError, StorageError, UsageError

STDIN = "-"
HEAD = 1 << 16
"""Bytes at the beginning by which a text is judged."""

_PARQUET_ENDINGS = (".parquet", ".pq", ".parq")
_TEXT_ENDINGS = (".csv", ".tsv", ".txt")
_JSON = re.compile(rb"""\{\s*["}]|\[\s*[\[{"\d-]""")  # a header may begin with a bracket: [close],date
_MAX_CONTROL_SHARE = 0.05  # of the head; text has next to none, random bytes a ninth
_BRACKETED_NAME = re.compile(rb"<\w+>[,;\t|]")  # <DATE>,<CLOSE>: a header as trading programs write it
_PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
WINDOWS = "cp1252"
"""Encoding of western Windows: what a text that is not UTF-8 is taken for."""

_MAGIC = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unpack it first: zstd -dc FILE | rnncast ... -"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"ARROW1": ("an Arrow (Feather) file", "save it as Parquet or CSV"),
    b"\x89HDF": ("an HDF5 file", "save the table as Parquet or CSV"),
    b"SQLite format 3": ("an SQLite database", "write the table out as CSV"),
    b"%PDF": ("a PDF document", None),
}


class Source:
    """One input: its name, its size, and any piece of its bytes.

    Parameters
    ----------
    name
        How messages call it: the path as given, or ``stdin``.
    content
        All bytes, or a regular file opened for reading.
    """

    def __init__(self, name: str, content: bytes | BinaryIO) -> None:
        self.name = name
        self.notes: tuple[str, ...] = ()
        self._content = content
        if isinstance(content, bytes):
            self.size = len(content)
        else:
            self.size = os.fstat(content.fileno()).st_size
            weakref.finalize(self, content.close)

    @property
    def is_parquet(self) -> bool:
        """Whether the bytes are a Parquet file; otherwise they are text."""
        return self.read(0, 4) == b"PAR1"

    @property
    def is_in_memory(self) -> bool:
        """Whether all bytes are held."""
        return isinstance(self._content, bytes)

    @property
    def path(self) -> str | None:
        """Path of the regular file behind it; None for bytes in memory."""
        return None if self.is_in_memory else self.name

    def read(self, start: int, stop: int) -> bytes:
        """Bytes from `start` to before `stop`, fewer at the end.

        Raises
        ------
        StorageError
            Reading failed, or the file became shorter.
        """
        if isinstance(self._content, bytes):
            return self._content[start:stop]
        stop = min(stop, self.size)
        pieces = []
        try:
            self._content.seek(start)
            while start < stop and (piece := self._content.read(stop - start)):
                pieces.append(piece)
                start += len(piece)
        except OSError as error:
            raise StorageError(f"{self.name} could not be read: {error}") from error
        if start < stop:
            raise self._shorter()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def fill(self, start: int, size: int, buffer: bytearray) -> tuple[bytes | bytearray, int, int]:
        """At most `size` bytes from `start` on: what holds them, and where they begin and stop in it.

        Those of a file are read into the buffer, which must have room for them; bytes in memory stay where they are.
        """
        stop = min(start + size, self.size)
        if isinstance(self._content, bytes):
            return self._content, start, stop
        view, done = memoryview(buffer), 0
        try:
            self._content.seek(start)
            while start + done < stop and (count := self._content.readinto(view[done : stop - start])):  # type: ignore[attr-defined]
                done += count
        except OSError as error:
            raise StorageError(f"{self.name} could not be read: {error}") from error
        if start + done < stop:
            raise self._shorter()
        return buffer, 0, done

    def _shorter(self) -> StorageError:
        return StorageError(f"{self.name} became shorter while it was read", hint="run again once it is written")

    def replaced(self, content: bytes, *notes: str) -> Source:
        """The same input with other bytes, and with what there is to say of it."""
        source = Source(self.name, content)
        source.notes = (*self.notes, *notes)
        return source

    def decoded(self, encoding: str, *notes: str) -> Source:
        """The same text in UTF-8.

        Raises
        ------
        DataError
            The bytes are not in that encoding; the place says where.
        """
        data = self.read(0, self.size)
        try:
            return self.replaced(data.decode(encoding).removeprefix("\ufeff").encode(), *notes)
        except UnicodeError as error:
            if not isinstance(error, UnicodeDecodeError):
                raise DataError(f"the text is not encoded in {encoding}", where=self.name) from None
            line = count_lines(data[: error.start].decode(encoding, "ignore").encode()) + 1
            raise DataError(
                f"the text is not encoded in {encoding}: byte {data[error.start]:#04x}",
                where=f"{self.name}:{line}",
                hint="save the file as UTF-8, or name its encoding with --encoding",
            ) from None


def open_source(path: str, stdin: BinaryIO | None = None, encoding: str | None = None) -> Source:
    """Open one input.

    Parameters
    ----------
    path
        A path, or ``-`` for stdin.
    stdin
        Stream to read for ``-``; `sys.stdin` without it.
    encoding
        Encoding of text; found from the bytes without it.

    Raises
    ------
    UsageError, InputNotFoundError, StorageError, DataError
        No such encoding; no such file; a read that failed; a file that is neither text nor Parquet.
    """
    if path == STDIN:
        source = Source("stdin", (stdin or sys.stdin.buffer).read())
    else:
        source = _open_file(path)
    return _recognise(_unpacked(source), encoding)


def _open_file(path: str) -> Source:
    try:
        file = open(path, "rb", buffering=0)
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Source(path, file)
        with file:
            return Source(path, file.readall())  # a pipe gives its bytes one time
    except IsADirectoryError:
        raise InputNotFoundError(f"{path} is a folder, expected a file", hint="name a file in it") from None
    except FileNotFoundError:
        raise InputNotFoundError(f"there is no file {path}", hint=_similar_name(path)) from None
    except PermissionError:
        raise InputNotFoundError(f"{path} may not be read", hint="you have no permission to read it") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} could not be read: {error}") from error


def _similar_name(path: str) -> str | None:
    """Hint naming the file of the same folder with the most similar name."""
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    try:
        near = get_close_matches(name, os.listdir(folder or "."), n=1)
    except OSError:
        return f"there is no folder {folder} either"
    return f"did you mean {os.path.join(folder, near[0])}?" if near else None


def _unpacked(source: Source) -> Source:
    """The content of a file packed by gzip, bzip2 or xz; any other as it is."""
    head = source.read(0, 6)
    for magic, name in _PACKERS.items():
        if head.startswith(magic):
            import lzma
            import zlib
            from importlib import import_module

            try:
                data: bytes = import_module(name).decompress(source.read(0, source.size))
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise DataError(
                    f"the packed file is damaged: {error}", where=source.name, hint="it may be cut off: get it again"
                ) from error
            return source.replaced(data, f"unpacked with {name}")
    return source


def _recognise(source: Source, encoding: str | None) -> Source:
    if not source.size:
        raise DataError("the input is empty (0 bytes)", where=source.name, hint="check the download or the query")
    lowered = source.name.lower()
    if source.is_parquet:
        if lowered.endswith(_TEXT_ENDINGS):
            raise DataError(
                "this is a Parquet file, though its name says text",
                where=source.name,
                hint="rename it to end in .parquet, or pass it through stdin",
            )
        return source
    if lowered.endswith(_PARQUET_ENDINGS):
        raise DataError("this is not a Parquet file: it does not begin with PAR1", where=source.name)
    return _in_utf8(source, encoding)


def _in_utf8(source: Source, encoding: str | None) -> Source:
    """The text in UTF-8, without a byte order mark."""
    head = source.read(0, HEAD)
    if encoding is not None:
        try:
            "a".encode(encoding)  # LookupError also for codecs that are no encodings of text
        except (LookupError, UnicodeError):
            raise UsageError(
                f"--encoding: there is no encoding {encoding!r}", hint="for instance utf-8, utf-16, cp1252, latin-1"
            ) from None
        return source.decoded(encoding)
    if head.startswith(_UTF16_MARKS):
        return source.decoded("utf-16", "encoded in UTF-16")
    if (half := _utf16_without_mark(head)) is not None:
        return source.decoded(half, "encoded in UTF-16")
    _refuse_foreign(source.name, head[:4096])
    if not _is_utf8(head) and b"\0" not in head and may_be_windows(head):
        return source.decoded(WINDOWS, f"not UTF-8: read as {WINDOWS} (western Windows); --encoding names another")
    return source


def may_be_windows(text: bytes) -> bool:
    """Whether a text that is not UTF-8 may be western Windows: more of its letters are none in UTF-8 than are."""
    if text.startswith(_UTF8_MARK):
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


def _refuse_foreign(name: str, head: bytes) -> None:
    """DataError for everything that is known not to be CSV, told from its head."""
    for magic, (kind, hint) in _MAGIC.items():
        if head.startswith(magic):
            raise DataError(f"this is not CSV: it is {kind}", where=name, hint=hint)
    start = head.removeprefix(_UTF8_MARK).lstrip().lower()
    if start.startswith(b"<") and not _BRACKETED_NAME.match(start):
        kind = "an XML document" if start.startswith(b"<?xml") else "an HTML page"
        hint = "a download that failed often leaves one; open it to read what the server said"
        raise DataError(f"this is not CSV: it is {kind}", where=name, hint=hint)
    if _JSON.match(start):
        raise DataError("this is not CSV: it looks like JSON", where=name, hint="write the table out as CSV")
    control = sum(byte < 32 and byte not in b"\t\n\r\x0c" for byte in head)
    if control > _MAX_CONTROL_SHARE * len(head):
        raise DataError("this is not text: it is neither CSV nor Parquet", where=name)

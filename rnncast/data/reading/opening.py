"""Opens an input and sees what kind of file it is.

A file is taken for what its first bytes say, and its name only serves to find a contradiction.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import BinaryIO

from rnncast.data.reading.encodings import UTF8_MARK, in_utf8, utf16_of
from rnncast.data.reading.source import Source
from rnncast.errors import DataError, InputNotFoundError, StorageError

STDIN = "-"
_LOOK = 1 << 12  # bytes by which a file is known not to be text

_PARQUET_ENDINGS = (".parquet", ".pq", ".parq")
_TEXT_ENDINGS = (".csv", ".tsv", ".txt")
_JSON = re.compile(rb"""\{\s*["}]|\[\s*[\[{"\d-]""")  # a header may begin with a bracket: [close],date
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\x0c"))
_MAX_CONTROL_SHARE = 0.05  # of the head; text has next to none, random bytes a ninth
_FEW_CONTROL = 3  # of a short head: so many are faults of their lines
_BRACKETED_NAME = re.compile(rb"<\w+>[,;\t|]")  # <DATE>,<CLOSE>: a header as trading programs write it
_PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}

_MAGIC = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unpack it first: zstd -dc FILE | rnncast ... -"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"ARROW1": ("an Arrow (Feather) file", "save it as Parquet or CSV"),
    b"\x89HDF": ("an HDF5 file", "save the table as Parquet or CSV"),
    b"SQLite format 3": ("an SQLite database", "write the table out as CSV"),
    b"%PDF": ("a PDF document", None),
}


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
    head = source.read(0, _LOOK)
    if encoding is None and utf16_of(head) is None:
        _refuse_foreign(source.name, head)
    return in_utf8(source, encoding)


def _refuse_foreign(name: str, head: bytes) -> None:
    """DataError for everything that is known not to be CSV, told from its head."""
    for magic, (kind, hint) in _MAGIC.items():
        if head.startswith(magic):
            raise DataError(f"this is not CSV: it is {kind}", where=name, hint=hint)
    start = head.removeprefix(UTF8_MARK).lstrip().lower()
    if start.startswith(b"<") and not _BRACKETED_NAME.match(start):
        kind = "an XML document" if start.startswith(b"<?xml") else "an HTML page"
        hint = "a download that failed often leaves one; open it to read what the server said"
        raise DataError(f"this is not CSV: it is {kind}", where=name, hint=hint)
    if _JSON.match(start):
        raise DataError("this is not CSV: it looks like JSON", where=name, hint="write the table out as CSV")
    control = len(head) - len(head.translate(None, _CONTROL))
    if control > max(_FEW_CONTROL, _MAX_CONTROL_SHARE * len(head)):
        raise DataError("this is not text: it is neither CSV nor Parquet", where=name)

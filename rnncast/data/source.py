"""Where rows come from: the bytes of one file or of stdin, and what kind of file they are.

A file is taken for what its first bytes say, and its name only serves to find a contradiction.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from rnncast.errors import DataError, InputNotFoundError, StorageError, UsageError

STDIN = "-"
_PARQUET_ENDINGS = (".parquet", ".pq", ".parq")
_TEXT_ENDINGS = (".csv", ".tsv", ".txt")
_JSON = re.compile(rb"""\{\s*["}]|\[\s*[\[{"\d-]""")  # a header may begin with a bracket: [close],date
_MAX_CONTROL_SHARE = 0.05  # of the head; text has next to none, random bytes a ninth

_MAGIC = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\x1f\x8b": ("compressed by gzip", "unpack it first: gzip -dc FILE | rnncast ... -"),
    b"BZh": ("compressed by bzip2", "unpack it first: bzip2 -dc FILE | rnncast ... -"),
    b"\xfd7zXZ\x00": ("compressed by xz", "unpack it first: xz -dc FILE | rnncast ... -"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "unpack it first: zstd -dc FILE | rnncast ... -"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"ARROW1": ("an Arrow (Feather) file", "save it as Parquet or CSV"),
    b"\x89HDF": ("an HDF5 file", "save the table as Parquet or CSV"),
    b"SQLite format 3": ("an SQLite database", "write the table out as CSV"),
    b"%PDF": ("a PDF document", None),
    b"\xff\xfe": ("encoded in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("encoded in UTF-16", "save it as UTF-8"),
}


@dataclass(frozen=True)
class Source:
    """One input, read.

    Attributes
    ----------
    name
        How messages call it: the path as given, or ``stdin``.
    data
        All of its bytes.
    is_parquet
        Whether they are a Parquet file; otherwise they are text.
    """

    name: str
    data: bytes
    is_parquet: bool


def open_source(sources: Sequence[str], stdin: BinaryIO | None = None) -> Source:
    """Read the one input.

    Parameters
    ----------
    sources
        Exactly one path, or ``-`` for stdin.
    stdin
        Stream to read for ``-``; `sys.stdin` without it.

    Raises
    ------
    UsageError, InputNotFoundError, StorageError, DataError
        More than one input; no such file; a read that failed; a file that is neither text nor Parquet.
    """
    if len(sources) != 1:
        raise UsageError(
            f"{len(sources)} inputs were given, expected one file or - for stdin",
            hint="put all series into one file in long layout, with a column that names the series",
        )
    path = sources[0]
    if path == STDIN:
        return _recognise("stdin", (stdin or sys.stdin.buffer).read())
    return _recognise(path, _read_file(path))


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
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


def _recognise(name: str, data: bytes) -> Source:
    if not data:
        raise DataError("the input is empty (0 bytes)", where=name, hint="check the download or the query behind it")
    lowered = name.lower()
    if data[:4] == b"PAR1":
        if lowered.endswith(_TEXT_ENDINGS):
            raise DataError(
                "this is a Parquet file, though its name says text",
                where=name,
                hint="rename it to end in .parquet, or pass it through stdin",
            )
        return Source(name, data, True)
    if lowered.endswith(_PARQUET_ENDINGS):
        raise DataError("this is not a Parquet file: it does not begin with PAR1", where=name)
    _refuse_foreign(name, data[:4096])
    return Source(name, data, False)


def _refuse_foreign(name: str, head: bytes) -> None:
    """DataError for everything that is known not to be CSV, told from its head."""
    for magic, (kind, hint) in _MAGIC.items():
        if head.startswith(magic):
            raise DataError(f"this is not CSV: it is {kind}", where=name, hint=hint)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<"):
        kind = "an XML document" if start.startswith(b"<?xml") else "an HTML page"
        hint = "a download that failed often leaves one; open it to read what the server said"
        raise DataError(f"this is not CSV: it is {kind}", where=name, hint=hint)
    if _JSON.match(start):
        raise DataError("this is not CSV: it looks like JSON", where=name, hint="write the table out as CSV")
    control = sum(byte < 32 and byte not in b"\t\n\r\x0c" for byte in head)
    if control > _MAX_CONTROL_SHARE * len(head):
        raise DataError("this is not text: it is neither CSV nor Parquet", where=name)

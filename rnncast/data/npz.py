"""Arrays of an ``.npz`` read with care: a header is held against what it must be before any data is read.

Nothing is unpickled, and nothing is allocated that the file does not hold.
"""

from __future__ import annotations

import os
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rnncast.errors import DataError

DAMAGED = (
    *(ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError),  # values that fit nothing
    *(OSError, EOFError, zlib.error, zipfile.BadZipFile),  # places in the file that lead nowhere
    *(SyntaxError, tokenize.TokenError, MemoryError),  # a header, which NumPy reads as a Python literal
)
"""What reading a damaged file may raise."""

SMALL_FILE = 32 << 20
"""Bytes that the members of any archive may declare together."""

MOST_INFLATED = 8
"""Times the size of the file that the members of a larger one may: numbers do not shrink like that, and bombs do."""

_MAGIC, _END, _END_SIZE = b"PK\x03\x04", b"PK\x05\x06", 22  # how an archive begins, and its last bytes
_PIECE = 1 << 20


def held_in_memory(stream: IO[bytes], most: int) -> BytesIO:
    """The archive that a pipe gives, of less than `most` bytes.

    Raises
    ------
    DataError
        It does not begin like an archive, or is longer.
    """
    head = stream.read(len(_MAGIC))
    if not head:
        raise DataError("nothing came, expected a model", hint="the command before the pipe may have failed")
    if head != _MAGIC:
        raise DataError("this is not a model", hint="a model comes from rnncast train, as a file or with -o -")
    held = BytesIO()
    held.write(head)
    while piece := stream.read(_PIECE):
        held.write(piece)
        if held.tell() >= most:
            raise DataError(f"this is no model: it takes {most} bytes or more")
    held.seek(0)
    return held


def check_ends(stream: IO[bytes]) -> None:
    """ValueError for a file that is less or more than an archive: cut off, a script before it, a text after it."""
    stream.seek(0)
    begins = stream.read(len(_MAGIC)) == _MAGIC
    stream.seek(-_END_SIZE, os.SEEK_END)
    last = stream.read(_END_SIZE)
    if not (begins and last.startswith(_END) and last.endswith(b"\0\0")):  # at the end the length of a comment
        raise ValueError("it is cut off, or holds something before or after the arrays")


def check_sizes(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    """ValueError for a file of `size` bytes that would take far more memory than that, or a long time."""
    declared = sum(entry.file_size for entry in entries)
    if declared > max(SMALL_FILE, MOST_INFLATED * size) or sum(entry.compress_size for entry in entries) > size:
        raise ValueError(f"the file declares {declared} bytes in {size}")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise ValueError("an array is packed in a way that is not known")


def read_array(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, dtype: np.dtype[Any], shape: tuple[int | None, ...] | None = None
) -> NDArray[Any]:
    """One member of an archive.

    Parameters
    ----------
    archive, entry
        The open file and its member.
    dtype
        Type that the array must have.
    shape
        Shape that it must have, None standing for any length; None for any shape.

    Raises
    ------
    ValueError, or another of `DAMAGED`
        It is not that array, or damaged.
    """
    with archive.open(entry) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise ValueError(f"{entry.filename} has array format {version}")
        found, fortran, found_dtype = np.lib.format.read_array_header_1_0(member)
        wanted = found if shape is None else shape
        fits = len(found) == len(wanted) and all(b is None or a == b for a, b in zip(found, wanted, strict=True))
        if found_dtype != dtype or fortran or not fits:
            raise ValueError(f"{entry.filename} is {found_dtype}{list(found)}, expected {dtype}{list(wanted)}")
        size = int(np.prod([int(n) for n in found], dtype=object)) * dtype.itemsize
        if size > entry.file_size:
            raise ValueError(f"{entry.filename} declares {size} bytes and holds {entry.file_size}")
        data = member.read(size + 1)  # one byte more than there may be: reading to the end checks the CRC
    if len(data) != size:
        raise ValueError(f"{entry.filename} holds {len(data)} bytes, expected {size}")
    return np.frombuffer(data, dtype=dtype).reshape(found)

"""The bytes of one input, piece by piece: a regular file stays on the disk, everything else is held in memory."""

from __future__ import annotations

import os
import weakref
from typing import BinaryIO

from rnncast.data.reading.records import count_lines
from rnncast.errors import DataError, StorageError

HEAD = 1 << 16
"""Bytes at the beginning by which a text is judged."""


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

"""An operating system whose k-th call fails, or kills the caller: what SQLite's failing VFS is to SQLite.

Counted are the calls by which files are changed: open, write, fsync, fchmod, close, replace, link and unlink. A test
lets the first of them fail, then the second, and so on, until a run has no fault; so every place is reached.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

CALLS = ("open", "fsync", "fchmod", "close", "replace", "rename", "link", "unlink")
"""Functions of `os` that are counted; writing is counted in the files that are opened for it."""

_OF_NAMES = (errno.EACCES, errno.EROFS)  # no file system says that to who closes a file

KILL = -1
"""In place of an error's number: the process ends by SIGKILL before the call; a write is done by half."""


@dataclass
class Fault:
    """Which call fails, and how; and what was called.

    Attributes
    ----------
    at : int
        Number of the call, from 1; 0 for none.
    code : int
        The error, or `KILL`.
    persistent : bool
        Whether all calls after it fail too.
    calls, failed : list of str
        All calls, and those that failed.
    """

    at: int = 0
    code: int = errno.EIO
    persistent: bool = False
    calls: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def was_reached(self) -> bool:
        """Whether there was a call of that number."""
        return 0 < self.at <= len(self.calls)

    @property
    def gave_the_name(self) -> bool:
        """Whether the new file has its name."""
        good = list(self.calls)
        for name in self.failed:
            good.remove(name)
        return not {"replace", "rename", "link"}.isdisjoint(good)

    def call(self, name: str, before: Callable[[], object] = lambda: None) -> None:
        """Count a call, and raise if it is to fail; `before` is done first, then."""
        if name == "close" and self.code in _OF_NAMES:
            return
        self.calls.append(name)
        number = len(self.calls)
        if number == self.at or (self.persistent and 0 < self.at < number):
            self.failed.append(name)
            before()
            if self.code == KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(self.code, os.strerror(self.code))


class _File(io.FileIO):
    """A file whose writing is counted; a full disk takes half of what it is given, and so does a kill."""

    def __init__(self, fault: Fault, *how: Any) -> None:
        super().__init__(*how)
        self._fault = fault

    def write(self, data: Any) -> int:
        """Write, or fail after half of it."""
        half = memoryview(data).cast("B")[: len(memoryview(data).cast("B")) // 2]
        full = self._fault.code in (errno.ENOSPC, errno.EDQUOT, KILL)
        self._fault.call("write", (lambda: super(_File, self).write(half)) if full else lambda: None)
        return super().write(data)

    def close(self) -> None:
        """Close, and fail afterwards, as a network's file system does."""
        if not self.closed:
            super().close()
            self._fault.call("close")


@contextmanager
def failing_os(fault: Fault) -> Iterator[None]:
    """Let calls fail, and files that are opened for writing; a context manager."""
    real_open = builtins.open

    def counted(name: str) -> Any:
        real = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if name == "close":  # the descriptor is free even where closing fails
                real(*arguments, **named)
                fault.call(name)
                return None
            fault.call(name)
            return real(*arguments, **named)

        return call

    def open_counted(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if mode != "wb":
            return real_open(file, mode, *more, **named)
        return io.BufferedWriter(_File(fault, file, mode))

    with mock.patch.multiple(os, **{name: counted(name) for name in CALLS}):
        with mock.patch.object(builtins, "open", open_counted):
            yield

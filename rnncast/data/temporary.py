"""Temporary files beside their targets, and the sweeping of those whose writer is dead.

A writer holds a lock on its temporary, which the kernel lets go of when the writer ends, however it ends. So a
temporary that can be locked is that of a dead run; nothing has to be guessed from its age. Where there are no locks,
what has not been written to for a day counts as dead. A lock is as wide as the file system makes it: on a network
folder that is mounted with locks local to each machine, a run sees the writers of its own machine only.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator

from rnncast.data.locking import is_named, take

ABANDONED = 86_400.0
"""Seconds without a change after which a temporary counts as that of a dead run, where there are no locks."""

_NAME = re.compile(r"\.rnncast-[0-9a-f]{12}\.tmp")


@contextlib.contextmanager
def temporary(folder: str) -> Iterator[tuple[str, int]]:
    """Name, and descriptor to write to, of a new file in a folder; a context manager.

    The descriptor is the caller's to close. The file is marked as alive to the end, and removed if that is an error.
    """
    path, handle, mark = _create(folder)
    try:
        yield path, handle
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        if mark is not None:
            os.close(mark)


def sweep(folder: str) -> None:
    """Remove the temporaries of dead runs from a folder; what cannot be told or removed stays, without a word."""
    paths: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        paths += [entry.path for entry in entries if _NAME.fullmatch(entry.name)]
    for path in paths:
        with contextlib.suppress(OSError):
            _remove_if_dead(path)


def _create(folder: str) -> tuple[str, int, int | None]:
    """Name and descriptor of a new file, and a second descriptor that keeps its lock; None where there are no locks."""
    while True:
        path = os.path.join(folder, f".rnncast-{os.urandom(6).hex()}.tmp")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            taken = take(handle)
            if taken is None or (taken and is_named(handle, path)):
                return path, handle, os.dup(handle) if taken else None
        except BaseException:
            _discard(path, handle)
            raise
        _discard(path, handle)  # another run swept it before it was locked


def _discard(path: str, handle: int) -> None:
    os.close(handle)
    with contextlib.suppress(OSError):
        os.unlink(path)


def _remove_if_dead(path: str) -> None:
    """Remove a temporary that nobody holds; only what is locked here, and not what a link leads to."""
    if os.path.islink(path) or not os.path.isfile(path):
        return
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        taken = take(handle)
        if taken and is_named(handle, path):
            os.unlink(path)
    finally:
        os.close(handle)
    if taken is None and time.time() - os.lstat(path).st_mtime > ABANDONED:
        os.unlink(path)

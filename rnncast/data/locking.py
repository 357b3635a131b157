"""One run at a time: a lock that the kernel holds for a file, and lets go of when its holder ends, however it ends.

The lock lies on a file beside the one that is guarded (``ledger.csv.lock``), which stays: the guarded file itself is
replaced when it is written, and a lock would be left on what it was. The file is empty and says nothing; only the lock
on it counts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator

from rnncast.errors import BusyError, OutputError

PATIENCE = 5.0
"""Seconds that a run waits for another to be done."""

_PAUSE = 0.05  # seconds between two tries: flock itself knows no time limit
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # file systems that have none


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], *, patience: float = PATIENCE) -> Iterator[bool]:
    """Hold the lock of a file; a context manager.

    Parameters
    ----------
    path
        The file that is guarded; it need not exist. Links to it share one lock.
    patience
        Seconds to wait for a run that holds it.

    Yields
    ------
    bool
        Whether there is a lock: a system or a file system may have none.

    Raises
    ------
    BusyError
        Another run still holds it after that time.
    OutputError
        The file of the lock cannot be created.
    """
    name = os.fspath(path)
    try:
        import fcntl
    except ImportError:  # Windows
        yield False
        return
    handle = _open(os.path.realpath(name) + ".lock")
    try:
        yield _acquire(lambda: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB), name, patience)
    finally:
        os.close(handle)  # which lets go of the lock


def _open(path: str) -> int:
    """Descriptor of the lock's file; one of another user's may be read only, which is enough."""
    try:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError:
            return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be created: {error.strerror}",
            hint="the lock stands beside the file that it guards: put that into a folder that may be written to",
        ) from error


def _acquire(lock: Callable[[], None], name: str, patience: float) -> bool:
    """Try until it works; False where there are no locks."""
    deadline = time.monotonic() + patience
    while True:
        try:
            lock()
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BusyError(
                    f"another run holds the lock of {name}", where=f"{name}.lock", hint="try again later"
                ) from None
            time.sleep(_PAUSE)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            raise

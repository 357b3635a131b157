"""One run at a time: a lock that the kernel holds for a file, and lets go of when its holder ends, however it ends.

The lock lies on a hidden file beside the one that is guarded, ``.prices.npz.lock`` for ``prices.npz``: the guarded file
itself is replaced when it is written, and a lock would be left on what it was. The file of the lock is empty and says
nothing; only the lock on it counts. The holder removes it before it lets go, so whoever gets the lock of a file that
has lost its name tries again with the one that has it. A run that was killed leaves the file, without a lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator

from rnncast.errors import STORAGE_ERRORS, BusyError, OutputError, StorageError

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

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
    OutputError, StorageError
        The file of the lock cannot be created.
    """
    name = os.fspath(path)
    if not HAS_LOCKS:
        yield False
        return
    lock = lock_of(name)
    handle, is_locked = _acquire(lock, name, patience)
    try:
        yield is_locked
    finally:
        if is_named(handle, lock):
            with contextlib.suppress(OSError):
                os.unlink(lock)
        os.close(handle)  # which lets go of the lock


def lock_of(path: str) -> str:
    """Name of the file that the lock of a file lies on."""
    folder, name = os.path.split(os.path.realpath(path))
    return os.path.join(folder, f".{name}.lock")


def take(handle: int) -> bool | None:
    """Lock an open file until its descriptors are closed, without waiting; False if another has it, None without locks.

    A lock belongs to what `os.open` has opened, not to the process: closing one of two descriptors of it keeps it.
    """
    if not HAS_LOCKS:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def is_named(handle: int, path: str) -> bool:
    """Whether an open file is the one that has a name by now."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _acquire(lock: str, name: str, patience: float) -> tuple[int, bool]:
    """Descriptor that holds the lock, and True; or False where there are no locks."""
    deadline = time.monotonic() + patience
    while True:
        handle = _open(lock)
        try:
            taken = take(handle)
            if taken is None or (taken and is_named(handle, lock)):
                return handle, bool(taken)
        except OSError as error:
            os.close(handle)
            raise OutputError(f"{lock} cannot be locked: {error.strerror}") from error
        os.close(handle)
        if taken:  # the holder before removed it after it was opened here
            continue
        if time.monotonic() >= deadline:
            raise BusyError(f"another run holds the lock of {name}", where=lock, hint="try again later")
        time.sleep(_PAUSE)


def _open(path: str) -> int:
    """Descriptor of the lock's file; one of another user's may be read only, which is enough. No link is followed."""
    plain = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | plain, 0o666)
        except PermissionError:
            return os.open(path, os.O_RDONLY | plain)
    except OSError as error:
        if error.errno in STORAGE_ERRORS:
            raise StorageError(f"{path} could not be written: {error.strerror}", hint="free some space") from error
        raise OutputError(
            f"{path} cannot be created: {error.strerror}",
            hint="the lock stands beside the file that it guards: put that into a folder that may be written to",
        ) from error

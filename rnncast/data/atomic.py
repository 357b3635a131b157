"""Files that are there whole or not at all: the one way in which the project writes a file.

Written to a temporary in the same folder, brought to the disk, and only then given its name. What a run that was killed
left of such temporaries is removed by the next one that writes to the folder.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from typing import BinaryIO

from rnncast.data.temporary import sweep, temporary
from rnncast.errors import STORAGE_ERRORS, OutputError, RnncastError, StorageError


def atomic_write(path: str | os.PathLike[str], write: Callable[[BinaryIO], object], *, clobber: bool = True) -> None:
    """Write a file so that a reader, or a crash, never meets half of it.

    Parameters
    ----------
    path
        The file. A link is followed; a device or pipe is written to as it is.
    write
        Called with the open file, to write all of its content.
    clobber
        Whether a file of that name may be replaced. Its permissions are kept.

    Raises
    ------
    OutputError
        The file cannot be created, or exists and is not to be replaced.
    StorageError
        Writing failed: the disk is full, or gone.
    BrokenPipeError
        It is a pipe whose reader has gone.
    """
    name = os.fspath(path)
    try:
        target = os.path.realpath(name)
        mode = _mode_of(target)
        if mode is not None and stat.S_ISDIR(mode):
            raise OutputError(f"{name} is a folder, expected the name of a file")
        if mode is not None and not clobber:
            raise _exists(name)
        if mode is not None and not stat.S_ISREG(mode):
            _write_to_device(target, write)
            return
        _write_beside(target, write, mode, clobber)
    except FileExistsError:
        raise _exists(name) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _explain(name, error) from error


def _mode_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _write_to_device(target: str, write: Callable[[BinaryIO], object]) -> None:
    """Write to what knows no places to go back to, as an archive needs."""
    content = io.BytesIO()
    write(content)
    with open(target, "wb") as device:
        device.write(content.getvalue())


def _write_beside(target: str, write: Callable[[BinaryIO], object], mode: int | None, clobber: bool) -> None:
    folder = os.path.dirname(target)
    sweep(folder)  # first: what dead runs left may be what fills the disk
    with temporary(folder) as (path, handle):
        with open(handle, "wb") as file:
            write(file)
            file.flush()
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(handle, stat.S_IMODE(mode))
            os.fsync(handle)
        if clobber:
            os.replace(path, target)
        else:
            _name_new(path, target)
    _sync_folder(folder)


def _name_new(path: str, target: str) -> None:
    """Give the temporary its name unless there is such a file by now (FileExistsError)."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        os.replace(path, target)
    else:
        os.unlink(path)


def _sync_folder(folder: str) -> None:
    """Bring the new name to the disk; not every system can, but a disk that fails is no such system."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in STORAGE_ERRORS:
            raise


def _exists(name: str) -> OutputError:
    return OutputError(f"{name} exists and is not to be replaced", hint="leave out --no-clobber, or name another file")


def _explain(name: str, error: OSError) -> RnncastError:
    reason = error.strerror or str(error)
    if error.errno in STORAGE_ERRORS:
        return StorageError(f"{name} could not be written: {reason}", hint="free some space, or write elsewhere")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return OutputError(f"{name} cannot be created: there is no folder {os.path.dirname(name) or '.'}")
    if isinstance(error, PermissionError):
        return OutputError(f"{name} cannot be created: no permission to write there")
    return OutputError(f"{name} cannot be created: {reason}")

"""Folders of one's own for compiled kernels: where they lie, whose they must be, and when they go.

Compiled kernels are kept as pickles, which can run any code when they are read: nobody else may be able to put one in
their place. So every folder that is made here, and every file in it, belongs to the user and is closed to the writing
of others; links are not followed; and names are looked up in the open folder that was checked, not along a path that
somebody could have altered since.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "RNNCAST_CACHE_DIR"
"""Environment variable that names the folder in which ours is made."""

OWN = "rnncast"
PREFIX = "kernels-"

UNUSED_DAYS = 60
MOST_OTHERS = 8
"""Folders of other kernels are removed that were not used for so long, or of which so many were used later."""

_DAY = 86400.0
_CLOSED = stat.S_IWGRP | stat.S_IWOTH
# Links are refused; a pipe in the place of a file must not be waited for.
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class NoFolderError(Exception):
    """Why there is no folder for compiled kernels."""


@dataclass(frozen=True)
class Folder:
    """A folder that was checked, open until it is closed.

    Attributes
    ----------
    path
        To be shown.
    handle : int or None
        Its descriptor; None on Windows, where a path is all there is.
    """

    path: str
    handle: int | None

    def close(self) -> None:
        """Give the descriptor back."""
        if self.handle is not None:
            os.close(self.handle)

    def enter(self, name: str) -> Folder:
        """The folder of that name in this one, made if there is none; NoFolderError if it is not the user's alone."""
        path = os.path.join(self.path, name)
        try:
            handle = self._open_or_make(name)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise NoFolderError(f"{path} is no folder (links are not followed)") from None
            raise NoFolderError(f"{path} cannot be used: {error.strerror}") from None
        fault = None if handle is None else _fault(os.fstat(handle))
        if handle is not None and fault is not None:
            os.close(handle)
            raise NoFolderError(f"{path} {fault}")
        return Folder(path, handle)

    def _open_or_make(self, name: str) -> int | None:
        if self.handle is None:
            os.makedirs(self._place(name), exist_ok=True)
            return None
        try:
            return os.open(name, _READ | os.O_DIRECTORY, dir_fd=self.handle)
        except FileNotFoundError:
            with suppress(FileExistsError):  # another process was faster
                os.mkdir(name, 0o700, dir_fd=self.handle)
            return os.open(name, _READ | os.O_DIRECTORY, dir_fd=self.handle)

    def read(self, name: str) -> bytes:
        """Content of a file; PermissionError if somebody else could have written it."""
        with open(os.open(self._place(name), _READ, dir_fd=self.handle), "rb") as file:
            fault = _fault(os.fstat(file.fileno()))
            if fault is not None:
                raise PermissionError(errno.EPERM, f"it {fault}")
            return file.read()

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """Write a file that is there whole or not at all (a lost one is compiled again: no need to wait for the disk).

        `rnncast.data.atomic` stands above this layer, and knows no open folders.
        """
        temporary = self._place(f"{name}.{os.urandom(6).hex()}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(temporary, flags, 0o600, dir_fd=self.handle)
        try:
            with open(handle, "wb") as file:
                file.writelines(parts)
            os.replace(temporary, self._place(name), src_dir_fd=self.handle, dst_dir_fd=self.handle)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self.handle)
            raise

    def remove(self, name: str) -> None:
        """Remove a file, if it can be."""
        with suppress(OSError):
            os.unlink(self._place(name), dir_fd=self.handle)

    def remove_folder(self, name: str) -> None:
        """Remove a folder with all that is in it, as far as it can be; links in it are not followed."""
        shutil.rmtree(self._place(name), ignore_errors=True, dir_fd=self.handle)

    def used(self) -> None:
        """Let it count as used today."""
        place = self.path if self.handle is None else self.handle
        with suppress(OSError):
            if time.time() - os.stat(place).st_mtime > _DAY:
                os.utime(place)

    def ages(self) -> list[tuple[float, str, bool]]:
        """Of what is in it, the youngest first: seconds since it was altered, name, whether it is a folder."""
        found = []
        now = time.time()
        for name in os.listdir(self.path if self.handle is None else self.handle):
            with suppress(FileNotFoundError):
                status = os.stat(self._place(name), dir_fd=self.handle, follow_symlinks=False)
                found.append((now - status.st_mtime, name, stat.S_ISDIR(status.st_mode)))
        return sorted(found)

    def _place(self, name: str) -> str:
        return os.path.join(self.path, name) if self.handle is None else name


def open_folder(name: str | None = None) -> Folder:
    """The folder of that name in ours, or ours itself, made where there is none; to be closed.

    Raises
    ------
    NoFolderError
        There is no place for it, or it is not the user's alone.
    """
    path, named = _base()
    try:
        folder = _open_base(path, named)
    except OSError as error:
        raise NoFolderError(f"{path} cannot be used: {error.strerror}") from None
    for step in (OWN, name) if name is not None else (OWN,):
        with closing(folder):
            folder = folder.enter(step)
    return folder


def sweep(current: str) -> None:
    """Remove folders of kernels that were not used for long, and temporaries of dead runs in the `current` one.

    Who is about to read what is removed here finds nothing, and compiles.
    """
    with suppress(OSError, NoFolderError), closing(open_folder()) as own:
        others = [(age, name) for age, name, is_folder in own.ages() if is_folder and name.startswith(PREFIX)]
        others = [(age, name) for age, name in others if name != current]
        for later, (age, name) in enumerate(others):
            if later >= MOST_OTHERS or age > UNUSED_DAYS * _DAY:
                own.remove_folder(name)
        with closing(own.enter(current)) as folder:
            for age, name, _ in folder.ages():
                if name.endswith(".tmp") and age > _DAY:
                    folder.remove(name)


def _base() -> tuple[str, bool]:
    """Where our folder is made, and whether somebody named it: else it is the user's cache folder on this platform."""
    named = os.environ.get(VARIABLE) or os.environ.get("NUMBA_CACHE_DIR")
    if named:
        return os.path.abspath(named), True
    variable, steps = {"win32": ("LOCALAPPDATA", ("AppData", "Local")), "darwin": ("", ("Library", "Caches"))}.get(
        sys.platform, ("XDG_CACHE_HOME", (".cache",))
    )
    named = os.environ.get(variable) if variable else None
    if named and os.path.isabs(named):  # the XDG specification: what is relative is to be ignored
        return named, True
    try:
        return str(Path.home().joinpath(*steps)), False
    except RuntimeError:
        raise NoFolderError("there is no home folder") from None


def _open_base(path: str, named: bool) -> Folder:
    """The folder at a path; one that was named is made with those above it, else a home that is none stays so."""
    if not os.path.isdir(path):
        with suppress(FileExistsError):
            (os.makedirs if named else os.mkdir)(path, 0o700)
    if sys.platform == "win32":
        return Folder(path, None)
    return Folder(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY))


def _fault(status: os.stat_result) -> str | None:
    """Why what has this status is not the user's alone; None if it is."""
    if sys.platform == "win32":  # it has neither owners nor modes of this kind
        return None
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    return "can be written to by others" if status.st_mode & _CLOSED else None

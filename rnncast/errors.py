"""Errors that a user can meet, and the exit code of each.

The tree (codes follow sysexits.h where it has a word for the case)::

    RnncastError            70  internal error
    ├── UsageError           2  the command line asks for something impossible
    ├── DataError           65  the input was read, and is not usable as it is
    │   ├── ColumnsError    65  the columns of an input do not say what they are
    │   └── ModelFileError  65  a model file is damaged, foreign or too new
    ├── InputNotFoundError  66  there is no such input, or it may not be read
    ├── TrainingError       70  training could not produce finite weights
    ├── OutputError         73  the output cannot be created
    ├── StorageError        74  input/output error while reading or writing (disk full)
    ├── BusyError           75  another run holds the lock: try again later
    ├── NothingNewError     75  no row has come since the last forecast: try again later
    └── StaleError          76  the newest row is older than it may be

The command line turns each into a few lines (what, where, how to mend) at one place only: `cli.boundary`.
Library code raises; it never prints and never exits.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

STORAGE_ERRORS = {errno.ENOSPC, errno.EIO, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Errors of the system that are no fault of a name: a full or broken disk."""


class RnncastError(Exception):
    """Base of all errors with a message for the user.

    Parameters
    ----------
    message
        What is wrong, in one sentence, with what was expected and what was found.
    where
        The place, as exact as it is known: ``file:line:column, series "id"``.
    hint
        How to mend it: the option to give, or the change to make in the file.
    """

    exit_code: int = 70

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint


def typed_name(setting: str) -> str:
    """How the option of a setting is typed, as errors name it: ``--hidden-size`` for ``hidden_size``."""
    return "--" + setting.replace("_", "-")


class UsageError(RnncastError):
    """The command line asks for something that cannot be done, whatever the data."""

    exit_code = 2


class DataError(RnncastError):
    """The input exists and is not usable as it is."""

    exit_code = 65


class ColumnsError(DataError):
    """The columns of an input do not say what they are.

    Parameters
    ----------
    columns
        Name, kind and first cells of each column, for who wants to see them.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        columns: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.columns = tuple(columns)


class ModelFileError(DataError):
    """A model file is damaged, not a model, or written by a newer format version."""


class InputNotFoundError(RnncastError):
    """There is no such input, or it may not be read."""

    exit_code = 66


class TrainingError(RnncastError):
    """Training could not produce finite weights."""


class OutputError(RnncastError):
    """The output cannot be created: no such folder, no permission, file present and not to be replaced."""

    exit_code = 73


class StorageError(RnncastError):
    """Reading or writing failed half way: a full disk, a vanished mount."""

    exit_code = 74


class BusyError(RnncastError):
    """Another run holds the lock: the same command will do later."""

    exit_code = 75


class NothingNewError(RnncastError):
    """No row has come since the last forecast: the same command will do later."""

    exit_code = 75


class StaleError(RnncastError):
    """The newest row is older than the user allows."""

    exit_code = 76

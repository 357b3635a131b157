"""``rnncast.toml``, or another file of options: read as TOML, with the lines of its keys."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import Any, NoReturn

from rnncast.cli.config.command import FILE
from rnncast.errors import InputNotFoundError, UsageError
from rnncast.records import dataclass

MOST_BYTES = 1 << 20
"""Size of a file of options, at most."""

IGNORE = "mend it, or leave the file out with --no-config"


@dataclass(frozen=True)
class ConfigFile:
    """A file of options that was read.

    Attributes
    ----------
    path : str
        As it is named.
    is_named : bool
        Whether the caller named it, rather than that it lies in the current folder.
    keys : dict
        Its keys and tables.
    lines : tuple of str
        Its text.
    """

    path: str
    is_named: bool
    keys: Mapping[str, Any]
    lines: tuple[str, ...]

    def place(self, key: str, table: str = "") -> str:
        """File and line of a key, or of its table, as far as they are found."""
        line = _line(self.lines, key, table)
        return self.path if line is None else f"{self.path}:{line}"


def default_file() -> str | None:
    """The file that lies in the current folder, if there is one."""
    try:
        mode = os.stat(FILE).st_mode
    except OSError:
        return None
    if not stat.S_ISREG(mode):
        raise UsageError(f"{FILE} is no regular file", hint=IGNORE)
    return FILE


def read_file(path: str, named_by: str | None = None) -> ConfigFile:
    """A file of options; `named_by` is the flag or variable that names it.

    Raises
    ------
    InputNotFoundError
        There is none, or it may not be read.
    UsageError
        It is no TOML.
    """
    import tomllib

    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputNotFoundError(
            f"{path} cannot be read: {error.strerror}",
            where=f"named by {named_by}" if named_by else None,
            hint="name another file, or leave it out with --no-config",
        ) from None
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path} is larger than {MOST_BYTES:,} bytes: it is no file of options", hint=IGNORE)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return ConfigFile(path, named_by is not None, tomllib.loads(text), tuple(text.split("\n")))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError("a file of options is UTF-8, and this is not", where=f"{path}:{line}", hint=IGNORE) from None
    except ValueError as error:
        _refuse_text(path, str(error), text)
    except RecursionError:
        raise UsageError("lists or tables stand too deep in one another", where=path, hint=IGNORE) from None


def _refuse_text(path: str, fault: str, text: str) -> NoReturn:
    """The fault of a text that is no TOML, with line and column."""
    what, _, at = fault.partition(" (at ")
    where = path
    if found := re.match(r"line (\d+), column (\d+)", at):
        where = f"{path}:{found[1]}:{found[2]}"
    elif at:  # the end of the document
        lines = text.split("\n")
        where = f"{path}:{len(lines)}:{len(lines[-1]) + 1}"
    raise UsageError(f"this is not valid TOML: {what.partition(';')[0]}", where=where, hint=IGNORE)


def _line(lines: tuple[str, ...], key: str, table: str) -> int | None:
    """Line of a key or a header; a dotted or inline table gives that of its name."""
    word = rf"""(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')"""
    current, header = "", None
    for number, line in enumerate(lines, 1):
        if begins := re.match(r"""\s*\[+\s*["']?([^\]"']*?)["']?\s*\]""", line):
            current = begins[1]
            if current == (table or key) or current.startswith(f"{table or key}."):
                header = header or number
        elif current == table and re.match(rf"\s*{word}\s*[=.]", line):
            return number
        elif not current and table and re.match(rf"\s*{re.escape(table)}\s*[=.]", line):
            header = header or number
    return header

"""Holidays that the user names in a file: one ISO date a line, or the first column of a CSV."""

from __future__ import annotations

from datetime import date

from rnncast.data.calendars.opendays import MOST_HOLIDAYS
from rnncast.errors import DataError, InputNotFoundError, UsageError

_SEPARATORS = ",;\t"
_HINT = "give one date a line, such as 2024-12-25; the first line may be a header, and # begins a comment"


def read_holidays(path: str) -> tuple[str, ...]:
    """Dates of a file of holidays, ascending, each once.

    A header line, blank lines and comments (``#``) are allowed; what comes after the first column is not read.

    Raises
    ------
    InputNotFoundError
        There is no such file, or it may not be read.
    UsageError
        It is a folder, or no text.
    DataError
        A line is no date; the message names it.
    """
    dates: set[str] = set()
    first = True
    for number, line in enumerate(_lines(path), start=1):
        cell = _first_cell(line)
        if not cell:
            continue
        found = _iso_date(cell)
        if found is not None:
            dates.add(found)
        elif not first or any(character.isdigit() for character in cell):  # a header has no digits
            raise DataError(f"{cell[:40]!r} is no date", where=f"{path}:{number}", hint=_HINT)
        first = False
    if not dates:
        raise DataError("there is no date in the file of holidays", where=path, hint=_HINT)
    if len(dates) > MOST_HOLIDAYS:
        raise DataError(f"{len(dates):,} holidays, expected at most {MOST_HOLIDAYS:,}", where=path)
    return tuple(sorted(dates))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return stream.read().splitlines()
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder, expected a file of dates", hint=_HINT) from error
    except OSError as error:
        raise InputNotFoundError(f"cannot open the holidays: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text, expected a file of dates", hint=_HINT) from error


def _first_cell(line: str) -> str:
    cell = line.partition("#")[0]
    for separator in _SEPARATORS:
        cell = cell.partition(separator)[0]
    return cell.strip().strip("\"'").strip()


def _iso_date(cell: str) -> str | None:
    """The date in a cell, in ISO form; a time of day after it must be midnight."""
    day, _, clock = cell.replace("T", " ").partition(" ")
    if len(day) != 10 or clock.strip("0:."):
        return None
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return None

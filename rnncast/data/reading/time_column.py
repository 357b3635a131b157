"""Which column of a table is the time, and which the time of day beside it: by their names, else by their cells."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rnncast.data.reading.forms import forms_of
from rnncast.data.reading.headings import (
    CLOCK_NAMES,
    COUNT_NAMES,
    NO_TIME,
    PERIOD_NAMES,
    TIME_NAMES,
    canonical,
    only,
    quoted,
)
from rnncast.data.reading.table import Kind, Table
from rnncast.errors import DataError

_ADJOINING = 0.7  # share of rows that begin where another one ends; those before a weekend do not

_YEAR = re.compile(r"(?<![0-9.,])(1[89]|20)[0-9]{2}(?![0-9.,])")


def find_time(table: Table, taken: Collection[int]) -> int | None:
    """The time column, by its name or by its cells."""
    named = [c for c, name in enumerate(table.names) if canonical(name) in TIME_NAMES and c not in taken]
    if len(named) == 2:
        dates = [c for c in named if find_clock(table, c, taken) is not None]
        named = dates if len(dates) == 1 else named
    column = only(table, named, "be the time", "--time-col")
    if column is not None:
        return column
    free = [c for c in range(len(table.names)) if c not in taken]
    for names, kind in ((PERIOD_NAMES, Kind.TIME), (COUNT_NAMES, Kind.NUMBER)):
        found = [c for c in free if canonical(table.names[c]) in names and table.kind(c) is kind]
        if found:
            return only(table, found, "be the time", "--time-col")
    found = [c for c in free if table.kind(c) is Kind.TIME]
    if len(found) == 2 and _are_intervals(table, *found):
        return found[0]
    if not found:
        numbers = [c for c in free if table.kind(c) is Kind.NUMBER]
        if len(numbers) + len(taken) > 1:  # one of them has to be left to forecast
            found = _integers_like_stamps(table, numbers)
        if not found:
            _refuse_foreign_dates(table, free)
    return only(table, found, "be the time", "--time-col")


def _are_intervals(table: Table, start: int, end: int) -> bool:
    """Whether a row lasts from one of two stamps to the other, which is where the row after or before it begins."""
    starts, ends = table.sample(start), table.sample(end)
    for first, second in ((ends[:-1], starts[1:]), (ends[1:], starts[:-1])):
        if first and sum(a == b for a, b in zip(first, second, strict=True)) >= _ADJOINING * len(first):
            return True
    return False


def find_clock(table: Table, date: int, taken: Collection[int | None]) -> int | None:
    """The column with the time of day beside a column of dates alone; None if there is none."""
    free = [c for c, name in enumerate(table.names) if c not in taken and c != date]
    found = [c for c in free if canonical(table.names[c]) in CLOCK_NAMES or table.names[c].startswith("column_")]
    found = [c for c in found if _are_date_and_clock(table, date, c)]
    return found[0] if len(found) == 1 else None


def _integers_like_stamps(table: Table, numbers: Sequence[int]) -> list[int]:
    """Columns of integers that are surely stamps; DataError if there is none, and some may be."""
    from rnncast.data.reading.unix_times import resemblance  # few files need it

    alike = {c: resemblance(table.sample(c)) for c in numbers}
    found = [c for c, share in alike.items() if share == 1]
    doubtful = [c for c, share in alike.items() if 0 < share < 1]
    if doubtful and not found:
        raise DataError(
            f"no column is known to be the time, and {quoted(table, doubtful)} could be",
            where=table.name,
            hint=f"name it with --time-col, or count the rows with --time-col {NO_TIME}",
        )
    return found


def _refuse_foreign_dates(table: Table, free: Sequence[int]) -> None:
    """DataError for columns that seem to hold dates in no form that is understood, where no other holds any."""
    if len(table.names) == 1:
        return
    foreign = [c for c in free if table.kind(c) is Kind.TEXT and _seem_dates(table.sample(c))]
    if foreign:
        raise DataError(
            f"{quoted(table, foreign)} seems to hold dates in a form that is not understood: "
            f"{table.sample(foreign[0])[0].strip()[:40]!r}",
            where=table.name,
            hint="write dates as 2024-01-31, or 2024-01-31 15:30; or drop the column if it holds none",
        )


def _seem_dates(cells: Sequence[str]) -> bool:
    """Whether nearly all cells hold a year, and no two are the same."""
    return len(set(cells)) == len(cells) > 1 and sum(map(bool, map(_YEAR.search, cells))) > 0.9 * len(cells)


def _are_date_and_clock(table: Table, date: int, clock: int) -> bool:
    """Whether the cells of two columns together are stamps with a time of day, and those of the first alone are not."""
    cells = zip(table.sample(date), table.sample(clock), strict=False)
    pairs = [(day, time) for day, time in cells if day.strip() and time.strip()][:50]
    return bool(pairs) and all(":" not in day and _has_minutes(f"{day.strip()} {time.strip()}") for day, time in pairs)


def _has_minutes(cell: str) -> bool:
    matches = (form.regex.fullmatch(cell) for form in forms_of(cell))
    return any(match is not None and match.groupdict().get("minute") for match in matches)

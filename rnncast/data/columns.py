"""Which column of a table is the time, which names the series, and which is to be forecast.

An option decides; without it the names of the field do; without those the content does, if one column alone qualifies.
Two candidates are an error that lists them: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from rnncast.data.table import Kind, Table
from rnncast.errors import DataError

# Names are compared in lower case, without spaces, dots, hyphens and underscores.
TIME_NAMES = frozenset({"ds", "date", "time", "timestamp", "datetime"})
PERIOD_NAMES = frozenset({"day", "week", "month", "quarter", "year", "period", "step"})  # only if the cells agree
COUNT_NAMES = frozenset({"year", "period", "step"})  # of those, the ones that may hold integers
ID_NAMES = frozenset({"uniqueid", "ticker", "symbol", "itemid", "series"})
TARGET_NAMES = frozenset({"y", "close", "adjclose", "adjustedclose", "price", "value", "target"})
ADJUSTED_NAMES = frozenset({"adjclose", "adjustedclose"})
INDEX_NAMES = frozenset({"", "unnamed:0", "indexlevel0", "index", "rownames"})


@dataclass(frozen=True)
class Roles:
    """Positions of the columns that matter.

    Attributes
    ----------
    time
        The time column; None if there is none and rows are counted.
    id
        The column that names the series; None for one series, or if the stamps have to show that there are several.
    target
        The column to forecast.
    notes
        What the user should know of the choice.
    """

    time: int | None
    id: int | None
    target: int
    notes: tuple[str, ...]


def find_columns(
    table: Table, id_col: str | None = None, time_col: str | None = None, target_col: str | None = None
) -> Roles:
    """Give every column its role.

    Raises
    ------
    DataError
        A column named by an option is absent, a name occurs twice, no column qualifies, or several do.
    """
    named = {
        option: None if name is None else _named(table, name, option)
        for option, name in (("--time-col", time_col), ("--id-col", id_col), ("--target-col", target_col))
    }
    taken = [column for column in named.values() if column is not None]
    if len(set(taken)) < len(taken):
        raise DataError("one column is named for two roles", where=table.name, hint="name a different column for each")
    time = named["--time-col"]
    if time is None:
        time = _find_time(table, taken)
    series = named["--id-col"]
    if series is None:
        series = _by_name(table, ID_NAMES, {*taken, time}, "name the series", "--id-col")
    target, notes = named["--target-col"], list[str]()
    if target is None:
        target, notes = _find_target(table, {*taken, time, series})
    return Roles(time, series, target, tuple(notes))


def canonical(name: str) -> str:
    """Column name without what spellings differ in."""
    return re.sub(r"[\s_.\-]+", "", name.lower())


def quoted(table: Table, columns: Sequence[int]) -> str:
    """Names of columns for a message, at most eight of them."""
    names = [repr(table.names[column]) for column in columns]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _named(table: Table, name: str, option: str) -> int:
    columns = [column for column, other in enumerate(table.names) if other == name]
    if len(columns) == 1:
        return columns[0]
    if columns:
        _refuse_duplicate(table, columns)
    near = get_close_matches(name, table.names, n=1, cutoff=0.5)
    near = near or [other for other in table.names if canonical(other) == canonical(name)]
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    raise DataError(
        f"there is no column {name!r}",
        where=table.name,
        hint=f"{suggestion}{option} takes one of {quoted(table, range(len(table.names)))}",
    )


def _refuse_duplicate(table: Table, columns: Sequence[int]) -> NoReturn:
    places = " and ".join(str(column + 1) for column in columns)
    raise DataError(
        f"{len(columns)} columns are named {table.names[columns[0]]!r} (columns {places})",
        where=table.name,
        hint="give every column a name of its own in the header",
    )


def _by_name(table: Table, names: Collection[str], taken: Collection[int | None], role: str, option: str) -> int | None:
    """The one free column with one of these names, or None."""
    found = [c for c, name in enumerate(table.names) if canonical(name) in names and c not in taken]
    return _only(table, found, role, option)


def _only(table: Table, found: Sequence[int], role: str, option: str) -> int | None:
    if len({table.names[column] for column in found}) < len(found):
        _refuse_duplicate(table, [c for c in found if table.names.count(table.names[c]) > 1])
    if len(found) > 1:
        raise DataError(
            f"several columns could {role}: {quoted(table, found)}", where=table.name, hint=f"name it with {option}"
        )
    return found[0] if found else None


def _find_time(table: Table, taken: Collection[int]) -> int | None:
    column = _by_name(table, TIME_NAMES, taken, "be the time", "--time-col")
    if column is not None:
        return column
    free = [c for c in range(len(table.names)) if c not in taken]
    for names, kind in ((PERIOD_NAMES, Kind.TIME), (COUNT_NAMES, Kind.NUMBER)):
        found = [c for c in free if canonical(table.names[c]) in names and table.kind(c) is kind]
        if found:
            return _only(table, found, "be the time", "--time-col")
    column = _only(table, [c for c in free if table.kind(c) is Kind.TIME], "be the time", "--time-col")
    if column is None and (foreign := [c for c in free if table.kind(c) is Kind.FOREIGN_TIME]):
        raise DataError(
            f"no column holds dates in ISO 8601 form; {quoted(table, foreign)} seems to hold dates in another form",
            where=table.name,
            hint="write dates as 2024-01-31, with a time of day as 2024-01-31 15:30",
        )
    return column


def _find_target(table: Table, taken: Collection[int | None]) -> tuple[int, list[str]]:
    found = [c for c, name in enumerate(table.names) if canonical(name) in TARGET_NAMES and c not in taken]
    names = [canonical(table.names[c]) for c in found]
    adjusted = [c for c, name in zip(found, names, strict=True) if name in ADJUSTED_NAMES]
    if len(found) == 2 and len(adjusted) == 1 and "close" in names:
        other = next(c for c in found if c not in adjusted)
        return adjusted[0], [
            f"target is {table.names[adjusted[0]]!r}, adjusted for splits and dividends, rather than "
            f"{table.names[other]!r}; --target-col names the other"
        ]
    column = _only(table, found, "be the target", "--target-col")
    if column is None:
        free = [c for c in range(len(table.names)) if c not in taken and canonical(table.names[c]) not in INDEX_NAMES]
        column = _only(table, [c for c in free if table.kind(c) is Kind.NUMBER], "be the target", "--target-col")
    if column is None:
        kinds = ", ".join(f"{table.names[c]!r} ({table.kind(c).value})" for c in free[:8])
        raise DataError(
            "no column holds numbers to forecast" + (f"; there are {kinds}" if kinds else ""),
            where=table.name,
            hint="name the column to forecast with --target-col",
        )
    return column, []


def likely_ids(table: Table, taken: Collection[int | None]) -> list[int]:
    """Columns that may name the series, though their names do not say so: text, or numbers under a name such as id."""
    return [
        column
        for column, name in enumerate(table.names)
        if column not in taken
        and canonical(name) not in INDEX_NAMES
        and (table.kind(column) is Kind.TEXT or canonical(name).endswith(("id", "code")))
    ]

"""Which column of a table is the time, which names the series, and which is to be forecast.

An option decides; without it the names of the field do; without those the content does, if one column alone qualifies.
Two candidates are an error that lists them: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import NoReturn

from rnncast.data.options import ReadOptions
from rnncast.data.reading.forms import forms_of
from rnncast.data.reading.table import Kind, Table
from rnncast.data.reading.unix_times import resemblance
from rnncast.errors import ColumnsError, DataError

# Names are compared in lower case, letters and digits alone: <CLOSE>, Adj Close** and adj_close are close, adjclose.
TIME_NAMES = frozenset({"ds", "date", "time", "timestamp", "datetime", "opentime", "gmttime"})
CLOCK_NAMES = TIME_NAMES | {"hour", "clock", "timeofday", "uhrzeit", "zeit", "heure", "hora"}
PERIOD_NAMES = frozenset({"day", "week", "month", "quarter", "year", "period", "step"})  # only if the cells agree
COUNT_NAMES = frozenset({"year", "period", "step"})  # of those, the ones that may hold integers
ID_NAMES = frozenset({"uniqueid", "ticker", "symbol", "itemid", "series"})
TARGET_NAMES = frozenset(
    {"y", "close", "adjclose", "adjustedclose", "price", "value", "target", "closelast", "closeprice", "closingprice"}
)
ADJUSTED_NAMES = frozenset({"adjclose", "adjustedclose"})
INDEX_NAMES = frozenset({"", "unnamed0", "indexlevel0", "index", "rownames"})
NO_TIME = "none"
"""What ``--time-col`` takes for an input whose rows are to be counted."""

BAR_NAMES = frozenset(
    {"open", "high", "low", "last", "volume", "vol", "tickvol", "tickvolume", "spread", "bid", "ask", "mid", "openint"}
)
"""Columns beside a price, which are no series of their own."""

_CODE = re.compile(r"(?=.*[A-Z])[A-Z0-9^][A-Z0-9=^./&_ -]{0,15}")
"""Names that are codes of series: WTI, DGS10, EUR/USD, BRK-B."""

_YEAR = re.compile(r"(?<![0-9.,])(1[89]|20)[0-9]{2}(?![0-9.,])")


@dataclass(frozen=True)
class Roles:
    """Positions of the columns that matter.

    Attributes
    ----------
    time
        The time column; None if there is none and rows are counted.
    clock
        A column with the time of day, where the time column has the date alone.
    id
        The column that names the series; None for one series, or if the stamps have to show that there are several.
    targets
        The column to forecast; in wide layout all those that are series.
    wide
        Whether each target is a series.
    notes
        What the user should know of the choice.
    """

    time: int | None
    id: int | None
    targets: tuple[int, ...]
    clock: int | None = None
    wide: bool = False
    notes: tuple[str, ...] = ()


def find_columns(table: Table, options: ReadOptions) -> Roles:
    """Give every column its role.

    Raises
    ------
    ColumnsError
        A column named by an option is absent, a name occurs twice, no column qualifies, or several do.
    """
    try:
        return _find_columns(table, options)
    except DataError as error:
        columns = [
            (name, table.kind(column).value, ", ".join(table.sample(column)[:3]))
            for column, name in enumerate(table.names)
        ]
        raise ColumnsError(error.message, where=error.where, hint=error.hint, columns=columns) from error


def _find_columns(table: Table, options: ReadOptions) -> Roles:
    named = {
        option: None if name is None or _is_no_time(table, name, option) else _named(table, name, option)
        for option, name in (
            ("--time-col", options.time_col),
            ("--id-col", options.id_col),
            ("--target-col", options.target_col),
        )
    }
    taken = [column for column in named.values() if column is not None]
    if len(set(taken)) < len(taken):
        raise DataError("one column is named for two roles", where=table.name, hint="name a different column for each")
    time = named["--time-col"]
    if time is None and options.time_col is None:
        time = _find_time(table, taken)
    clock = None if time is None else _find_clock(table, time, taken)
    series = named["--id-col"]
    if series is None and not options.wide:
        series = _by_name(table, ID_NAMES, {*taken, time}, "name the series", "--id-col")
    free = {*taken, time, clock, series}
    if (target := named["--target-col"]) is not None:
        return Roles(time, series, (target,), clock)
    if options.wide:
        targets = _find_series(table, free, time is not None)
        return Roles(time, None, targets, clock, wide=True, notes=_left_out(table, {*free, *targets}))
    return _with_targets(table, Roles(time, series, (), clock), free)


def _is_no_time(table: Table, name: str, option: str) -> bool:
    return option == "--time-col" and name == NO_TIME and NO_TIME not in table.names


def canonical(name: str) -> str:
    """Column name without what spellings differ in."""
    return re.sub(r"[\W_]+", "", name.lower())


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


def _only(table: Table, found: Sequence[int], role: str, option: str, hint: str | None = None) -> int | None:
    _refuse_twice(table, found)
    if len(found) > 1:
        raise DataError(
            f"several columns could {role}: {quoted(table, found)}",
            where=table.name,
            hint=hint or f"name it with {option}",
        )
    return found[0] if found else None


def _refuse_twice(table: Table, found: Sequence[int]) -> None:
    if len({table.names[column] for column in found}) < len(found):
        _refuse_duplicate(table, [c for c in found if table.names.count(table.names[c]) > 1])


def _find_time(table: Table, taken: Collection[int]) -> int | None:
    """The time column, by its name or by its cells."""
    named = [c for c, name in enumerate(table.names) if canonical(name) in TIME_NAMES and c not in taken]
    if len(named) == 2:
        dates = [c for c in named if _find_clock(table, c, taken) is not None]
        named = dates if len(dates) == 1 else named
    column = _only(table, named, "be the time", "--time-col")
    if column is not None:
        return column
    free = [c for c in range(len(table.names)) if c not in taken]
    for names, kind in ((PERIOD_NAMES, Kind.TIME), (COUNT_NAMES, Kind.NUMBER)):
        found = [c for c in free if canonical(table.names[c]) in names and table.kind(c) is kind]
        if found:
            return _only(table, found, "be the time", "--time-col")
    found = [c for c in free if table.kind(c) is Kind.TIME]
    if not found:
        numbers = [c for c in free if table.kind(c) is Kind.NUMBER]
        if len(numbers) + len(taken) > 1:  # one of them has to be left to forecast
            found = _integers_like_stamps(table, numbers)
        if not found:
            _refuse_foreign_dates(table, free)
    return _only(table, found, "be the time", "--time-col")


def _integers_like_stamps(table: Table, numbers: Sequence[int]) -> list[int]:
    """Columns of integers that are surely stamps; DataError if there is none, and some may be."""
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


def _find_clock(table: Table, date: int, taken: Collection[int | None]) -> int | None:
    """The column with the time of day beside a column of dates alone; None if there is none."""
    free = [c for c, name in enumerate(table.names) if c not in taken and c != date]
    found = [c for c in free if canonical(table.names[c]) in CLOCK_NAMES or table.names[c].startswith("column_")]
    found = [c for c in found if _are_date_and_clock(table, date, c)]
    return found[0] if len(found) == 1 else None


def _are_date_and_clock(table: Table, date: int, clock: int) -> bool:
    """Whether the cells of two columns together are stamps with a time of day, and those of the first alone are not."""
    cells = zip(table.sample(date), table.sample(clock), strict=False)
    pairs = [(day, time) for day, time in cells if day.strip() and time.strip()][:50]
    return bool(pairs) and all(":" not in day and _has_minutes(f"{day.strip()} {time.strip()}") for day, time in pairs)


def _has_minutes(cell: str) -> bool:
    matches = (form.regex.fullmatch(cell) for form in forms_of(cell))
    return any(match is not None and match.groupdict().get("minute") for match in matches)


def _with_targets(table: Table, roles: Roles, taken: Collection[int | None]) -> Roles:
    """The roles with the column to forecast, or with the columns of a table in wide layout that says so itself."""
    found = [c for c, name in enumerate(table.names) if canonical(name) in TARGET_NAMES and c not in taken]
    names = [canonical(table.names[c]) for c in found]
    adjusted = [c for c, name in zip(found, names, strict=True) if name in ADJUSTED_NAMES]
    if len(found) == 2 and len(adjusted) == 1 and "close" in names:
        other = next(c for c in found if c not in adjusted)
        note = (
            f"target is {table.names[adjusted[0]]!r}, adjusted for splits and dividends, rather than "
            f"{table.names[other]!r}; --target-col names the other"
        )
        return replace(roles, targets=(adjusted[0],), notes=(note,))
    column = _only(table, found, "be the target", "--target-col")
    if column is not None:
        return replace(roles, targets=(column,))
    numbers = _numbers(table, taken)
    if not numbers:
        raise _no_numbers(table, taken)
    if len(numbers) > 1 and roles.id is None and all(_is_code(table.names[c]) for c in numbers):
        _refuse_twice(table, numbers)
        note = (
            f"wide layout: each of {len(numbers)} columns of numbers, {quoted(table, numbers)}, is a series; "
            "--target-col takes one of them alone"
        )
        return replace(roles, targets=tuple(numbers), wide=True, notes=(note, *_left_out(table, {*taken, *numbers})))
    hint = "name it with --target-col" + ("" if roles.id is not None else "; or --wide takes each of them as a series")
    column = _only(table, numbers, "be the target", "--target-col", hint)
    return replace(roles, targets=() if column is None else (column,))


def _find_series(table: Table, taken: Collection[int | None], timed: bool) -> tuple[int, ...]:
    """All columns of numbers, for ``--wide``."""
    numbers = _numbers(table, taken, with_empty=True)
    if not numbers:
        raise _no_numbers(table, taken)
    _refuse_twice(table, numbers)
    steps = [c for c in numbers if _may_be_steps(table.sample(c))]
    if not timed and steps:
        raise DataError(
            f"no column is known to be the time, and {quoted(table, steps)} could be",
            where=table.name,
            hint="name it with --time-col",
        )
    return tuple(numbers)


def _left_out(table: Table, taken: Collection[int | None]) -> tuple[str, ...]:
    """A note on the columns that are no series of a wide table."""
    others = [c for c in range(len(table.names)) if c not in taken and table.names[c]]
    return (f"no series, as it holds no numbers: {quoted(table, others)}",) if others else ()


def _may_be_steps(cells: Sequence[str]) -> bool:
    """Whether all cells are integers and no two the same."""
    return len(set(cells)) == len(cells) > 1 and all(cell.strip().isdecimal() for cell in cells)


def _numbers(table: Table, taken: Collection[int | None], with_empty: bool = False) -> list[int]:
    free = [c for c in range(len(table.names)) if c not in taken and not _is_index(table, c)]
    found = [c for c in free if table.kind(c) is Kind.NUMBER]
    empty = [c for c in free if table.kind(c) is Kind.EMPTY]  # numbers may come later, or never
    return sorted(found + empty) if with_empty or not found else found


def _is_index(table: Table, column: int) -> bool:
    """Whether a column only numbers the rows: one without a name, or of integers under a name that says so."""
    name = table.names[column]
    if not canonical(name):
        return not name
    return canonical(name) in INDEX_NAMES and all(cell.strip().isdecimal() for cell in table.sample(column))


def _no_numbers(table: Table, taken: Collection[int | None]) -> DataError:
    free = [c for c in range(len(table.names)) if c not in taken]
    kinds = ", ".join(f"{table.names[c]!r} ({table.kind(c).value})" for c in free[:8])
    hint = "name the column to forecast with --target-col"
    if len(table.names) == 1 and set(table.names[0]) & set(",;\t|"):
        hint = "each line seems to stand in quotes as a whole: take those quotes away"
    return DataError(
        "no column holds numbers to forecast" + (f"; there are {kinds}" if kinds else ""), where=table.name, hint=hint
    )


def _is_code(name: str) -> bool:
    return _CODE.fullmatch(name) is not None and canonical(name) not in BAR_NAMES


def likely_ids(table: Table, taken: Collection[int | None]) -> list[int]:
    """Columns that may name the series, though their names do not say so: text, or numbers under a name such as id."""
    return [
        column
        for column, name in enumerate(table.names)
        if column not in taken
        and not _is_index(table, column)
        and canonical(name) not in TIME_NAMES | PERIOD_NAMES
        and (table.kind(column) is Kind.TEXT or canonical(name).endswith(("id", "code")))
    ]

"""Which column of a table is the time, which names the series, and which is to be forecast.

An option decides; without it the names of the field do; without those the content does, if one column alone qualifies.
Two candidates are an error that lists them: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from rnncast.data.options import ReadOptions
from rnncast.data.reading.headings import (
    ADJUSTED_NAMES,
    ID_NAMES,
    INDEX_NAMES,
    NO_TIME,
    PERIOD_NAMES,
    TARGET_NAMES,
    TIME_NAMES,
    by_name,
    canonical,
    is_code,
    named_column,
    only,
    quoted,
    refuse_twice,
)
from rnncast.data.reading.table import Kind, Table
from rnncast.data.reading.time_column import find_clock, find_time
from rnncast.errors import ColumnsError, DataError
from rnncast.records import dataclass


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
        option: None if name is None or _is_no_time(table, name, option) else named_column(table, name, option)
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
        time = find_time(table, taken)
    clock = None if time is None else find_clock(table, time, taken)
    series = named["--id-col"]
    if series is None and not options.wide:
        series = by_name(table, ID_NAMES, {*taken, time}, "name the series", "--id-col")
    free = {*taken, time, clock, series}
    if (target := named["--target-col"]) is not None:
        return Roles(time, series, (target,), clock)
    if options.wide:
        targets = _find_series(table, free, time is not None)
        return Roles(time, None, targets, clock, wide=True, notes=_left_out(table, {*free, *targets}))
    return _with_targets(table, Roles(time, series, (), clock), free)


def _is_no_time(table: Table, name: str, option: str) -> bool:
    return option == "--time-col" and name == NO_TIME and NO_TIME not in table.names


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
    column = only(table, found, "be the target", "--target-col")
    if column is not None:
        return replace(roles, targets=(column,))
    numbers = _numbers(table, taken)
    if not numbers:
        raise _no_numbers(table, taken)
    if len(numbers) > 1 and roles.id is None and all(is_code(table.names[c]) for c in numbers):
        refuse_twice(table, numbers)
        note = (
            f"wide layout: each of {len(numbers)} columns of numbers, {quoted(table, numbers)}, is a series; "
            "--target-col takes one of them alone"
        )
        return replace(roles, targets=tuple(numbers), wide=True, notes=(note, *_left_out(table, {*taken, *numbers})))
    hint = "name it with --target-col" + ("" if roles.id is not None else "; or --wide takes each of them as a series")
    column = only(table, numbers, "be the target", "--target-col", hint)
    return replace(roles, targets=() if column is None else (column,))


def _find_series(table: Table, taken: Collection[int | None], timed: bool) -> tuple[int, ...]:
    """All columns of numbers, for ``--wide``."""
    numbers = _numbers(table, taken, with_empty=True)
    if not numbers:
        raise _no_numbers(table, taken)
    refuse_twice(table, numbers)
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

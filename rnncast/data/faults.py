"""Messages for cells and rows that cannot be used: the first one's place and content, how many more, and the remedy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncast.data.table import Table
from rnncast.errors import DataError

_SHOWN = 40  # characters of a cell


def place(table: Table, row: int, column: int | None = None, series: str | None = None) -> str:
    """File, line, column and series of a cell, as far as they are known."""
    parts = [table.place(row)]
    if column is not None:
        parts.append(f"column {table.names[column]!r}")
    if series is not None:
        parts.append(f"series {series!r}")
    return ", ".join(parts)


def bad_cells(
    table: Table,
    column: int,
    rows: NDArray[np.int64],
    explain: Callable[[str], tuple[str, str]],
    series: str | None = None,
) -> DataError:
    """Error for cells that were not understood; `explain` says of the first what is wrong, and the remedy."""
    cell = str(table.column(column)[int(rows[0])].as_py())
    problem, hint = explain(cell)
    shown = cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "..."
    return DataError(
        f"{shown!r} {problem}{_further(len(rows), 'cells')}",
        where=place(table, int(rows[0]), column, series),
        hint=hint,
    )


def missing_cells(table: Table, column: int, rows: NDArray[np.int64], role: str) -> DataError:
    """Error for rows without a stamp or a name of the series."""
    lines = ", ".join(table.place(int(row)).removeprefix(table.name).lstrip(":, ") for row in rows[1:5])
    others = f" (also {lines}{' ...' if len(rows) > 5 else ''})" if len(rows) > 1 else ""
    return DataError(
        f"the {role} is missing in {len(rows):,} {'row' if len(rows) == 1 else 'rows'}{others}",
        where=place(table, int(rows[0]), column),
        hint="fill it in, or remove the row",
    )


def duplicate_stamps(
    table: Table, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], stamp: str, series: str | None
) -> DataError:
    """Error for rows with the stamp of an earlier row of their series; `pairs` are the earlier and the later rows."""
    earlier, later = pairs
    hint = "keep one row for each stamp"
    if series is None:
        hint += "; if the file holds several series, name the column that tells them apart with --id-col"
    if ":" in stamp:
        hint += "; an hour repeated when clocks go back is told apart by giving stamps in UTC"
    return DataError(
        f"{stamp} occurs again, first at {table.place(int(earlier[0]))}{_further(len(later), 'rows')}",
        where=place(table, int(later[0]), series=series),
        hint=hint,
    )


def _further(count: int, what: str) -> str:
    if count == 1:
        return ""
    return f"; {count - 1:,} more {what[:-1] if count == 2 else what} like it"

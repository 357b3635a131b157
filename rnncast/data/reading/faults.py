"""Messages for cells and rows that cannot be used: the first one's place and content, how many more, and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnncast.errors import DataError

_SHOWN = 40  # characters of a cell


class Places(Protocol):
    """What knows where rows stand."""

    def name_of(self, row: int) -> str:
        """The input that a row stands in."""
        ...

    def place(self, row: int) -> str:
        """Where a row stands."""
        ...

    def column_name(self, row: int, role: str) -> str:
        """Name of the column that holds the cell of a role."""
        ...

    def cell(self, row: int, role: str) -> str:
        """A cell as it stands in the file."""
        ...


def place(places: Places, row: int, role: str | None = None, series: str | None = None) -> str:
    """File, line, column and series of a cell, as far as they are known."""
    parts = [places.place(row)]
    if role is not None:
        parts.append(f"column {places.column_name(row, role)!r}")
    if series is not None:
        parts.append(f"series {series!r}")
    return ", ".join(parts)


def bad_cells(
    places: Places,
    role: str,
    rows: NDArray[np.int64],
    explain: Callable[[str], tuple[str, str]],
    series: str | None = None,
) -> DataError:
    """Error for cells that were not understood; `explain` says of the first what is wrong, and the remedy."""
    cell = places.cell(int(rows[0]), role)
    problem, hint = explain(cell)
    shown = cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "..."
    return DataError(
        f"{shown!r} {problem}{further(len(rows), 'cells')}", where=place(places, int(rows[0]), role, series), hint=hint
    )


def missing_cells(places: Places, role: str, rows: NDArray[np.int64], what: str, hint: str) -> DataError:
    """Error for rows without a cell that they need."""
    name = places.name_of(int(rows[0]))
    lines = ", ".join(places.place(int(row)).removeprefix(name).lstrip(":, ") for row in rows[1:5])
    others = f" (also {lines}{' ...' if len(rows) > 5 else ''})" if len(rows) > 1 else ""
    return DataError(
        f"the {what} is missing in {len(rows):,} {'row' if len(rows) == 1 else 'rows'}{others}",
        where=place(places, int(rows[0]), role),
        hint=hint,
    )


def duplicate_stamps(
    places: Places,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    stamp: str,
    series: str | None,
    clocks_may_go_back: bool,
) -> DataError:
    """Error for rows with the stamp of an earlier row of their series; `pairs` are the earlier and the later rows."""
    earlier, later = pairs
    hint = "keep one row for each stamp, or say --duplicates last (first, mean)"
    if series is None:
        hint += "; if the file holds several series, name the column that tells them apart with --id-col"
    if clocks_may_go_back:
        hint += "; an hour repeated when clocks go back (DST) is told apart by its zone: --time-zone Europe/Berlin"
    return DataError(
        f"{stamp} occurs again, first at {places.place(int(earlier[0]))}{further(len(later), 'rows')}",
        where=place(places, int(later[0]), series=series),
        hint=hint,
    )


def further(count: int, what: str) -> str:
    """How many more there are than the one that is shown."""
    if count == 1:
        return ""
    return f"; {count - 1:,} more {what[:-1] if count == 2 else what} like it"


def nul_byte(where: str) -> DataError:
    """Error for a byte that no text holds."""
    return DataError("the text holds a NUL byte", where=where, hint="the file is damaged: get it again")


def misplaced_quote(where: str) -> DataError:
    """Error for a quotation mark inside of a field without quotes."""
    return DataError(
        "a quotation mark stands where no field begins or ends, or is never closed",
        where=where,
        hint='a field that holds one is written in quotes, with the mark doubled: "5"" pipe"',
    )

"""What the names of columns tell, and the choice of one column by its name.

Two candidates are an error that lists them: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import NoReturn

from rnncast.data.reading.table import Table
from rnncast.errors import DataError

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


def canonical(name: str) -> str:
    """Column name without what spellings differ in."""
    return re.sub(r"[\W_]+", "", name.lower())


def quoted(table: Table, columns: Sequence[int]) -> str:
    """Names of columns for a message, at most eight of them."""
    names = [repr(table.names[column]) for column in columns]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def is_code(name: str) -> bool:
    """Whether a name is the code of a series rather than what a bar has beside its price."""
    return _CODE.fullmatch(name) is not None and canonical(name) not in BAR_NAMES


def named_column(table: Table, name: str, option: str) -> int:
    """The column that an option names; DataError if there is none, or several."""
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


def by_name(table: Table, names: Collection[str], taken: Collection[int | None], role: str, option: str) -> int | None:
    """The one free column with one of these names, or None."""
    found = [c for c, name in enumerate(table.names) if canonical(name) in names and c not in taken]
    return only(table, found, role, option)


def only(table: Table, found: Sequence[int], role: str, option: str, hint: str | None = None) -> int | None:
    """The one column found, or None; DataError if there are several."""
    refuse_twice(table, found)
    if len(found) > 1:
        raise DataError(
            f"several columns could {role}: {quoted(table, found)}",
            where=table.name,
            hint=hint or f"name it with {option}",
        )
    return found[0] if found else None


def refuse_twice(table: Table, found: Sequence[int]) -> None:
    """DataError for a name that occurs twice among columns."""
    if len({table.names[column] for column in found}) < len(found):
        _refuse_duplicate(table, [c for c in found if table.names.count(table.names[c]) > 1])


def _refuse_duplicate(table: Table, columns: Sequence[int]) -> NoReturn:
    places = " and ".join(str(column + 1) for column in columns)
    raise DataError(
        f"{len(columns)} columns are named {table.names[columns[0]]!r} (columns {places})",
        where=table.name,
        hint="give every column a name of its own in the header",
    )

"""The ledger: every forecast that was issued, once, as it was issued.

A row is one step of one forecast: ``[id,] time, cutoff, step, made_at, model, last_value, rnncast`` and the bounds of
its intervals. The first row of an id, cutoff, step and model stays for ever: a forecast that is made again from rows
that were revised since does not replace what was said at the time. Rows stand in the order in which they were issued.

``last_value`` is the target at the cutoff as it was known then, by which a later revision of the input is noticed.

Dimension letters: `N` rows of a forecast.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.locking import locked
from rnncast.data.write import named_once
from rnncast.errors import DataError
from rnncast.evaluation.ledger_files import column_names, write_behind, write_first
from rnncast.evaluation.ledger_held import check_news, new_rows, rows_held
from rnncast.forecasting.result import METHOD, Forecast
from rnncast.records import dataclass

FIXED = ("cutoff", "step", "made_at", "model", "last_value", METHOD)
"""Columns after the id and the time; those of the intervals follow them."""


@dataclass(frozen=True)
class Layout:
    """Names of the columns of a ledger.

    Attributes
    ----------
    id : str or None
        Name of the id column; None for a ledger of one series.
    time : str
        Name of the column of the stamps that were forecast.
    names : tuple of str
        All columns in order.
    """

    id: str | None
    time: str
    names: tuple[str, ...]

    def name(self, fixed: str) -> str:
        """How a column of `FIXED` is called here: an id column called ``model`` makes it ``model_``."""
        return self.names[(1 if self.id is None else 2) + FIXED.index(fixed)]

    @property
    def further(self) -> tuple[str, ...]:
        """Names of the columns after the fixed ones."""
        return self.names[self.names.index(self.name(METHOD)) + 1 :]


@dataclass(frozen=True)
class Appended:
    """What became of a forecast's rows.

    Attributes
    ----------
    added : int
        Rows that were put into the ledger.
    present : int
        Rows that stood there already, and stayed as they were.
    changed : int
        Those of them whose point forecast is another by now: rows up to the cutoff were revised since.
    is_locked : bool
        Whether a lock was held; without one, two runs at once may lose rows.
    """

    added: int
    present: int
    changed: int
    is_locked: bool


def layout_of(path: str) -> Layout:
    """Layout of a ledger that exists; DataError for a file that is no ledger."""
    names = column_names(path)
    for leading in (2, 1):
        expected = tuple(named_once((name, np.empty(0)) for name in (*names[:leading], *FIXED)))
        if names[: len(expected)] == expected and len(set(names)) == len(names):
            return Layout(names[0] if leading == 2 else None, names[leading - 1], names)
    found = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    raise DataError(
        f"this is no ledger: its columns are {found or 'none'}, expected an id (or none), a time, {', '.join(FIXED)}",
        where=path,
        hint="name a new file, or a ledger that forecast --append has written",
    )


def check_ledger(path: str) -> None:
    """DataError or UsageError for a file that no forecast can be appended to; one that does not exist will do."""
    if os.path.exists(path) and os.path.getsize(path):
        layout_of(path)


def append(
    path: str,
    issued: Forecast,
    *,
    levels: Sequence[float],
    quantiles: Sequence[float],
    model: str,
    made_at: np.datetime64,
    only_new: bool = False,
    deliver: Callable[[], object] = lambda: None,
) -> Appended:
    """Put a forecast into a ledger, which is made if it does not exist; under its lock, and whole or not at all.

    Parameters
    ----------
    path
        The ledger, ``.csv`` or ``.parquet``.
    issued
        The forecast.
    levels, quantiles
        Intervals in per cent and quantiles that go with it.
    model
        Fingerprint of the model.
    made_at
        When the forecast was made, in UTC, to the second.
    only_new
        Whether a forecast is refused that starts, in every series, from no later row than the model's last one there.
    deliver
        Called under the lock before rows are written, for what must not be missing once they are.

    Raises
    ------
    UsageError, DataError
        The file is no ledger, or one of other columns or another kind of time.
    BusyError
        Another run holds its lock.
    NothingNewError
        No series has a new row, and `only_new` refuses that.
    OutputError, StorageError
        It cannot be written.
    """
    table = _table(issued, levels, quantiles, model, made_at)
    zones = {**dict.fromkeys(table, issued.zone), _layout(issued, table).name("made_at"): "UTC"}
    with locked(path) as is_locked:
        if not (os.path.exists(path) and os.path.getsize(path)):
            deliver()
            write_first(path, table, zones)
            return Appended(len(issued.point), 0, 0, is_locked)
        layout = layout_of(path)
        _check_columns(path, layout, issued)
        held = rows_held(path, layout, issued, model)
        if only_new:
            check_news(path, held, issued)
        is_new, changed = new_rows(held, issued)
        deliver()
        if is_new.any():
            write_behind(path, _united(layout, table, is_new), zones)
        return Appended(int(is_new.sum()), int((~is_new).sum()), changed, is_locked)


def _table(
    issued: Forecast, levels: Sequence[float], quantiles: Sequence[float], model: str, made_at: np.datetime64
) -> dict[str, NDArray[Any]]:
    """Columns (N,) of the rows by name."""
    rows = len(issued.point)
    whole = list(issued.table(levels=levels, quantiles=quantiles).items())
    leading = 1 if issued.columns.id is None else 2
    fixed: dict[str, NDArray[Any]] = {
        "cutoff": _in_unit_of(issued.times, issued.cutoffs),
        "step": issued.steps,
        "made_at": np.full(rows, made_at.astype("datetime64[s]")),
        "model": np.full(rows, model, dtype=object),
        "last_value": issued.last_values,
        METHOD: issued.point,
    }
    return named_once([*whole[:leading], *((name, fixed[name]) for name in FIXED), *whole[leading + 1 :]])


def _in_unit_of(times: NDArray[Any], cutoffs: NDArray[Any]) -> NDArray[Any]:
    """Cutoffs (N,) in the unit of the times, so that both are written alike, unless they are finer."""
    rounded = cutoffs.astype(times.dtype)
    return rounded if (rounded == cutoffs).all() else cutoffs


def _layout(issued: Forecast, table: Mapping[str, NDArray[Any]]) -> Layout:
    return Layout(issued.columns.id, issued.columns.time, tuple(table))


def _check_columns(path: str, layout: Layout, issued: Forecast) -> None:
    """DataError for a ledger whose id or time column has another name."""
    for what, found, expected in (
        ("id column", layout.id, issued.columns.id),
        ("time column", layout.time, issued.columns.time),
    ):
        if found != expected:
            raise DataError(
                f"the {what} of the ledger is {_named(found)}, that of the forecast {_named(expected)}",
                where=path,
                hint="append to another ledger, or name the column of the input as the ledger does",
            )


def _named(name: str | None) -> str:
    return "absent" if name is None else repr(name)


def _united(layout: Layout, table: Mapping[str, NDArray[Any]], kept: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """The rows kept with the ledger's columns in its order, then those that it lacks."""
    empty = np.full(int(kept.sum()), np.nan)
    names = dict.fromkeys((*layout.names, *table))
    return {name: table[name][kept] if name in table else empty for name in names}

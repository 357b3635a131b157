"""The ragged panel: many series of any length in two arrays, never padded to the longest.

Dimension letters: `S` series, `R` rows of all series together, `F` features (columns of values).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.calendar import Calendar
from rnncast.data.isotime import format_stamp
from rnncast.errors import DataError
from rnncast.records import dataclass

TARGET = 0
"""Column of `Panel.values` that holds the target; computed and further input channels come after it."""


@dataclass(frozen=True)
class Columns:
    """Names that the input gave to its columns; a forecast keeps them.

    Attributes
    ----------
    time
        Name of the time column; ``ds`` if the input had none and rows are counted.
    id
        Name of the id column, or None for an input that is one series.
    target
        Name of the column to forecast.
    wide
        Whether the input was in wide layout, a column for each series, and has neither an id column nor a target.
    """

    time: str
    id: str | None
    target: str
    wide: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """Series of any length, one after the other, each in ascending time without duplicates.

    Attributes
    ----------
    ids : tuple of str, length S
        One name a series, in the order of their rows.
    indptr : int64 (S + 1,)
        Rows of series `s` are ``indptr[s]:indptr[s + 1]``.
    times : datetime64[us] (R,) or int64 (R,)
        Stamp, or integer step, of each row.
    values : float64 (R, F)
        Observations; column `TARGET` is the series to forecast. All finite.
    columns : Columns
        Names of the input's columns.
    calendar : Calendar
        What the stamps' regularity is; decides the stamps of a forecast.
    """

    ids: tuple[str, ...]
    indptr: NDArray[np.int64]
    times: NDArray[Any]
    values: NDArray[np.float64]
    columns: Columns
    calendar: Calendar

    def __post_init__(self) -> None:
        rows = len(self.times)
        if len(self.indptr) != len(self.ids) + 1 or self.indptr[0] != 0 or self.indptr[-1] != rows:
            raise ValueError(f"indptr {self.indptr.tolist()} does not divide {rows} rows into {len(self.ids)} series")
        if self.values.ndim != 2 or self.values.shape[0] != rows:
            raise ValueError(f"values have shape {self.values.shape}, expected ({rows}, F)")
        if self.times.dtype.kind == "M" and self.times.dtype != np.dtype("datetime64[us]"):
            raise ValueError(f"times are {self.times.dtype}, expected datetime64[us] or int64")

    @property
    def target(self) -> NDArray[np.float64]:
        """The target of every row, shape (R,)."""
        return self.values[:, TARGET]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of rows of each series, shape (S,)."""
        return np.diff(self.indptr)

    @property
    def is_dated(self) -> bool:
        """Whether rows carry stamps rather than integer steps."""
        return self.times.dtype.kind == "M"

    @property
    def reference_series(self) -> int:
        """The longest of the series that go on to the end; in a dated panel its rows are the clock for all."""
        last = self.times[self.indptr[1:] - 1].astype(np.int64)  # (S,)
        goes_on = last >= np.sort(last)[len(last) // 2]
        return int(np.argmax(np.where(goes_on, self.lengths, -1)))

    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell these rows, names and calendar from others."""
        import hashlib
        import json

        digest = hashlib.sha256(json.dumps([self.ids, self.calendar.to_dict()]).encode())
        for array in (self.indptr, self.times.view(np.int64), self.values):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def rows(self, series: int) -> slice:
        """Rows of one series."""
        return slice(int(self.indptr[series]), int(self.indptr[series + 1]))

    def keep(self, mask: NDArray[np.bool_], *, relearn_calendar: bool = False) -> Panel:
        """Panel of the rows where `mask` (R,) is true; series left without a row are dropped.

        With `relearn_calendar` the calendar is learnt again from the rows that are left, so that nothing of the
        others stays in it, and what the user named of it is kept; otherwise all of it is kept.
        """
        owner = np.repeat(np.arange(len(self.ids)), self.lengths)[mask]  # (rows kept,)
        counts = np.bincount(owner, minlength=len(self.ids))  # (S,)
        present = np.flatnonzero(counts)
        indptr = np.concatenate(([0], np.cumsum(counts[present]))).astype(np.int64)
        times = self.times[mask]
        ids = tuple(self.ids[s] for s in present)
        return replace(
            self,
            ids=ids,
            indptr=indptr,
            times=times,
            values=self.values[mask],
            calendar=self.calendar.relearn(times, indptr, ids) if relearn_calendar else self.calendar,
        )

    def until(self, cutoff: np.datetime64 | int) -> Panel:
        """Panel of the rows at or before `cutoff`; its calendar is learnt from those rows alone."""
        mask = self.times <= cutoff
        if not mask.any():
            first = format_stamp(self.times.min(), self.calendar.zone)
            raise DataError(f"no row at or before {cutoff}", hint=f"the first row is at {first}")
        return self.keep(mask, relearn_calendar=True)

    def tail(self, rows: int) -> Panel:
        """Panel of at most the last `rows` rows of each series, with the same calendar."""
        ends = np.repeat(self.indptr[1:], self.lengths)  # (R,)
        return self.keep(np.arange(len(self.times)) >= ends - rows)

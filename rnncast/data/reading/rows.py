"""The rows of a table that are still in while it is read: which they are in the file, their stamps and their series.

Dimension letters: `R` rows that are still in, `S` series.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.data.reading.order import Order, count_rows, find_duplicates, find_order, renumber
from rnncast.records import dataclass

_DAY_US = 86_400_000_000

SINGLE_ID = "series"
"""Name of the series of an input that is one series."""


@dataclass
class Rows:
    """Arrays over the rows that are still in; they go along with each other.

    Attributes
    ----------
    rows : int64 (R,) or None
        Where the rows stand in the file, from 0; None for all of them in their order.
    times : datetime64[us] or int64 (R,)
        Stamps.
    codes : int32 (R,) or None
        Number of each row's series; None for one series.
    ids : tuple of str, length S
        Names of the series.
    unnamed : bool (R,) or None
        Rows without a name of their series; None if there are none.
    """

    rows: NDArray[np.int64] | None = None
    times: NDArray[Any] = field(default_factory=lambda: np.empty(0, np.int64))
    codes: NDArray[np.int32] | None = None
    ids: tuple[str, ...] = (SINGLE_ID,)
    unnamed: NDArray[np.bool_] | None = None

    def in_file(self, places: NDArray[Any]) -> NDArray[np.int64]:
        """Rows of the file at these places, given by number or by a mask (R,)."""
        places = np.flatnonzero(places) if places.dtype == bool else places
        return places if self.rows is None else self.rows[places]

    def pick(self, array: NDArray[Any]) -> NDArray[Any]:
        """Those of an array over all rows of the file that are still in."""
        return array if self.rows is None else array[self.rows]

    def keep(self, mask: NDArray[np.bool_]) -> int:
        """Let only the rows of `mask` (R,) stay in; the number of those that went."""
        dropped = len(mask) - int(np.count_nonzero(mask))
        if dropped:
            self.rows, self.times = self.in_file(mask), self.times[mask]
            self.codes = None if self.codes is None else self.codes[mask]
            self.unnamed = None if self.unnamed is None else self.unnamed[mask]
        return dropped

    def series(self, place: int) -> str | None:
        """Name of a row's series; None if there is but one."""
        return None if self.codes is None else self.ids[self.codes[place]]

    def name_series(self, codes: NDArray[np.int32], names: list[str]) -> None:
        """Give the rows their series: numbers (R,) and the names that they stand for."""
        self.codes, old = renumber(codes, len(names))
        self.ids = tuple(names[code] for code in old)

    def drop_empty_series(self) -> list[str]:
        """Number the series without those that have lost all rows; the names of those."""
        if self.codes is None:
            return []
        before = self.ids
        self.name_series(self.codes, list(before))
        left = set(self.ids)
        return [name for name in before if name not in left]

    def count(self, rows: int) -> None:
        """Give the rows, all `rows` of the file, the steps 1, 2, ... of their series."""
        self.times = count_rows(self.codes, rows)

    def are_arranged(self) -> bool:
        """Whether the rows stand in the order of a panel already, no stamp of a series twice."""
        stamps = self.times.view(np.int64)
        rises = stamps[1:] > stamps[:-1]
        if self.codes is None:
            return bool(rises.all())
        return bool(np.where(self.codes[1:] == self.codes[:-1], rises, self.codes[1:] > self.codes[:-1]).all())

    def goes_one_way(self, times: NDArray[Any]) -> bool:
        """Whether times (R,) of the rows, in the order of the file, only rise or only fall within each series."""
        steps = np.diff(times.view(np.int64))
        if self.codes is not None:
            steps = steps[self.codes[1:] == self.codes[:-1]]
        return bool((steps >= 0).all() or (steps <= 0).all())

    def arrange(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], Order]:
        """Bring the rows into the order of a panel; the values (R,) in that order, and what it took."""
        order = find_order(self.times, self.codes)
        if order.rows is not None:
            self.rows = self.in_file(order.rows)
            self.times, values = self.times[order.rows], values[order.rows]
            self.codes = None if self.codes is None else self.codes[order.rows]
        return values, order

    def duplicates(self) -> NDArray[np.int64]:
        """Places of rows, once arranged, with the stamp of the row before in their series."""
        return find_duplicates(self.times, self.codes)

    def repeated_share(self) -> float:
        """Share of rows that repeat a stamp of another one, series set aside."""
        order = find_order(self.times, None).rows
        repeated = find_duplicates(self.times if order is None else self.times[order], None)
        return len(repeated) / len(self.times)

    def told_apart_by(self, codes: NDArray[np.int32]) -> bool:
        """Whether no stamp occurs twice in the series that these numbers (R,) would make."""
        order = find_order(self.times, codes).rows
        times, codes = (self.times, codes) if order is None else (self.times[order], codes[order])
        return len(find_duplicates(times, codes)) == 0

    def second_time(self, repeated: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which rows (R,) of those `repeated` (R,) by a clock that goes back have the later of their two times.

        Of the rows of one night in the order of the file, those have it that follow a step back, or no step, of the
        clock; in a file that is newest first, the other way round.
        """
        places = np.flatnonzero(repeated)  # (N,)
        codes = np.zeros(len(places), np.int64) if self.codes is None else self.codes[places].astype(np.int64)
        steps = np.diff(self.times.view(np.int64))
        if np.count_nonzero(steps < 0) > np.count_nonzero(steps > 0):  # newest first
            places, codes = places[::-1], codes[::-1]
        order = np.argsort(codes, kind="stable")  # series after series, in the order of time
        places, codes = places[order], codes[order]
        stamps = self.times[places].view(np.int64)
        nights = stamps // _DAY_US
        begins = np.concatenate(([True], (codes[1:] != codes[:-1]) | (nights[1:] != nights[:-1])))
        back = np.concatenate(([False], stamps[1:] <= stamps[:-1])) & ~begins  # the clock went back before this row
        counts = np.cumsum(back)
        before = np.maximum.accumulate(np.where(begins, counts, 0))
        later = np.zeros(len(self.times), dtype=bool)
        later[places] = counts > before
        return later

    def merge_duplicates(self, again: NDArray[np.int64], values: NDArray[np.float64], how: str) -> NDArray[np.float64]:
        """Keep one of arranged rows with one stamp: the first, the last, or the first with their mean.

        Parameters
        ----------
        again
            Places of the rows with the stamp of the row before, from `duplicates`.
        values : float64 (R,)
            Values in the order of the rows.
        how
            ``first``, ``last`` or ``mean``; absent values (NaN) do not count in a mean.
        """
        begins = np.ones(len(values), dtype=bool)
        begins[again] = False
        starts = np.flatnonzero(begins)
        if how == "mean":
            present = ~np.isnan(values)
            sums = np.add.reduceat(np.where(present, values, 0.0), starts)
            counts = np.add.reduceat(present.astype(np.int64), starts)
            values = values.copy()
            values[starts] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        kept = begins
        if how == "last":
            kept = np.ones(len(values), dtype=bool)
            kept[again - 1] = False
        self.keep(kept)
        return values[kept]

    def indptr(self) -> NDArray[np.int64]:
        """Division (S + 1,) of the arranged rows into series."""
        if self.codes is None:
            return np.array([0, len(self.times)], dtype=np.int64)
        numbers = np.arange(len(self.ids) + 1, dtype=self.codes.dtype)
        return np.searchsorted(self.codes, numbers).astype(np.int64)

    def owners(self, mask: NDArray[np.bool_]) -> Iterator[tuple[str, Any]]:
        """Names of series, and stamps, of the rows of `mask` (R,)."""
        codes = np.zeros(np.count_nonzero(mask), np.int32) if self.codes is None else self.codes[mask]
        return zip((self.ids[code] for code in codes.tolist()), self.times[mask].tolist(), strict=True)

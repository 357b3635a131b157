"""Rows brought into the order of a panel: series one after the other, each in ascending time without duplicates.

Dimension letters: `R` rows, `S` series.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.records import dataclass


@dataclass(frozen=True, eq=False)
class Order:
    """How rows are to be rearranged.

    Attributes
    ----------
    rows : int64 (R,) or None
        Row that comes to each place; None if all stand in the right places.
    descents
        Neighbouring rows of one series that stood in falling time.
    newest_first
        Whether all of them did.
    """

    rows: NDArray[np.int64] | None
    descents: int
    newest_first: bool


def find_order(times: NDArray[Any], codes: NDArray[np.int32] | None) -> Order:
    """Order by series, then time; rows of equal series and time keep their order.

    Parameters
    ----------
    times : datetime64[us] or int64 (R,)
        Stamps.
    codes : int32 (R,) or None
        Number of each row's series, or None for one series.
    """
    stamps = times.view(np.int64)
    by_series = None
    if codes is not None:
        changes = np.count_nonzero(codes[1:] < codes[:-1])
        if changes:
            by_series = np.argsort(codes, kind="stable")
            codes, stamps = codes[by_series], stamps[by_series]
    falls = stamps[1:] < stamps[:-1]
    if codes is not None:
        same = codes[1:] == codes[:-1]
        falls &= same
    descents = int(np.count_nonzero(falls))
    if not descents:
        return Order(by_series, 0, False)
    neighbours = len(falls) if codes is None else int(np.count_nonzero(same))
    rows = np.argsort(stamps, kind="stable") if codes is None else np.lexsort((stamps, codes))
    return Order(rows if by_series is None else by_series[rows], descents, descents == neighbours)


def find_duplicates(times: NDArray[Any], codes: NDArray[np.int32] | None) -> NDArray[np.int64]:
    """Places of rows with the stamp of the row before in the same series, in rows ordered by `find_order`."""
    same = times[1:] == times[:-1]
    if codes is not None:
        same &= codes[1:] == codes[:-1]
    return np.flatnonzero(same) + 1


def renumber(codes: NDArray[np.int32], size: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number series by first appearance.

    Parameters
    ----------
    codes : int32 (R,)
        Number of each row's series, below `size`.

    Returns
    -------
    int32 (R,), int64 (S,)
        The new number of each row's series; the old number of each new one.
    """
    starts = np.concatenate(([0], np.flatnonzero(codes[1:] != codes[:-1]) + 1))  # of runs of one series
    runs = codes[starts]
    first = np.full(size, len(runs), dtype=np.int64)
    first[runs[::-1]] = np.arange(len(runs) - 1, -1, -1)  # the last assignment of several counts
    old = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(runs))]
    if len(old) == size and np.array_equal(old, np.arange(size)):
        return codes, old
    new = np.zeros(size, dtype=np.int32)
    new[old] = np.arange(len(old), dtype=np.int32)
    return new[codes], old


def count_rows(codes: NDArray[np.int32] | None, rows: int) -> NDArray[np.int64]:
    """Steps 1, 2, ... for rows without a time column, by series, in the order of the file; shape (R,)."""
    if codes is None:
        return np.arange(1, rows + 1)
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    steps = np.empty(rows, dtype=np.int64)
    steps[order] = np.arange(rows) - np.repeat(starts, sizes) + 1
    return steps

"""Windows as an index over the panel; batches are gathered when they are used.

The index takes two integers a window, so memory grows with the rows of the panel and not with windows times length.

Dimension letters: `S` series, `N` windows, `B` windows of a batch, `T` input steps, `K` horizon steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.data.transform import WorkingSeries
from rnncast.records import dataclass


@dataclass(frozen=True, eq=False)
class Windows:
    """Places in a panel at which an input window ends.

    Attributes
    ----------
    series : int64 (N,)
        Series of each window.
    ends : int64 (N,)
        Row just after the window's last input row; the targets are the K rows that begin here.
    """

    series: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def take(self, index: NDArray[np.int64]) -> Windows:
        """The windows of an index (B,)."""
        return Windows(self.series[index], self.ends[index])


def windows_between(indptr: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> Windows:
    """All windows whose ends, counted from the start of their series, lie in ``first..last``.

    Parameters
    ----------
    indptr : int64 (S + 1,)
        Rows of each series.
    first, last : int64 (S,)
        First and last end of each series, both included; ``last < first`` gives a series no window.
    """
    counts = np.maximum(last - first + 1, 0)  # (S,)
    series = np.repeat(np.arange(len(counts), dtype=np.int64), counts)  # (N,)
    before = np.cumsum(counts) - counts  # (S,)
    offset = np.arange(len(series), dtype=np.int64) - before[series]  # (N,)
    return Windows(series=series, ends=indptr[:-1][series] + first[series] + offset)


def windows_at_ends(indptr: NDArray[np.int64]) -> Windows:
    """One window a series, ending with its last row: what a forecast continues from."""
    return Windows(series=np.arange(len(indptr) - 1, dtype=np.int64), ends=indptr[1:])


def gather_inputs(
    working: WorkingSeries, windows: Windows, steps: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Last `steps` rows before each window's end, in working units.

    Returns
    -------
    window : float64 (steps, B)
        A series shorter than `steps` repeats its first value in front.
    valid : int64 (B,)
        Number of rows that are no repetition.
    """
    starts = working.indptr[windows.series]  # (B,)
    rows = windows.ends + np.arange(-steps, 0, dtype=np.int64)[:, None]  # (steps, B)
    return working.values[np.maximum(rows, starts)], np.minimum(windows.ends - starts, steps)


def gather_targets(working: WorkingSeries, windows: Windows, horizon: int) -> NDArray[np.float64]:
    """The `horizon` rows from each window's end on, in working units, shape (K, B)."""
    return np.asarray(working.values[windows.ends + np.arange(horizon, dtype=np.int64)[:, None]])


def spread_evenly(count: int, most: int) -> NDArray[np.int64]:
    """Numbers of at most `most` of `count` windows, or series, evenly spread, the first and the last among them."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, most).round().astype(np.int64)

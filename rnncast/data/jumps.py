"""Values that look like mistakes: a few rows far off that come back, and a level that breaks by the ratio of a split.

A move counts as suspicious against the moves of the ten rows before and after it, not against those of the whole
series: markets are calm for years and wild for weeks, and a crash has aftershocks where a mistake has none. Series of
positive values are judged by the logarithm, others by the level.

Dimension letters: `R` rows of all series together, `S` series, `C` candidates, `A` moves around a candidate, `W` rows
of the window around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.records import dataclass

SPLIT_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 100.0, 1000.0)
"""Ratios, or their inverses, by which a level breaks for no reason of the market: splits, and changes of the unit."""

# The thresholds were set on clean prices with real crashes, and on splits and spikes that were put into them.
_AROUND = 10  # rows on either side whose moves are the usual ones
_MOST_ROWS = 3  # rows in a row that may be off and come back
_COMES_BACK = 0.25  # largest distance from where it came from, as a share of the jump
_STAYS = 0.3  # largest difference between the jump and the change of the level, as a share of the jump
_SPIKE, _BREAK, _SMALL_BREAK, _LAST, _LEVEL = 5.0, 4.0, 8.0, 8.0, 40.0  # jump in second largest moves around it
_SMALL_RATIO = 1.5  # a third is lost in many a crash, a half in few
_RATIO_MOVES, _RATIO_SHARE, _RATIO_MOST = 6.0, 0.02, 0.15  # how near a split's ratio: in usual moves, as a share
_LEAST_RATIO, _LEAST_LAST = 1.25, 3.0  # smallest factor of a jump; of one at the end, where nothing can come back yet
_LEAST_MOVES = 8.0  # smallest jump of a series with values that are not positive, in mean moves of the series
_MOST_SHARE, _FEW = 0.02, 4  # of a series that jumps all the time, only its largest moves are looked at
_MOST_BREAKS = 3  # a series whose level breaks up and down more often than this does so by nature
_LEAST_AROUND = 4  # moves around a jump, without which nothing can be said


@dataclass(frozen=True)
class Jump:
    """A value that may be a mistake, or a level that breaks.

    Attributes
    ----------
    series, row : int
        Series, and the first row that is off, counted over the panel.
    rows : int
        Rows that are off; 0 if the level does not come back: a break.
    before, value, after : float
        Value before, the value itself, and the first that is right again: NaN at the end of the series. For a break,
        `after` is the value.
    ratio : float
        The split's ratio, new to old, for a break; value to value before otherwise (NaN if that is zero).
    """

    series: int
    row: int
    rows: int
    before: float
    value: float
    after: float
    ratio: float


@dataclass(frozen=True)
class _Surroundings:
    """Candidates with the rows around them.

    Attributes
    ----------
    rows, ends : int64 (C,)
        Row of each candidate, and the end of its series.
    logarithmic : bool (C,)
        Whether it is judged by the logarithm.
    window : float64 (C, W)
        Working values from `_AROUND` + 1 rows before the candidate on, the edge of the series repeated: logarithms,
        or quarters of the level, whose differences stay below all bounds.
    inside : bool (C, W)
        Whether a row of the window belongs to the series.
    """

    rows: NDArray[np.int64]
    ends: NDArray[np.int64]
    logarithmic: NDArray[np.bool_]
    window: NDArray[np.float64]
    inside: NDArray[np.bool_]

    def at(self, offset: int) -> NDArray[np.float64]:
        """Working value (C,) at a distance from the candidate."""
        return self.window[:, _AROUND + 1 + offset]

    def only(self, kept: NDArray[np.bool_]) -> _Surroundings:
        """Some of the candidates (C,)."""
        return _Surroundings(
            self.rows[kept], self.ends[kept], self.logarithmic[kept], self.window[kept], self.inside[kept]
        )

    @property
    def jump(self) -> NDArray[np.float64]:
        """Move into the candidate (C,)."""
        return self.at(0) - self.at(-1)

    def moves(self, rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Second largest and median move (C,) around a jump of so many rows, and how many moves there are (C,)."""
        moves = np.abs(np.diff(self.window, axis=1))  # (C, W - 1)
        inside = self.inside[:, 1:] & self.inside[:, :-1]
        columns = np.r_[0:_AROUND, _AROUND + rows + 1 : 2 * _AROUND + rows + 1]
        ordered = -np.sort(-np.where(inside, moves, 0.0)[:, columns], axis=1)  # (C, A)
        count = inside[:, columns].sum(axis=1)
        return ordered[:, 1], ordered[np.arange(len(ordered)), count // 2], count


def find_jumps(panel: Panel) -> tuple[Jump, ...]:
    """Suspicious jumps of a panel, in the order of its rows.

    Quiet where a series is wild: the jump must stand out among the moves around it.
    """
    if len(panel.times) < _LEAST_AROUND:
        return ()
    around = _standing_out(_surroundings(panel, *_candidates(panel)))
    spikes, breaks = _spikes(around), _breaks(around)  # (C,) rows that are off, (C,) ratio
    last = np.where((spikes == 0) & np.isnan(breaks), _last_rows(around), 0)  # (C,)
    found = np.flatnonzero((spikes > 0) | ~np.isnan(breaks) | (last > 0))
    jumps = [_jump(panel, int(around.rows[c]), int(spikes[c] or last[c]), float(breaks[c])) for c in found]
    restless = _restless(jumps)
    return tuple(jump for jump in jumps if jump.rows or jump.series not in restless)


def _restless(jumps: Sequence[Jump]) -> set[int]:
    """Series whose level breaks up and down time and again: no splits, whatever the ratios."""
    ups, downs = (Counter(jump.series for jump in jumps if not jump.rows and (jump.ratio > 1) == up) for up in (1, 0))
    return {series for series in ups if downs[series] and ups[series] + downs[series] > _MOST_BREAKS}


def _candidates(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows that a large move leads into, and whether each series (S,) is judged by the logarithm."""
    values, starts = panel.target, panel.indptr[:-1]
    lowest = np.minimum.reduceat(values, starts)
    logarithmic = lowest >= np.finfo(np.float64).tiny
    moves = np.zeros(len(values))  # (R,) into each row; no overflow: halves of the largest numbers
    moves[1:] = np.abs(np.diff(values * 0.5))
    moves[starts] = 0.0
    bound = np.empty(len(values))  # (R,)
    np.minimum(values[1:], values[:-1], out=bound[1:])
    bound *= 0.5 * (_LEAST_RATIO - 1)
    if not logarithmic.all():
        with np.errstate(over="ignore"):  # the moves of such a series are beyond all numbers: none stands out
            mean = np.add.reduceat(moves, starts) / panel.lengths * _LEAST_MOVES  # (S,)
        bound = np.where(np.repeat(logarithmic, panel.lengths), bound, np.repeat(mean, panel.lengths))
    bound[0] = np.inf
    rows = np.flatnonzero(moves > bound)
    with np.errstate(over="ignore"):
        return _largest(panel, rows, moves[rows] / bound[rows]), logarithmic


def _largest(panel: Panel, rows: NDArray[np.int64], sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Candidates (C,) less the smaller ones of series that have very many, so that time and memory are bounded."""
    counts = np.bincount(np.searchsorted(panel.indptr, rows, side="right") - 1, minlength=len(panel.ids))  # (S,)
    most = np.maximum(_MOST_SHARE * panel.lengths, _FEW).astype(np.int64)
    kept, starts = np.ones(len(rows), dtype=bool), np.cumsum(counts) - counts
    for series in np.flatnonzero(counts > most):
        own = slice(starts[series], starts[series] + counts[series])
        kept[own] = sizes[own] >= np.partition(sizes[own], -most[series])[-most[series]]
    return rows[kept]


def _surroundings(panel: Panel, rows: NDArray[np.int64], logarithmic: NDArray[np.bool_]) -> _Surroundings:
    owner = np.searchsorted(panel.indptr, rows, side="right") - 1  # (C,)
    starts, ends = panel.indptr[owner], panel.indptr[owner + 1]
    wanted = rows[:, None] + np.arange(-_AROUND - 1, _AROUND + _MOST_ROWS + 1)  # (C, W)
    within = np.clip(wanted, starts[:, None], ends[:, None] - 1)
    window, by_log = panel.target[within], logarithmic[owner]
    window = np.where(by_log[:, None], np.log(np.where(by_log[:, None], window, 1.0)), window * 0.25)
    return _Surroundings(rows, ends, by_log, window, within == wanted)


def _standing_out(around: _Surroundings) -> _Surroundings:
    """The candidates that stand out among the moves before them; most do not, and are dealt with here cheaply."""
    moves = np.abs(np.diff(around.window[:, : _AROUND + 1], axis=1))  # (C, A)
    second = np.partition(np.where(around.inside[:, :_AROUND], moves, 0.0), -2, axis=1)[:, -2]
    return around.only(np.abs(around.jump) >= min(_SPIKE, _BREAK) * second)


def _spikes(around: _Surroundings) -> NDArray[np.int64]:
    """Rows (C,) that are off and come back; 0 where there is no such thing."""
    jump, found = around.jump, np.zeros(len(around.rows), dtype=np.int64)
    size = np.abs(jump)
    for rows in range(_MOST_ROWS, 0, -1):
        back = np.abs(around.at(rows) - around.at(-1)) <= _COMES_BACK * size
        for offset in range(rows):
            back &= (around.at(offset) - around.at(-1)) * np.sign(jump) >= 0.5 * size
        second, usual, count = around.moves(rows)
        large = size >= _SPIKE * second
        # Prices of power jump back and forth by themselves, and demand is now and then: only what is far beyond counts
        large &= around.logarithmic | ((size >= _LEVEL * second) & (usual > 0))
        found[back & large & (around.rows + rows < around.ends) & (count >= _LEAST_AROUND)] = rows
    return found


def _breaks(around: _Surroundings) -> NDArray[np.float64]:
    """Ratio (C,) of the split that a jump looks like; NaN where it does not."""
    jump, (second, usual, count) = around.jump, around.moves(0)
    logarithms = np.log(SPLIT_RATIOS)
    nearest = np.abs(np.abs(jump)[:, None] - logarithms).argmin(axis=1)  # (C,)
    off = np.abs(np.abs(jump) - logarithms[nearest])
    middle = _AROUND + 1
    shift = np.median(around.window[:, middle : middle + _AROUND], axis=1) - np.median(
        around.window[:, 1:middle], axis=1
    )
    ratio = np.asarray(SPLIT_RATIOS)[nearest]
    found = (
        around.logarithmic
        & (count >= _LEAST_AROUND)
        & around.inside[:, _AROUND - _LEAST_AROUND]  # rows enough before it to know the old level
        & (usual > 0)  # a peg that is moved
        & (np.abs(jump) >= np.where(ratio <= _SMALL_RATIO, _SMALL_BREAK, _BREAK) * second)
        & (off <= np.minimum(_RATIO_MOVES * usual + _RATIO_SHARE, _RATIO_MOST))
        & (np.abs(shift - jump) <= _STAYS * np.abs(jump))
    )
    return np.where(found, np.where(jump > 0, ratio, 1 / ratio), np.nan)


def _last_rows(around: _Surroundings) -> NDArray[np.int64]:
    """Rows (C,) at the end of a series that are off, and nothing after them to come back; 0 elsewhere."""
    rows = around.ends - around.rows
    second, usual, count = around.moves(0)
    size = np.abs(around.jump)
    least = np.where(around.logarithmic, np.maximum(np.log(_LEAST_LAST), _LAST * second), _LEVEL * second)
    found = (rows <= _MOST_ROWS) & (size >= least) & (usual > 0) & (count >= _LEAST_AROUND)
    return np.where(found, rows, 0)


def _jump(panel: Panel, row: int, rows: int, ratio: float) -> Jump:
    series = int(np.searchsorted(panel.indptr, row, side="right")) - 1
    before, value = float(panel.target[row - 1]), float(panel.target[row])
    if rows == 0:
        return Jump(series, row, 0, before, value, value, ratio)
    back = row + rows
    after = float(panel.target[back]) if back < panel.indptr[series + 1] else float("nan")
    return Jump(series, row, rows, before, value, after, value / before if before else float("nan"))

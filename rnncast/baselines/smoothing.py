"""Exponential smoothing of many histories at once: the Theta method and the damped trend.

Dimension letters: `R` rows, `B` histories, `G` points of a grid, `K` horizon steps, `m` season length.

Smoothing parameters are those of a fixed grid with the least sum of squared one-step errors in the history itself. All
points and histories are carried through the rows together. A history is seasonally adjusted first if it has a season,
and the indices are added to its path: rows are in working units, where a season adds.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.seasonality import additive_indices, counted, row_after_row
from rnncast.records import dataclass

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

THETA = "theta"
DAMPED_TREND = "damped trend"

SMOOTHED_ROWS, SMOOTHED_SEASONS = 400, 6
"""Rows at the end of a history from which Theta and the damped trend are taken, or seasons if they are more rows."""

HISTORIES = 256
"""Histories carried at once: the states of all points of the grid stay in a core's own cache."""

START_ROWS = 10
"""First rows of a history whose line gives the damped trend its start."""

TIE = 1e-9
"""Sums of squares that differ by no larger share are alike, and the earlier point of the grid is taken."""


def smoothed_rows(season_length: int) -> int:
    """Rows at the end of a history from which paths are smoothed; 1 stands for no season."""
    return max(SMOOTHED_ROWS, SMOOTHED_SEASONS * season_length)


@dataclass(frozen=True, eq=False)
class Grid:
    """Smoothing parameters to choose from, float64 (G, 1) each; of points that fit alike the first is taken.

    Attributes
    ----------
    level : float64 (G, 1)
        Share of a one-step error that the level takes up, alpha.
    trend : float64 (G, 1)
        Share of it that the trend takes up, alpha times Holt's beta.
    damping : float64 (G, 1)
        Factor of the trend from each row to the next, phi.
    """

    level: Floats
    trend: Floats
    damping: Floats


def _grid(alphas: tuple[float, ...], betas: tuple[float, ...], phis: tuple[float, ...]) -> Grid:
    points = np.array(list(product(alphas, betas, phis)))  # (G, 3)
    alpha, beta, phi = points[:, :1], points[:, 1:2], points[:, 2:]  # (G, 1) each
    return Grid(level=alpha, trend=alpha * beta, damping=phi)


SIMPLE = _grid((1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.04, 0.02, 0.01), (0.0,), (0.0,))
"""Levels alone, from the last value to a long average."""

DAMPED = _grid((1.0, 0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1, 0.04), (0.0, 0.03, 0.1, 0.25, 0.6), (0.8, 0.9, 0.98))
"""Levels and trends; damping as `forecast::ets` bounds it: below 0.8 a trend is none, above 0.98 it is not damped."""


def theta(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    """Standard Theta method, shape (K, B): half the least-squares line, half the smoothed Theta line.

    ``(a + b t + SES(2 x - a - b t)) / 2``; Assimakopoulos & Nikolopoulos (2000), "The theta model: a decomposition
    approach to forecasting". By Hyndman & Billah (2003) this is simple exponential smoothing with a drift of b / 2. The
    smoothing starts at the first row.

    Parameters
    ----------
    rows : float64 (R, B)
        Last rows of each history in working units; a shorter one has any finite rows in front.
    valid : int64 (B,)
        Number of rows of each, at the end, that count; 1 to R.
    horizon
        Number of steps, K.
    season_length
        Rows of a season, m; 1 for none. Adjusted if the season is significant in at least three of them.
    """
    return _adjusted(_theta, rows, valid, horizon, season_length)


def damped_trend(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    """Exponential smoothing with an additive damped trend, shape (K, B): ``level + (phi + ... + phi^k) trend``.

    Gardner & McKenzie (1985), "Forecasting trends in time series", in the form of errors. It starts at the line of the
    first ten rows, one row before them. Parameters as in `theta`.
    """
    return _adjusted(_damped_trend, rows, valid, horizon, season_length)


def damped_trend_before(rows: Floats, valid: Integers, backs: Integers, horizon: int) -> Floats:
    """`damped_trend` without a season from some `backs` (A, B) rows before the end of each history, shape (A, K, B).

    What was fitted to the rows up to an earlier one is met on the way to the last, so all come of one pass. Histories
    hold `START_ROWS` rows up to the earliest.
    """
    forecast = np.empty((len(backs), horizon, rows.shape[1]))  # (A, K, B)
    for start in range(0, rows.shape[1], HISTORIES):
        part = slice(start, start + HISTORIES)
        anchored, last, exponent = anchor_rows(rows[:, part], valid[part])  # (R, B), (B,), (B,)
        level, trend, damping = _smooth_trend(anchored, valid[part], backs[:, part])  # (A, B) each
        paths = [_damped(*state, horizon) for state in zip(level, trend, damping, strict=True)]  # A of (K, B)
        forecast[:, :, part] = last + np.ldexp(np.stack(paths), exponent)
    return forecast


def smooth(
    rows: Floats,
    valid: Integers,
    grid: Grid,
    level: Floats | float,
    trend: Floats | float,
    backs: Integers | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Carry every point of a grid through histories, and keep the one with the least squared one-step errors.

    ``e = x - (level + phi trend)``, then ``level += phi trend + alpha e`` and ``trend = phi trend + alpha beta e``.

    Parameters
    ----------
    rows : float64 (R, B)
        Histories, of the order of 1.
    valid : int64 (B,)
        Number of rows of each, at the end, that count.
    grid
        Points to choose from.
    level, trend : float64 (B,) or float
        State before the first row that counts.
    backs : int64 (A, B)
        Rows before the last one after which the state is asked for; none if it is the last alone.

    Returns
    -------
    level, trend, damping : float64 (A, B)
        State after the rows asked for, and the damping chosen by those up to them.
    """
    backs = np.zeros((1, rows.shape[1]), dtype=np.int64) if backs is None else backs
    order = np.argsort(-valid, kind="stable")  # (B,) longest first: those that have begun are always the first columns
    ordered = rows[:, order]  # (R, B)
    begun = np.searchsorted(-valid[order], np.arange(-len(rows), 0), side="right")  # (R,)
    shape = (len(grid.level), rows.shape[1])
    levels = np.array(np.broadcast_to(np.broadcast_to(level, shape[1])[order], shape))  # (G, B)
    trends = np.array(np.broadcast_to(np.broadcast_to(trend, shape[1])[order], shape))  # (G, B)
    squares, errors, parts = np.zeros(shape), np.empty(shape), np.empty(shape)  # (G, B) each
    found = np.empty((3, *backs.shape))  # (3, A, B)
    due, asked = backs[:, order], set(np.unique(backs).tolist())  # (A, B)
    sloped = bool(grid.trend.any() or trends.any())
    for left, row, count in zip(range(len(rows))[::-1], ordered, begun.tolist(), strict=True):
        at, slope, error, part = levels[:, :count], trends[:, :count], errors[:, :count], parts[:, :count]
        if sloped:
            slope *= grid.damping
            at += slope
        np.subtract(row[:count], at, out=error)
        at += np.multiply(error, grid.level, out=part)
        if sloped:
            slope += np.multiply(error, grid.trend, out=part)
        squares[:, :count] += np.multiply(error, error, out=part)
        if left in asked:
            place, column = np.nonzero(due == left)
            own = squares[:, column]  # (G, columns)
            best = np.argmax(own <= own.min(axis=0) * (1.0 + TIE), axis=0)  # the first that is as good as any
            found[:, place, column] = levels[best, column], trends[best, column], grid.damping[best, 0]
    found = found[:, :, np.argsort(order)]
    return found[0], found[1], found[2]


def _adjusted(
    path: Callable[[Floats, Integers, int], Floats], rows: Floats, valid: Integers, horizon: int, season_length: int
) -> Floats:
    """Path (K, B) of histories brought to the order of 1 and without their season, in parts that fit the cache."""
    forecast = np.empty((horizon, rows.shape[1]))  # (K, B)
    for start in range(0, rows.shape[1], HISTORIES):
        part = slice(start, start + HISTORIES)
        count = valid[part]  # (B,)
        anchored, last, exponent = anchor_rows(rows[:, part], count)  # (R, B), (B,), (B,)
        if season_length > 1:
            indices = additive_indices(anchored, count, season_length)  # (m, B)
            anchored -= indices[(np.arange(len(rows)) - len(rows)) % season_length]
            season = indices[np.arange(horizon) % season_length]  # (K, B)
        else:
            season = np.zeros((horizon, 1))
        forecast[:, part] = last + np.ldexp(path(anchored, count, horizon) + season, exponent)
    return forecast


def anchor_rows(rows: Floats, valid: Integers) -> tuple[Floats, Floats, Integers]:
    """Rows (R, B) less the last, of the order of 1; the last, and the exponent of what they were divided by (B,)."""
    anchored = np.where(counted(len(rows), valid), rows - rows[-1], 0.0)  # (R, B)
    exponent = np.frexp(np.abs(anchored).max(axis=0))[1]  # (B,) a power of two divides to the bit
    return np.ldexp(anchored, -exponent), rows[-1], exponent


def _theta(rows: Floats, valid: Integers, horizon: int) -> Floats:
    steps = len(rows)
    first, slope = _line(rows, valid)  # (B,), (B,)
    line = first + slope * (np.arange(steps)[:, None] - (steps - valid))  # (R, B)
    start = 2 * rows[steps - valid, np.arange(rows.shape[1])] - first  # (B,) the Theta line's first row
    level, _, _ = smooth(2 * rows - line, valid, SIMPLE, start, 0.0)  # (1, B)
    ahead = np.arange(1, horizon + 1)[:, None]  # (K, 1)
    return np.asarray((line[-1] + slope * ahead + level) / 2)


def _damped_trend(rows: Floats, valid: Integers, horizon: int) -> Floats:
    level, trend, damping = _smooth_trend(rows, valid)  # (1, B) each
    return _damped(level, trend, damping, horizon)


def _damped(level: Floats, trend: Floats, damping: Floats, horizon: int) -> Floats:
    """Path (K, B) from a level on, with a trend that is damped."""
    ahead = np.arange(1, horizon + 1)[:, None]  # (K, 1)
    return np.asarray(level + trend * damping * (1 - damping**ahead) / (1 - damping))


def _smooth_trend(rows: Floats, valid: Integers, backs: Integers | None = None) -> tuple[Floats, Floats, Floats]:
    """Level, trend and damping (A, B) after the rows asked for; see `smooth`."""
    count = np.minimum(valid, START_ROWS)  # (B,)
    begin = np.arange(START_ROWS)[:, None] - START_ROWS + (len(rows) - valid + count)  # (START_ROWS, B)
    first, slope = _line(rows[np.maximum(begin, 0), np.arange(rows.shape[1])], count)  # (B,), (B,)
    return smooth(rows, valid, DAMPED, first - slope, slope, backs)


def _line(rows: Floats, valid: Integers) -> tuple[Floats, Floats]:
    """Least-squares line of the rows (R, B) that count: value at the first of them, and slope; (B,) each."""
    counts = counted(len(rows), valid)  # (R, B)
    time = (np.arange(len(rows))[:, None] - (len(rows) - (valid + 1) / 2)) * counts  # (R, B) from the middle
    spread = np.maximum(valid * (valid**2.0 - 1) / 12, 0.5)  # (B,) sum of squares of time: 0.5 for two rows
    slope = row_after_row(time * rows) / spread  # (B,)
    return row_after_row(rows * counts) / valid - slope * (valid - 1) / 2, slope

"""Exponential smoothing of many histories at once: the Theta method and the damped trend.

Dimension letters: `R` rows, `B` histories, `A` rows asked for, `K` horizon steps, `m` season length.

Smoothing parameters are those of a fixed grid with the least sum of squared one-step errors in the history itself; see
`rnncast.baselines.smoother`. A history is seasonally adjusted first if it has a season,
and the indices are added to its path: rows are in working units, where a season adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.seasonality import additive_indices, counted, row_after_row
from rnncast.baselines.smoother import State, make_grid, smooth

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

THETA = "theta"
DAMPED_TREND = "damped trend"

SMOOTHED_ROWS, SMOOTHED_SEASONS = 400, 6
"""Rows at the end of a history from which Theta and the damped trend are taken, or seasons if they are more rows."""

AT_ONCE = 1 << 20
"""Most rows of histories that are adjusted and smoothed at once, which bounds the memory they take."""

START_ROWS = 10
"""First rows of a history whose line gives the damped trend its start."""


def smoothed_rows(season_length: int) -> int:
    """Rows at the end of a history from which paths are smoothed; 1 stands for no season."""
    return max(SMOOTHED_ROWS, SMOOTHED_SEASONS * season_length)


SIMPLE = make_grid((1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.04, 0.02, 0.01))
"""Levels alone, from the last value to a long average."""

DAMPED = make_grid((1.0, 0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1, 0.04), (0.0, 0.03, 0.1, 0.25, 0.6), phis=(0.8, 0.9, 0.98))
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
    for part in in_parts(len(rows), rows.shape[1]):
        anchored, last, exponent = anchor_rows(rows[:, part], valid[part])  # (R, B), (B,), (B,)
        state = _smooth_trend(anchored, valid[part], backs[:, part])
        paths = [_damped(state, place, horizon) for place in range(len(backs))]  # A of (K, B)
        forecast[:, :, part] = last + np.ldexp(np.stack(paths), exponent)
    return forecast


def _adjusted(
    path: Callable[[Floats, Integers, int], Floats], rows: Floats, valid: Integers, horizon: int, season_length: int
) -> Floats:
    """Path (K, B) of histories brought to the order of 1 and without their season, in parts that bound the memory."""
    forecast = np.empty((horizon, rows.shape[1]))  # (K, B)
    for part in in_parts(len(rows), rows.shape[1]):
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


def in_parts(rows: int, histories: int) -> Iterator[slice]:
    """Histories of so many rows, as many as go at once."""
    width = max(1, AT_ONCE // rows)
    return (slice(start, start + width) for start in range(0, histories, width))


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
    level = smooth(2 * rows - line, valid, SIMPLE, start).level  # (1, B)
    ahead = np.arange(1, horizon + 1)[:, None]  # (K, 1)
    return np.asarray((line[-1] + slope * ahead + level) / 2)


def _damped_trend(rows: Floats, valid: Integers, horizon: int) -> Floats:
    return _damped(_smooth_trend(rows, valid), 0, horizon)


def _damped(state: State, place: int, horizon: int) -> Floats:
    """Path (K, B) with a damped trend from the row asked for as the number `place`."""
    ahead = np.arange(1, horizon + 1)[:, None]  # (K, 1)
    level, trend, damping = state.level[place], state.trend[place], state.damping[place]  # (B,) each
    return np.asarray(level + trend * damping * (1 - damping**ahead) / (1 - damping))


def _smooth_trend(rows: Floats, valid: Integers, backs: Integers | None = None) -> State:
    """State after the rows asked for; see `smooth`."""
    count = np.minimum(valid, START_ROWS)  # (B,)
    begin = np.arange(START_ROWS)[:, None] - START_ROWS + (len(rows) - valid + count)  # (START_ROWS, B)
    first, slope = _line(rows[np.maximum(begin, 0), np.arange(rows.shape[1])], count)  # (B,), (B,)
    return smooth(rows, valid, DAMPED, first - slope, slope, backs=backs)


def _line(rows: Floats, valid: Integers) -> tuple[Floats, Floats]:
    """Least-squares line of the rows (R, B) that count: value at the first of them, and slope; (B,) each."""
    counts = counted(len(rows), valid)  # (R, B)
    time = (np.arange(len(rows))[:, None] - (len(rows) - (valid + 1) / 2)) * counts  # (R, B) from the middle
    spread = np.maximum(valid * (valid**2.0 - 1) / 12, 0.5)  # (B,) sum of squares of time: 0.5 for two rows
    slope = row_after_row(time * rows) / spread  # (B,)
    return row_after_row(rows * counts) / valid - slope * (valid - 1) / 2, slope

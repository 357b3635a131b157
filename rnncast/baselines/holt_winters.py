"""Holt-Winters of many histories at once: exponential smoothing of level, damped trend and additive season.

Dimension letters: `R` rows, `B` histories, `K` horizon steps, `m` season length.

Rows are in working units (logarithms of positive series), where a season that multiplies adds. Histories are aligned at
their ends, so a row's place in the season is counted from the last row: place 0 is the row that follows it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.seasonality import row_after_row
from rnncast.baselines.smoother import make_grid, smooth
from rnncast.baselines.smoothing import anchor_rows, in_parts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HOLT_WINTERS = "Holt-Winters"

START_SEASONS, FEWEST_SEASONS = 3, 2
"""First seasons of a history that give the start, and fewest that it must hold."""

DAMPING = 0.98
"""Factor of the trend from each row to the next."""

GRID = make_grid((0.05, 0.2, 0.5, 0.9), (0.0, 0.03, 0.1), (0.0, 0.1, 0.3), (DAMPING,))
"""Levels, trends and seasons to choose from."""


def holt_winters(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    """Holt-Winters with a damped trend, shape (K, B): ``level + (phi + ... + phi^k) trend + season``.

    Holt (1957) and Winters (1960), "Forecasting sales by exponentially weighted moving averages", additive, in the form
    of errors. It starts at the levels of the first three seasons, their line, and the mean distance from it by place.
    The last value for a history of less than two seasons, or without a season.

    Parameters
    ----------
    rows : float64 (R, B)
        Last rows of each history in working units; a shorter one has any finite rows in front.
    valid : int64 (B,)
        Number of rows of each, at the end, that count; 1 to R.
    horizon
        Number of steps, K.
    season_length
        Rows of a season, m; 1 for none.
    """
    forecast = np.repeat(rows[-1:], horizon, axis=0)  # (K, B)
    long_enough = np.flatnonzero((valid >= FEWEST_SEASONS * season_length) & (season_length > 1))
    for chosen in in_parts(len(rows), len(long_enough)):
        part = long_enough[chosen]
        anchored, last, exponent = anchor_rows(rows[:, part], valid[part])  # (R, B), (B,), (B,)
        path = _path(anchored, valid[part], horizon, season_length)  # (K, B)
        forecast[:, part] = last + np.ldexp(path, exponent)
    return forecast


def _path(rows: Floats, valid: Integers, horizon: int, season_length: int) -> Floats:
    level, trend, season = _start(rows, valid, season_length)
    state = smooth(rows, valid, GRID, level, trend, season=season)
    ahead = np.arange(1, horizon + 1)[:, None]  # (K, 1)
    trends = state.trend[0] * DAMPING * (1.0 - DAMPING**ahead) / (1.0 - DAMPING)  # (K, B)
    return np.asarray(state.level[0] + trends + state.season[np.arange(horizon) % season_length])


def _start(rows: Floats, valid: Integers, season_length: int) -> tuple[Floats, Floats, Floats]:
    """Level and trend (B,) before the first row that counts, and the season (m, B) by place."""
    steps, m, column = len(rows), season_length, np.arange(rows.shape[1])
    seasons = np.minimum(valid // m, START_SEASONS)  # (B,)
    offset = np.arange(START_SEASONS * m)[:, None]  # (3 m, 1)
    first = rows[np.minimum(offset + (steps - valid), steps - 1), column]  # (3 m, B)
    blocks = np.where(offset < seasons * m, first, 0.0).reshape(START_SEASONS, m, -1)  # (3, m, B) zero beyond
    means = np.stack([row_after_row(block) / m for block in blocks])  # (3, B)
    middle = row_after_row(means) / seasons  # (B,)
    slope = (means[seasons - 1, column] - means[0]) / (m * (seasons - 1))  # (B,)
    centre = (seasons * m - 1) / 2.0  # (B,)
    lines = middle + slope * (offset - centre)  # (3 m, B)
    distance = np.where(offset < seasons * m, first - lines, 0.0).reshape(START_SEASONS, m, -1)  # (3, m, B)
    by_offset = row_after_row(distance) / seasons  # (m, B) from the first row that counts on
    place = np.arange(m)[:, None] + valid  # (m, B) the row that follows the last one has place 0
    return middle - slope * (centre + 1.0), slope, by_offset[place % m, column]

"""The kernel of exponential smoothing: every point of a grid through every history, the points side by side.

The recursion, and every rounding of it, is that of NumPy in `rnncast.baselines.smoother`: results are the same bytes.

Letters: B histories, R rows, G points of a grid, m places of a season, A rows asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.jit import jit_entry_rounded, jit_rounded

MOST_POINTS = 136
"""Most points of a grid. So far apart lie the numbers of a point in the workspace: LLVM sees that none overlap."""

AT_LEVEL_SHARE, AT_TREND_SHARE, AT_SEASON_SHARE, AT_DAMPING, AT_LEVEL, AT_TREND, AT_SQUARES, _NUMBERS = (
    place * MOST_POINTS for place in range(8)
)
"""Offsets in the workspace: of the grid, and of the state of each point; and its size."""

_TOGETHER = 8
"""Points are carried in groups of so many, the numbers of the widest vector."""


def new_workspaces(points: int, places: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Workspaces `w` and `w_seasons` for a grid of so many points and a season of so many places, at rest."""
    if not 1 <= points <= MOST_POINTS:
        raise ValueError(f"a grid has 1 to {MOST_POINTS} points, got {points}")
    return np.zeros(_NUMBERS), np.zeros(places * (-(-points // _TOGETHER) * _TOGETHER))


@jit_entry_rounded
def smooth_histories(
    rows: Any,
    valid: Any,
    points: int,
    tie: float,
    levels: Any,
    trends: Any,
    seasons: Any,
    backs: Any,
    w: Any,
    w_seasons: Any,
    found: Any,
) -> None:
    """Carry the first `points` of a grid through histories, float64 all.

    Parameters
    ----------
    rows : (B, R)
    valid : int64 (B,)
        Rows of each that count, at the end.
    points, tie
        Points of the grid, G; and the share of the least sum of squares within which another is as good.
    levels, trends : (B,)
        State before the first row that counts.
    seasons : (B, m)
        Season before it, by place: place 0 is the row that follows the last one. Altered to the season after the last
        row, of the point that fits it best. No places for none.
    backs : int64 (A, B)
        Rows before the last one after which level and trend are asked for.
    w, w_seasons
        Those of `new_workspaces`; the grid stands in the first.
    found : (3, A, B)
        Filled with level, trend and damping of the point that fits best up to each row asked for.
    """
    places = seasons.shape[1]
    whole = (points + _TOGETHER - 1) // _TOGETHER * _TOGETHER
    for history in range(rows.shape[0]):
        for point in range(whole):
            w[AT_LEVEL + point] = levels[history]
            w[AT_TREND + point] = trends[history]
            w[AT_SQUARES + point] = 0.0
        for place in range(places):
            for point in range(whole):
                w_seasons[place * whole + point] = seasons[history, place]
        place = -valid[history] % places if places else 0
        for row in range(rows.shape[1] - valid[history], rows.shape[1]):
            value = rows[history, row]
            if places:
                _seasonal_row(w, whole, value, w_seasons, place * whole)
                place = place + 1 if place + 1 < places else 0
            else:
                _row(w, whole, value)
            left = rows.shape[1] - 1 - row
            for asked in range(backs.shape[0]):
                if backs[asked, history] == left:
                    best = _best(w, points, tie)
                    found[0, asked, history] = w[AT_LEVEL + best]
                    found[1, asked, history] = w[AT_TREND + best]
                    found[2, asked, history] = w[AT_DAMPING + best]
        if places:
            best = _best(w, points, tie)
            for place in range(places):
                seasons[history, place] = w_seasons[place * whole + best]


@jit_rounded
def _row(w: Any, points: int, value: float) -> None:
    """Carry every point over a row."""
    for point in range(points):
        slope = w[AT_TREND + point] * w[AT_DAMPING + point]
        level = w[AT_LEVEL + point] + slope
        error = value - level
        w[AT_LEVEL + point] = level + error * w[AT_LEVEL_SHARE + point]
        w[AT_TREND + point] = slope + error * w[AT_TREND_SHARE + point]
        w[AT_SQUARES + point] += error * error


@jit_rounded
def _seasonal_row(w: Any, points: int, value: float, seasons: Any, at: int) -> None:
    """The same with a season, of which the row's place stands in `seasons` from `at` on."""
    for point in range(points):
        slope = w[AT_TREND + point] * w[AT_DAMPING + point]
        level = w[AT_LEVEL + point] + slope
        season = seasons[at + point]
        error = value - level - season
        w[AT_LEVEL + point] = level + error * w[AT_LEVEL_SHARE + point]
        w[AT_TREND + point] = slope + error * w[AT_TREND_SHARE + point]
        seasons[at + point] = season + error * w[AT_SEASON_SHARE + point]
        w[AT_SQUARES + point] += error * error


@jit_rounded
def _best(w: Any, points: int, tie: float) -> int:
    """The first point whose sum of squares is as good as the least."""
    least = np.inf
    for point in range(points):
        least = min(least, w[AT_SQUARES + point])
    for point in range(points):
        if w[AT_SQUARES + point] <= least * (1.0 + tie):
            return point
    return 0

"""Exponential smoothing over a grid of its parameters: every point through many histories, of which one is kept.

Dimension letters: `R` rows, `B` histories, `G` points of a grid, `A` rows asked for, `m` season length.

NumPy carries the histories side by side; where Numba is loaded anyhow, a kernel does. Both give the same bytes (but for
the sign of a zero).
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rnncast.records import dataclass

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TIE = 1e-9
"""Sums of squares that differ by no larger share are alike, and the earlier point of the grid is taken."""

HISTORIES = 256
"""Histories that NumPy carries at once: the states of all points of the grid stay in a core's own cache."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Smoothing parameters to choose from, float64 (G, 1) each; of points that fit alike the first is taken.

    Attributes
    ----------
    level : float64 (G, 1)
        Share of a one-step error that the level takes up, alpha.
    trend : float64 (G, 1)
        Share of it that the trend takes up, alpha times Holt's beta.
    season : float64 (G, 1)
        Share of it that the row's place in the season takes up, gamma (1 - alpha).
    damping : float64 (G, 1)
        Factor of the trend from each row to the next, phi.
    """

    level: Floats
    trend: Floats
    season: Floats
    damping: Floats


def make_grid(
    alphas: tuple[float, ...],
    betas: tuple[float, ...] = (0.0,),
    gammas: tuple[float, ...] = (0.0,),
    phis: tuple[float, ...] = (0.0,),
) -> Grid:
    """All combinations of an alpha, a beta, a gamma and a phi, the last of which runs first."""
    points = np.array(list(product(alphas, betas, gammas, phis)))  # (G, 4)
    alpha, beta, gamma, phi = (points[:, place : place + 1] for place in range(4))  # (G, 1) each
    return Grid(level=alpha, trend=alpha * beta, season=gamma * (1.0 - alpha), damping=phi)


@dataclass(frozen=True, eq=False)
class State:
    """What histories were smoothed to: `level`, `trend` and `damping` float64 (A, B) each; `season` (m, B), at the end.

    Of each it is that of the point of the grid with the least squared one-step errors up to there.
    """

    level: Floats
    trend: Floats
    damping: Floats
    season: Floats


def smooth(
    rows: Floats,
    valid: Integers,
    grid: Grid,
    level: Floats | float,
    trend: Floats | float = 0.0,
    *,
    season: Floats | None = None,
    backs: Integers | None = None,
    kernel: bool | None = None,
) -> State:
    """Carry every point of a grid through histories, and keep the one with the least squared one-step errors.

    ``e = x - (level + phi trend + season)``, then ``level += phi trend + alpha e``, ``trend = phi trend + alpha beta
    e``, and ``season += gamma (1 - alpha) e`` at the row's place.

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
    season : float64 (m, B)
        Season before it, by place: place 0 is the row that follows the last one. None without a season.
    backs : int64 (A, B)
        Rows before the last one after which the state is asked for; none if it is the last alone.
    kernel
        Whether the kernel does it; None if Numba is loaded.
    """
    count = rows.shape[1]
    level, trend = (np.array(np.broadcast_to(each, count), dtype=np.float64) for each in (level, trend))  # (B,) each
    season = np.empty((0, count)) if season is None else season  # (m, B)
    backs = np.zeros((1, count), dtype=np.int64) if backs is None else backs  # (A, B)
    if kernel or (kernel is None and "numba" in sys.modules):  # it is not worth loading: networks ask for it first
        return _by_kernel(rows, valid, grid, level, trend, season, backs)
    parts = [slice(start, start + HISTORIES) for start in range(0, max(count, 1), HISTORIES)]
    found = [
        _side_by_side(rows[:, part], valid[part], grid, level[part], trend[part], season[:, part], backs[:, part])
        for part in parts
    ]
    return State(*(np.concatenate([getattr(state, name) for state in found], axis=1) for name in State.__annotations__))


def _by_kernel(
    rows: Floats, valid: Integers, grid: Grid, level: Floats, trend: Floats, season: Floats, backs: Integers
) -> State:
    from rnncast.core import smoothing as core

    points = len(grid.level)
    w, w_seasons = core.new_workspaces(points, len(season))
    for at, values in (
        (core.AT_LEVEL_SHARE, grid.level),
        (core.AT_TREND_SHARE, grid.trend),
        (core.AT_SEASON_SHARE, grid.season),
        (core.AT_DAMPING, grid.damping),
    ):
        w[at : at + points] = values[:, 0]
    # Copies all: an array that cannot be written to would be compiled for anew.
    by_history, seasons = np.array(rows.T, order="C"), np.array(season.T, order="C")  # (B, R), (B, m)
    valid, backs = np.array(valid, np.int64), np.array(backs, np.int64, order="C")
    found = np.empty((3, *backs.shape))  # (3, A, B)
    core.smooth_histories(by_history, valid, points, TIE, level, trend, seasons, backs, w, w_seasons, found)
    return State(found[0], found[1], found[2], seasons.T)


def _side_by_side(
    rows: Floats, valid: Integers, grid: Grid, level: Floats, trend: Floats, season: Floats, backs: Integers
) -> State:
    order = np.argsort(-valid, kind="stable")  # (B,) longest first: those that have begun are always the first columns
    begun = np.searchsorted(-valid[order], np.arange(-len(rows), 0), side="right")  # (R,)
    shape = (len(grid.level), rows.shape[1])
    levels, trends = (np.array(np.broadcast_to(values[order], shape)) for values in (level, trend))  # (G, B) each
    seasons = np.array(np.broadcast_to(season[:, None, order], (len(season), *shape)))  # (m, G, B)
    squares, errors, parts = np.zeros(shape), np.empty(shape), np.empty(shape)  # (G, B) each
    found = np.empty((3, *backs.shape))  # (3, A, B)
    due, asked = backs[:, order], set(backs.reshape(-1).tolist())  # (A, B)
    sloped = bool(grid.trend.any() or trends.any())
    for left, row, count in zip(range(len(rows))[::-1], rows[:, order], begun.tolist(), strict=True):
        at, slope, error, part = levels[:, :count], trends[:, :count], errors[:, :count], parts[:, :count]
        if sloped:
            slope *= grid.damping
            at += slope
        np.subtract(row[:count], at, out=error)
        if len(seasons):
            own = seasons[(-left - 1) % len(seasons), :, :count]  # (G, count)
            error -= own
            own += np.multiply(error, grid.season, out=part)
        at += np.multiply(error, grid.level, out=part)
        if sloped:
            slope += np.multiply(error, grid.trend, out=part)
        squares[:, :count] += np.multiply(error, error, out=part)
        if left in asked:
            place, column = np.nonzero(due == left)
            best = _best(squares[:, column])
            found[:, place, column] = levels[best, column], trends[best, column], grid.damping[best, 0]
    back = np.argsort(order)  # (B,)
    found = found[:, :, back]
    return State(found[0], found[1], found[2], seasons[:, _best(squares), np.arange(shape[1])][:, back])


def _best(squares: Floats) -> Integers:
    """The first point (B,) whose sum of squares (G, B) is as good as the least."""
    return np.asarray(np.argmax(squares <= squares.min(axis=0) * (1.0 + TIE), axis=0))

"""A simple path as far as a series bears it out itself.

The gate chooses a path for a group of series, and some of a group are no match for it: after a change of level, a wild
row or a pause a trend goes astray. So each series is asked: the path starts anew from a few of its earlier rows, and
counts by what it gained over the naive path on the rows that followed. Only rows of the context enter.

Dimension letters: `R` rows, `B` windows, `A` windows that are asked, `P` places, `K` horizon steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rnncast.baselines.holt_winters import FEWEST_SEASONS
from rnncast.baselines.smoothing import START_ROWS

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Path = Callable[[Floats, Integers], Floats]
Before = Callable[[Floats, Integers, Integers], Floats]
"""From rows, the number that count, and places (P, B) in rows before the end, to paths (P, K, B)."""

ASKED = 4
"""Earlier rows from which a path starts anew, and one more part of a short history to start with."""

CLEAR_GAIN = 0.2
"""Share of the last value's error that a path must have gained to count whole; with less it counts in proportion."""

CLEAR_LOSS = 1.0
"""Share of the last season's error that a path must have lost to count for nothing; with less it counts the more."""

STRIDE = 2.0
"""Median changes that a path may go in each step, or season, beyond the highest and lowest row of its context."""


class Trials:
    """Where paths of series start anew, what the naive path says there, and what came: the same for every path.

    Parameters
    ----------
    naive
        From rows (R, B) and the number (B,) of them that count to K steps.
    rows : (R, B)
        Last rows of each series, in any units.
    valid : (B,)
        Number of rows of each that count, at the end.
    horizon
        Number of steps, K.
    season
        Rows of a season, the last of which is the naive path; 1 for the last value.

    Attributes
    ----------
    naive : (K, B)
        The naive path itself.
    """

    def __init__(self, naive: Path, rows: Floats, valid: Integers, horizon: int, season: int) -> None:
        self.naive = naive(rows, valid)  # (K, B)
        self._seasonal = season > 1
        span = np.clip(valid // (ASKED + 1), 1, horizon)  # (B,) steps looked at from each earlier row
        moving = np.arange(len(rows))[:, None] >= len(rows) - span - 1  # (R, B)
        highest, lowest = np.where(moving, rows, -np.inf).max(axis=0), np.where(moving, rows, np.inf).min(axis=0)
        self._asked = np.flatnonzero((valid > ASKED) & (highest > lowest))  # (A,) a series at rest stays
        if len(self._asked):
            self._look_back(naive, rows[:, self._asked], valid[self._asked], span[self._asked], season)

    def _look_back(self, naive: Path, rows: Floats, valid: Integers, span: Integers, season: int) -> None:
        """What is the same for every path of the series that are asked, from rows (R, A)."""
        horizon, last = len(self.naive), len(rows) - 1
        self._rows, self._valid = rows, valid
        self._backs = np.arange(ASKED + 1)[:, None] * span  # (P, A) the end, and places before it
        counts = valid - self._backs  # (P, A)
        self._views = [rows, *(_view(rows, back) for back in self._backs[1:])]  # P of (R, A)
        views = list(zip(self._views, counts, strict=True))
        self._bounds = [likely_bounds(*view, horizon, season) for view in views]  # P of twice (K, A)
        steps = np.arange(horizon)[:, None]  # (K, 1)
        came = (np.minimum(last + 1 - back + steps, last) for back in self._backs[1:])  # P - 1 of (K, A)
        self._came = [np.take_along_axis(rows, places, axis=0) for places in came]  # P - 1 of (K, A)
        fewest = FEWEST_SEASONS * season if season > 1 else 1
        self._looked_at = (steps < span) & (counts[1:, None] >= fewest)  # (P - 1, K, A)
        self._naive_error = self._error([naive(*view) for view in views[1:]])  # (A,)

    def proven(self, path: Path, before: Before | None = None) -> Floats:
        """A path (K, B), drawn towards the naive path as far as the series gives no reason to believe it.

        Parameters
        ----------
        path
            From rows (R, B) and the number (B,) of them that count to K steps.
        before
            Gives the path from several rows of each series at once, if there is a quicker way.
        """
        issued = self.naive.copy()  # (K, B)
        if len(self._asked) == 0:
            return issued
        paths = [
            np.clip(own, *bounds) for own, bounds in zip(self._paths(path, before), self._bounds, strict=True)
        ]  # P of (K, A)
        lost, of = self._error(paths[1:]), self._naive_error  # (A,) each
        gain = np.divide(of - lost, of, out=np.where(lost > 0, -np.inf, 0.0), where=of > 0)  # (A,) share of the error
        share = np.clip(1.0 + gain / CLEAR_LOSS if self._seasonal else gain / CLEAR_GAIN, 0.0, 1.0)  # (A,)
        issued[:, self._asked] += share * (paths[0] - issued[:, self._asked])
        return issued

    def _paths(self, path: Path, before: Before | None) -> Floats:
        """Paths (P, K, A) from all places."""
        rows, valid, backs = self._rows, self._valid, self._backs
        if before is None:
            return np.stack([path(view, valid - back) for view, back in zip(self._views, backs, strict=True)])
        quick = valid - backs[-1] >= START_ROWS  # (A,)
        slow = np.flatnonzero(~quick)
        paths = np.empty((len(backs), len(self.naive), len(valid)))
        for own, view, back in zip(paths, self._views, backs, strict=True):
            own[:, slow] = path(view[:, slow], (valid - back)[slow])
        if quick.any():
            paths[..., quick] = before(rows[:, quick], valid[quick], backs[:, quick])
        return paths

    def _error(self, paths: list[Floats]) -> Floats:
        """Error (A,) of paths (K, A) from each place but the end, over the steps looked at."""
        error = np.zeros(len(self._valid))  # (A,)
        for came, said, looked_at in zip(self._came, paths, self._looked_at, strict=True):
            error += (np.abs(came - said) * looked_at).sum(axis=0)
        return error


def _view(rows: Floats, back: Integers) -> Floats:
    """Rows (R, B) up to `back` (B,) before the end of each, the first repeated in front."""
    return np.take_along_axis(rows, np.maximum(np.arange(len(rows))[:, None] - back, 0), axis=0)


def likely(path: Floats, rows: Floats, valid: Integers, season: int) -> Floats:
    """The path (K, B), drawn in to the rows (R, B) that count and some median changes a step, or season, beyond."""
    return np.clip(path, *likely_bounds(rows, valid, len(path), season))


def likely_bounds(rows: Floats, valid: Integers, horizon: int, season: int) -> tuple[Floats, Floats]:
    """Lowest and highest numbers (K, B) to which a path is drawn in; see `likely`."""
    count = np.arange(len(rows))[:, None] >= len(rows) - valid  # (R, B)
    ahead = np.arange(1, horizon + 1)[:, None]  # (K, 1)
    reach = _median_change(rows, valid, 1) * ahead  # (K, B)
    if season > 1:
        reach = np.maximum(reach, _median_change(rows, valid, season) * -(-ahead // season))
    low, high = np.where(count, rows, np.inf).min(axis=0), np.where(count, rows, -np.inf).max(axis=0)  # (B,) each
    return low - STRIDE * reach, high + STRIDE * reach


def _median_change(rows: Floats, valid: Integers, lag: int) -> Floats:
    """Median absolute change (B,) over `lag` rows, of those that count; zero without one."""
    if lag >= len(rows):
        return np.zeros(rows.shape[1])
    changes = np.abs(rows[lag:] - rows[:-lag])  # (R - lag, B)
    counted = np.arange(len(changes))[:, None] >= len(rows) - valid  # (R - lag, B)
    by_series = np.where(counted, changes, np.inf).T.copy()  # (B, R - lag)
    places = np.maximum(valid - lag - 1, 0) // 2  # (B,) the lower one of two
    one = len(places) > 0 and bool((places == places[0]).all())  # then there is no need to order all
    ordered = np.partition(by_series, places[0], axis=1) if one else np.sort(by_series, axis=1)  # (B, R - lag)
    return np.where(valid > lag, ordered[np.arange(len(places)), places], 0.0)

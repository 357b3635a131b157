"""A simple path as far as a series bears it out itself.

The gate chooses a path for a group of series, and some of a group are no match for it: after a change of level, a wild
row or a pause a trend goes astray. So each series is asked: the path starts anew from a few of its earlier rows, and
counts by what it gained over the naive path on the rows that followed. Only rows of the context enter.

Dimension letters: `R` rows, `B` windows, `K` horizon steps.
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


def proven(
    path: Path, naive: Path, rows: Floats, valid: Integers, horizon: int, season: int, before: Before | None = None
) -> Floats:
    """The path (K, B), drawn towards the naive path as far as the series gives no reason to believe it.

    Parameters
    ----------
    path, naive
        From rows (R, B) and the number (B,) of them that count to K steps.
    rows : (R, B)
        Last rows of each series, in any units.
    valid : (B,)
        Number of rows of each that count, at the end.
    horizon
        Number of steps, K.
    season
        Rows of a season, the last of which is the naive path; 1 for the last value.
    before
        Gives the path from several rows of each series at once, if there is a quicker way.
    """
    issued = naive(rows, valid)  # (K, B)
    span = np.clip(valid // (ASKED + 1), 1, horizon)  # (B,) steps looked at from each earlier row
    moving = np.arange(len(rows))[:, None] >= len(rows) - span - 1  # (R, B)
    highest, lowest = np.where(moving, rows, -np.inf).max(axis=0), np.where(moving, rows, np.inf).min(axis=0)
    asked = np.flatnonzero((valid > ASKED) & (highest > lowest))  # (A,) a series at rest stays
    if len(asked) == 0:
        return issued
    rows, valid, span = rows[:, asked], valid[asked], span[asked]
    backs = np.arange(ASKED + 1)[:, None] * span  # (P, A) the end, and places before it
    paths = _paths(path, before, rows, valid, backs)  # (P, K, A)
    views = [_view(rows, back) for back in backs]  # P of (R, A)
    for place, view in enumerate(views):
        paths[place] = likely(paths[place], view, valid - backs[place], season)
    naives = np.stack([naive(view, valid - back) for view, back in zip(views, backs, strict=True)])  # (P, K, A)
    gain = _gain(paths[1:], naives[1:], rows, valid, span, FEWEST_SEASONS * season if season > 1 else 1)  # (A,)
    share = np.clip(1.0 + gain / CLEAR_LOSS if season > 1 else gain / CLEAR_GAIN, 0.0, 1.0)  # (A,)
    issued[:, asked] += share * (paths[0] - issued[:, asked])
    return issued


def _view(rows: Floats, back: Integers) -> Floats:
    """Rows (R, B) up to `back` (B,) before the end of each, the first repeated in front."""
    return np.take_along_axis(rows, np.maximum(np.arange(len(rows))[:, None] - back, 0), axis=0)


def _paths(path: Path, before: Before | None, rows: Floats, valid: Integers, backs: Integers) -> Floats:
    """Paths (P, K, B) from the places `backs` (P, B) rows before the end."""
    quick = (valid - backs[-1] >= START_ROWS) & (before is not None)  # (B,)
    slow = np.flatnonzero(~quick)
    parts = [path(_view(rows[:, slow], back[slow]), valid[slow] - back[slow]) for back in backs]
    if before is None:
        return np.stack(parts)
    paths = np.empty((len(backs), len(parts[0]), len(valid)))
    paths[..., slow] = np.stack(parts)
    if quick.any():
        paths[..., quick] = before(rows[:, quick], valid[quick], backs[:, quick])
    return paths


def _gain(paths: Floats, naives: Floats, rows: Floats, valid: Integers, span: Integers, fewest: int) -> Floats:
    """Share (B,) of the error of the naive paths (P, K, B) that the paths gain over `span` (B,) steps each.

    They begin a span, two, three ... before the end. Only those count that have `fewest` rows up to them; zero where
    none has.
    """
    errors = np.zeros((2, len(valid)))  # (2, B) of the path, and of the naive one
    steps = np.arange(paths.shape[1])[:, None]  # (K, 1)
    for number, both in enumerate(zip(paths, naives, strict=True), 1):
        back = number * span  # (B,)
        came = np.take_along_axis(rows, np.minimum(len(rows) - back + steps, len(rows) - 1), axis=0)  # (K, B)
        for error, said in zip(errors, both, strict=True):
            error += (np.abs(came - said) * (steps < span)).sum(axis=0) * (valid - back >= fewest)
    lost, of = errors  # (B,) each
    return np.divide(of - lost, of, out=np.where(lost > 0, -np.inf, 0.0), where=of > 0)


def likely(path: Floats, rows: Floats, valid: Integers, season: int) -> Floats:
    """The path (K, B), drawn in to the rows (R, B) that count and some median changes a step, or season, beyond."""
    count = np.arange(len(rows))[:, None] >= len(rows) - valid  # (R, B)
    ahead = np.arange(1, len(path) + 1)[:, None]  # (K, 1)
    reach = _median_change(rows, valid, 1) * ahead  # (K, B)
    if season > 1:
        reach = np.maximum(reach, _median_change(rows, valid, season) * -(-ahead // season))
    low, high = np.where(count, rows, np.inf).min(axis=0), np.where(count, rows, -np.inf).max(axis=0)  # (B,) each
    return np.clip(path, low - STRIDE * reach, high + STRIDE * reach)


def _median_change(rows: Floats, valid: Integers, lag: int) -> Floats:
    """Median absolute change (B,) over `lag` rows, of those that count; zero without one."""
    if lag >= len(rows):
        return np.zeros(rows.shape[1])
    changes = np.abs(rows[lag:] - rows[:-lag])  # (R - lag, B)
    counted = np.arange(len(changes))[:, None] >= len(rows) - valid  # (R - lag, B)
    ordered = np.sort(np.where(counted, changes, np.inf), axis=0)  # (R - lag, B)
    middle = ordered[np.maximum(valid - lag - 1, 0) // 2, np.arange(rows.shape[1])]  # (B,) the lower one of two
    return np.where(valid > lag, middle, 0.0)

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

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Path = Callable[[Floats, Integers], Floats]

ASKED = 4
"""Earlier rows from which a path starts anew, and one more part of a short history to start with."""

CLEAR_GAIN = 0.2
"""Share of the last value's error that a path must have gained to count whole; with less it counts in proportion."""

CLEAR_LOSS = 1.0
"""Share of the last season's error that a path must have lost to count for nothing; with less it counts the more."""

STRIDE = 2.0
"""Median changes that a path may go in each step, or season, beyond the highest and lowest row of its context."""


def proven(path: Path, naive: Path, rows: Floats, valid: Integers, horizon: int, season: int) -> Floats:
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
    """
    issued = naive(rows, valid)  # (K, B)
    span = np.clip(valid // (ASKED + 1), 1, horizon)  # (B,) steps looked at from each earlier row
    moving = np.arange(len(rows))[:, None] >= len(rows) - span - 1  # (R, B)
    highest, lowest = np.where(moving, rows, -np.inf).max(axis=0), np.where(moving, rows, np.inf).min(axis=0)
    asked = np.flatnonzero((valid > ASKED) & (highest > lowest))  # (A,) a series at rest stays
    if len(asked) == 0:
        return issued
    rows, valid = rows[:, asked], valid[asked]

    def bounded(rows: Floats, valid: Integers) -> Floats:
        return likely(path(rows, valid), rows, valid, season)

    gain = _gain(
        bounded, naive, rows, valid, span[asked], horizon, FEWEST_SEASONS * season if season > 1 else 1
    )  # (A,)
    share = np.clip(1.0 + gain / CLEAR_LOSS if season > 1 else gain / CLEAR_GAIN, 0.0, 1.0)  # (A,)
    issued[:, asked] += share * (bounded(rows, valid) - issued[:, asked])
    return issued


def _gain(path: Path, naive: Path, rows: Floats, valid: Integers, span: Integers, horizon: int, fewest: int) -> Floats:
    """Share (B,) of the naive path's error over `span` (B,) steps that the path gains, from a few earlier rows.

    Only those count that have `fewest` rows up to them; zero where none has.
    """
    errors = np.zeros((2, len(valid)))  # (2, B) of the path, and of the naive one
    steps = np.arange(horizon)[:, None]  # (K, 1)
    for number in range(1, ASKED + 1):
        back = number * span  # (B,)
        earlier = np.take_along_axis(rows, np.maximum(np.arange(len(rows))[:, None] - back, 0), axis=0)  # (R, B)
        came = np.take_along_axis(rows, np.minimum(len(rows) - back + steps, len(rows) - 1), axis=0)  # (K, B)
        for error, said in zip(errors, (path, naive), strict=True):
            error += (np.abs(came - said(earlier, valid - back)) * (steps < span)).sum(axis=0) * (
                valid - back >= fewest
            )
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
